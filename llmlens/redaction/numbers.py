"""Numbers that are somebody's: rows of digits are found once, then looked up by how many digits they have."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .pattern import GAP, PAD, Found, anything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .scanning import Scan

#: Seven digits or more with at most a few separators between two, which are no part of a word, of a longer number
#: with a point, or of a name with hyphens, such as a UUID.
_LEAST, _WITHIN = 7, 26
_ROW = re.compile(
    rb"[+(0-9](?<![0-9A-Za-z]-[+(0-9])(?![0-9]*\.[0-9]{5,}(?![0-9.]))"
    rb"(?:[ .\-/()\x01]{0,4}[0-9]){6,40}+(?!(?!(?:x|ext)[0-9.])[0-9A-Za-z_]|-[0-9A-Za-z]|\.[0-9])"
)
_PLUS, _BRACKET = b"+("
_BETWEEN = b" .-/()+"
_EXTENSION = re.compile(rb" ?(?:x|ext\.?) ?[0-9]{1,6}(?![0-9A-Za-z])")
_GROUP = re.compile(rb"[0-9]+")
#: A number has at most so many groups; before it stands what says what it is, within so many bytes.
_MOST_GROUPS, _CONTEXT = 7, 72
_LINKS = (
    rb"(?:[^a-z0-9]{1,4}(?:is|was|are|number|no|nr|num|n|id|code|at|me|us|on|it|to|of|for|my|the|your|our|nummer|lautet"
    rb"|ist|est|es|numero|n\xc3\xbamero|num\xc3\xa9ro)){0,3}[^a-z0-9]{0,24}\Z"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A kind of number: how many digits, grouped how, right by which check, and after which words."""

    kind: str
    sizes: tuple[int, ...]
    shape: re.Pattern[bytes]
    example: str
    check: Callable[[bytes], bool] = anything
    context: re.Pattern[bytes] | None = None
    #: Not one of many numbers in a row.
    single: bool = False


def after(*words: str) -> re.Pattern[bytes]:
    """Make what a number is announced by: one of these words (expressions, small letters) right before it."""
    either = "|".join("".join(c if c.isascii() else rf"\x01*{c}" for c in word) for word in words)
    return re.compile(rb"(?:" + either.encode() + rb")[a-z_.]{0,12}" + _LINKS)


def by_size(numbers: Iterable[Number]) -> dict[int, list[Number]]:
    """Index kinds of numbers by how many digits they have; of one size the first that fits is taken."""
    index: dict[int, list[Number]] = {}
    for number in numbers:
        for size in number.sizes:
            index.setdefault(size, []).append(number)
    return index


def find_numbers(scan: Scan, index: Mapping[int, Sequence[Number]], rank: int) -> Iterator[Found]:
    """Find the numbers that are of a kind."""
    view, end = scan.view, 0
    for start in scan.rows_of_digits(_LEAST, _WITHIN):
        match = _ROW.match(view, start) if start >= end else None
        if match is None:
            continue
        end, row = match.end(), match[0]
        if row.isdigit():
            if kinds := index.get(len(row)):
                yield from _of_kind(view, start, row, kinds, rank)
        else:
            yield from _windows(view, start, row, index, rank)


def _windows(view: bytes, at: int, row: bytes, index: Mapping[int, Sequence[Number]], rank: int) -> Iterator[Found]:
    """Look at the longest rows of groups first; a row ends where a space is, or where all of it does."""
    groups = [group.span() for group in _GROUP.finditer(row)]
    first = 0
    while first < len(groups):
        found = None
        for last in range(min(len(groups), first + _MOST_GROUPS) - 1, first - 1, -1):
            if last + 1 < len(groups) and b" " not in row[groups[last][1] : groups[last + 1][0]]:
                continue
            kinds = index.get(sum(end - start for start, end in groups[first : last + 1]))
            if kinds and (first or last + 1 < len(groups)):
                kinds = [kind for kind in kinds if not kind.single]
            if not kinds:
                continue
            start = groups[first][0]
            start = _with_signs(row, start, groups[last][1])
            found = next(_of_kind(view, at + start, row[start : groups[last][1]], kinds, rank), None)
            if found is not None:
                yield found
                break
        first = last + 1 if found is not None else first + 1
        while 0 < first < len(groups) and b" " not in row[groups[first - 1][1] : groups[first][0]]:
            first += 1


def _with_signs(row: bytes, start: int, end: int) -> int:
    """Go back over a plus, and over as many brackets as are closed after them."""
    closed = row.count(b")", start, end) - row.count(b"(", start, end)
    while start and (row[start - 1] == _PLUS or (closed > 0 and row[start - 1] == _BRACKET)):
        start -= 1
        closed -= row[start] == _BRACKET
    return start


def _of_kind(view: bytes, start: int, written: bytes, kinds: Sequence[Number], rank: int) -> Iterator[Found]:
    end, written = start + len(written), written.replace(PAD, b"")
    digits = written.translate(None, _BETWEEN)
    for number in kinds:
        if number.shape.fullmatch(written) and number.check(digits) and announced(view, start, number.context):
            extension = _EXTENSION.match(view, end) if number.kind == "PHONE" else None
            yield Found(start, extension.end() if extension else end, number.kind, digits, rank)
            return


def announced(view: bytes, start: int, context: re.Pattern[bytes] | None) -> bool:
    """Say whether what must stand before a place does."""
    if context is None:
        return True
    before = view[max(0, start - _CONTEXT) : start].lower()
    return context.search(before, before.rfind(GAP) + 1) is not None
