"""All that is to be taken out of texts, as places in their bytes that do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .addresses import find_emails, find_ips
from .anchored import Anchored
from .assignments import NAMES, read_assigned
from .cards import CARDS
from .headers import HEADERS, PARAMETERS, find_userinfo, read_header, read_parameter
from .iban import find_ibans
from .national_ids import NUMBERS, WITH_LETTERS
from .numbers import by_size, find_numbers
from .pattern import Found, Pattern
from .phones import PHONES
from .scanning import Literals, Scan
from .secret_keys import SECRET_KEYS, TELEGRAM_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_ANCHORED = Anchored(SECRET_KEYS)
#: Words that announce a secret -> what reads it; one search finds them all.
_READERS: dict[bytes, Callable[[Scan, int, bytes, int], Iterator[Found]]] = {
    **dict.fromkeys(NAMES, read_assigned),
    **dict.fromkeys(HEADERS, read_header),
    **dict.fromkeys(PARAMETERS, read_parameter),
}
_WORDS = Literals(_READERS)
_BY_SIZE = by_size((*CARDS, *NUMBERS, *PHONES))
#: The kinds that there are, but for a user's own.
KINDS: frozenset[str] = frozenset(
    {p.kind for p in (*SECRET_KEYS, TELEGRAM_TOKEN, *WITH_LETTERS)}
    | {n.kind for n in (*CARDS, *NUMBERS, *PHONES)}
    | {"EMAIL", "IP", "IBAN", "PASSWORD", "SECRET", "ENV_SECRET", "WORD", "PERSON", "PLACE"}
)


def find(data: bytes) -> Iterator[Found]:
    """Find what the library knows of; what is surer has the lower rank."""
    scan = Scan(data)
    yield from _ANCHORED.find(scan, 2)
    yield from _fitting(scan, TELEGRAM_TOKEN, 2)
    yield from find_userinfo(scan, 3)
    for start, word in scan.literals(_WORDS, small=True):
        yield from _READERS[word](scan, start, word, 4)
    yield from find_ibans(scan, 5)
    for pattern in WITH_LETTERS:
        yield from _fitting(scan, pattern, 6)
    yield from find_emails(scan, 7)
    yield from find_ips(scan, 8)
    yield from find_numbers(scan, _BY_SIZE, 9)


def _fitting(scan: Scan, pattern: Pattern, rank: int) -> Iterator[Found]:
    for start in scan.openings(*pattern.openings):
        match = pattern.regex.match(scan.view, start)
        if match is not None and pattern.check(match[0]):
            yield Found(start, match.end(), pattern.kind, pattern.normal(match[0]), rank)


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
