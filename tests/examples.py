"""How many random examples a property is tried on: one place to ask for more of all of them."""

from __future__ import annotations

from typing import Any

from hypothesis import settings

#: What a property takes that says no number of its own.
ORDINARY = 100


def examples(n: int, **options: Any) -> settings:
    """Try about n examples, and more in proportion in a profile that asks for more, such as "deep"."""
    asked: int = settings.default.max_examples  # type: ignore[union-attr, unused-ignore]  # it is set by conftest.py
    return settings(max_examples=max(1, n * asked // ORDINARY), **options)
