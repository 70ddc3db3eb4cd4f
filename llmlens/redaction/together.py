"""Texts are searched together: which, as what bytes, and what of a finding is in one of them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from .pattern import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .pattern import Found

#: About so many bytes at once.
_AT_ONCE = 4 << 20


def portions(texts: Sequence[str | None]) -> list[tuple[int, int]]:
    """Cut a list of texts into portions of about the same length."""
    cut, first, size = [], 0, 0
    for place, text in enumerate(texts):
        size += 1 if text is None else len(text) + 1
        if size >= _AT_ONCE:
            cut.append((first, place + 1))
            first, size = place + 1, 0
    if first < len(texts):
        cut.append((first, len(texts)))
    return cut


def joined(encoded: Sequence[bytes], after: Sequence[str]) -> tuple[bytes, list[int]]:
    """Join texts, each after what stands before it; also give where each starts."""
    if not any(after):
        return GAP.join(encoded), [0, *accumulate(len(each) + 1 for each in encoded[:-1])]
    parts, starts, at = [], [], 0
    for each, before in zip(encoded, after, strict=True):
        prefix = before.encode("utf-8", "surrogatepass")
        starts.append(at + len(prefix))
        parts.append(prefix + each)
        at += len(prefix) + len(each) + 1
    return GAP.join(parts), starts


def within(found: Found, starts: Sequence[int], encoded: Sequence[bytes]) -> Found:
    """Keep what is in the text itself; it is empty when all of it is in what stands before."""
    place = bisect_right(starts, found.end - 1) - 1
    if place < 0:
        return replace(found, end=found.start)
    start, end = max(found.start, starts[place]), min(found.end, starts[place] + len(encoded[place]))
    return found if (start, end) == (found.start, found.end) else replace(found, start=start, end=max(start, end))
