"""Keys by how they begin: one search for all beginnings, then the few patterns of the one that stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .pattern import BEGUN, GAP, PAD, Found, as_written
from .scanning import Literals

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .pattern import Pattern
    from .scanning import Scan

_TOKEN = re.compile(rb"[\w.-]+", re.ASCII)
#: A beginning of a key at the end of a text needs this many characters to be taken for one that goes on.
_BEGUN = 4
_LONGEST = 400
#: So many beginnings in one row of characters are looked at: more would be an attack on our time.
_TRIES = 16


class Anchored:
    """Patterns that begin with one of their anchors."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Make the one search."""
        anchors = sorted({anchor for pattern in patterns for anchor in pattern.anchors}, key=len)
        shortest = [a for a in anchors if not any(a != other and a.startswith(other) for other in anchors)]
        #: Of each anchor the patterns that may fit where it stands, those of longer anchors first.
        self._fitting = {
            short: [p for a in reversed(anchors) if a.startswith(short) for p in patterns if a in p.anchors]
            for short in shortest
        }
        self._begins = Literals(shortest, alone=True)

    def find(self, scan: Scan, rank: int) -> Iterator[Found]:
        """Find keys, also those that go on in the next text."""
        end = stop = tries = 0
        for start, anchor in scan.literals(self._begins):
            if start < end:
                continue
            if start < stop and tries >= _TRIES:
                continue
            if start >= stop:
                run = _TOKEN.match(scan.view, start)
                stop, tries = (run.end() if run else start), 0
            tries += 1
            for found in self._at(scan.view, start, stop, anchor, rank):
                end = found.end
                yield found

    def _at(self, view: bytes, start: int, stop: int, anchor: bytes, rank: int) -> list[Found]:
        """Give what begins at a place: nothing, a key, or the two parts of one; `stop` is where its characters end."""
        patterns = self._fitting[anchor]
        for pattern in patterns:
            match = pattern.regex.match(view, start)
            if match is not None and pattern.check(match[0]):
                whole = Found(start, match.end(), pattern.kind, as_written(match[0]), rank)
                return self._going_on(view, whole) if match.end() == stop else [whole]
        after = view[stop : stop + 1]
        if stop - start < len(anchor) + _BEGUN or after not in (GAP, PAD, b'"'):
            return []
        if after != GAP:
            return [Found(start, stop, BEGUN, view[start:stop], rank)]
        rest = _TOKEN.match(view, stop + 1, stop + 1 + _LONGEST)
        together = view[start:stop] + (rest[0] if rest else b"")
        for pattern in patterns:
            match = pattern.regex.match(together)
            if match is not None and match.end() > stop - start and pattern.check(match[0]):
                ends = stop + 1 + match.end() - (stop - start)
                return [
                    Found(start, stop, pattern.kind, match[0], rank, split=True),
                    Found(stop + 1, ends, pattern.kind, match[0], rank, split=True),
                ]
        return []

    def _going_on(self, view: bytes, whole: Found) -> list[Found]:
        """Add the rest of a key that the end of a text cut, where the next one begins with what no word is."""
        if view[whole.end : whole.end + 1] != GAP:
            return [whole]
        rest = _TOKEN.match(view, whole.end + 1, whole.end + 1 + _LONGEST)
        if rest is None or len(rest[0]) < 10 or not re.search(rb"[0-9][A-Za-z]|[a-z][A-Z0-9]", rest[0]):
            return [whole]
        value = whole.value + rest[0]
        return [
            Found(whole.start, whole.end, whole.kind, value, whole.rank, split=True),
            Found(rest.start(), rest.end(), whole.kind, value, whole.rank, split=True),
        ]
