"""What the tests of `embed` share: a cache of their own, and an endpoint to talk to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.embed.endpoint_server import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("LLMLENS_CACHE", str(folder))
    return folder


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    yield server
    server.close()
