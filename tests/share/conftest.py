from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pseudonyms of the tests are made with a key of their own."""
    monkeypatch.setenv("LLMLENS_REDACTION_KEY", "the key of the tests")
