"""Keys by how they begin: one search for all beginnings, then the few patterns of the one that stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .pattern import BEGUN, GAP, PAD, Found, as_written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .pattern import Pattern

_TOKEN = re.compile(rb"[\w.-]+", re.ASCII)
#: A beginning of a key at the end of a text needs this many characters to be taken for one that goes on.
_BEGUN = 4
_LONGEST = 400


def starting_with(expressions: Iterable[bytes], *, alone: bool = False) -> re.Pattern[bytes]:
    """Make one expression of many that begin with a letter; `alone`: with no letter or digit before it.

    The set of first letters comes first, because the search for a set of characters is fast, then what follows each.
    """
    by_first: dict[bytes, list[bytes]] = {}
    for expression in expressions:
        by_first.setdefault(expression[:1], []).append(expression[1:])
    letters = b"[" + b"".join(sorted(by_first)) + b"]"
    rests = (b"(?<=" + first + b")(?:" + b"|".join(rest) + b")" for first, rest in sorted(by_first.items()))
    boundary = b"(?<![0-9A-Za-z]" + letters + b")" if alone else b""
    return re.compile(letters + boundary + b"(?:" + b"|".join(rests) + b")")


class Anchored:
    """Patterns that begin with one of their anchors."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        """Make the one search."""
        self._patterns: dict[bytes, list[Pattern]] = {}
        for pattern in patterns:
            for anchor in pattern.anchors:
                self._patterns.setdefault(anchor, []).append(pattern)
        #: Of each anchor the patterns that may fit where it stands, those of longer anchors first.
        self._fitting = {
            anchor: [p for a in self._longest_first() if anchor.startswith(a) for p in self._patterns[a]]
            for anchor in self._patterns
        }
        self._begins = starting_with(map(re.escape, self._longest_first()), alone=True)

    def _longest_first(self) -> list[bytes]:
        return sorted(self._patterns, key=len, reverse=True)

    def find(self, view: bytes, rank: int) -> Iterator[Found]:
        """Find keys, also those that go on in the next text."""
        end = 0
        for begin in self._begins.finditer(view):
            start = begin.start()
            if start < end:
                continue
            for found in self._at(view, start, begin[0], rank):
                end = found.end
                yield found

    def _at(self, view: bytes, start: int, anchor: bytes, rank: int) -> list[Found]:
        """Give what begins at a place: nothing, a key, or the two parts of one."""
        patterns = self._fitting[anchor]
        run = _TOKEN.match(view, start)
        stop = run.end() if run else start
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
