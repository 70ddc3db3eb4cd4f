"""What a pattern is, and what it finds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: Stands for the bytes of an escape but its last, which is the character; see reading.py.
PAD = b"\x01"
#: Between two texts that are searched together; no pattern reaches over it.
GAP = b"\x00"
#: A quote that no text has: all that follows it, to the end of the text, is one value.
ALL = "\x03"
#: The kind of what begins like a key and ends before it is one; in JSON the next text may go on with it.
BEGUN = "BEGUN"


def anything(_: bytes) -> bool:
    """Accept what fits the expression."""
    return True


def as_written(value: bytes) -> bytes:
    """Give a value without the pads of escapes."""
    return value.replace(PAD, b"")


def folded(value: bytes) -> bytes:
    """Give letters small, as in addresses."""
    return as_written(value).lower()


def alphanumeric(value: bytes) -> bytes:
    """Give digits and letters alone, capital: the same number however it is grouped."""
    return re.sub(rb"[^0-9A-Za-z]", b"", value).upper()


@dataclass(frozen=True, slots=True)
class Pattern:
    """Something to be taken out: what fits `regex` and passes `check`.

    `regex` reads bytes in UTF-8. It is tried where one of the `anchors` stands and no letter or digit before it, or
    where one of the `openings` does, of which `9` is a digit, `A` a capital letter, `a` a letter, and all else itself.
    """

    kind: str
    regex: re.Pattern[bytes]
    example: str
    anchors: tuple[bytes, ...] = ()
    openings: tuple[str, ...] = ()
    check: Callable[[bytes], bool] = anything
    normal: Callable[[bytes], bytes] = as_written


@dataclass(frozen=True, slots=True)
class Found:
    """A place in the texts, in bytes, and what is there; `value` is the same for the same thing written otherwise."""

    start: int
    end: int
    kind: str
    value: bytes
    #: Of two that overlap and are as long, the lower wins.
    rank: int = field(default=0, compare=False)
    #: Whether it goes on in the next text.
    split: bool = field(default=False, compare=False)
