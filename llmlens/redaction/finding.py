"""All that is to be taken out of texts, as places in their bytes that do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .addresses import find_emails, find_ips
from .anchored import Anchored
from .assignments import find_assigned, find_in_headers
from .cards import CARD
from .iban import find_ibans
from .national_ids import NUMBERS, WITH_LETTERS
from .numbers import by_size, find_numbers
from .pattern import Found, Pattern
from .phones import PHONES
from .reading import readable
from .secret_keys import PRIVATE_KEY, SECRET_KEYS, TELEGRAM_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ANCHORED = Anchored(SECRET_KEYS)
_BY_SIZE = by_size((CARD, *NUMBERS, *PHONES))
#: The kinds that there are, but for a user's own.
KINDS: frozenset[str] = frozenset(
    {p.kind for p in (*SECRET_KEYS, PRIVATE_KEY, TELEGRAM_TOKEN, *WITH_LETTERS)}
    | {n.kind for n in (CARD, *NUMBERS, *PHONES)}
    | {"EMAIL", "IP", "IBAN", "PASSWORD", "SECRET", "ENV_SECRET", "WORD", "PERSON", "PLACE"}
)


def find(data: bytes) -> Iterator[Found]:
    """Find what the library knows of; what is surer has the lower rank."""
    view = readable(data)
    small = view.lower()
    yield from _fitting(view, PRIVATE_KEY, 1)
    yield from _ANCHORED.find(view, 2)
    yield from _fitting(view, TELEGRAM_TOKEN, 2)
    yield from find_in_headers(view, small, 3)
    yield from find_assigned(view, small, 4)
    yield from find_ibans(view, 5)
    for pattern in WITH_LETTERS:
        yield from _fitting(view, pattern, 6)
    yield from find_emails(view, 7)
    yield from find_ips(view, 8)
    yield from find_numbers(view, _BY_SIZE, 9)


def _fitting(view: bytes, pattern: Pattern, rank: int) -> Iterator[Found]:
    for match in pattern.regex.finditer(view):
        if pattern.check(match[0]):
            yield Found(match.start(), match.end(), pattern.kind, pattern.normal(match[0]), rank)


def apart(found: Iterable[Found], data: bytes) -> list[Found]:
    """Unite what overlaps: all of it goes, as the kind of the longest, the surer one of two as long."""
    united: list[Found] = []
    for each in sorted(found, key=lambda f: (f.start, -f.end, f.rank)):
        if united and each.start < united[-1].end:
            last = united[-1]
            if each.end > last.end:
                main = min((last, each), key=lambda f: (f.start - f.end, f.rank))
                united[-1] = Found(last.start, each.end, main.kind, data[last.start : each.end], main.rank, main.split)
        else:
            united.append(each)
    return united
