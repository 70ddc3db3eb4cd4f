"""Where anything could be: asked of all bytes at once, so that expressions are tried at few places only."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .reading import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

#: Bytes of traces as they are searched, the commonest first; all others are rarer.
_COMMON = b'\x01"eat nrso:iul,dc{}g.pmyhk0f_v1bV256493w87-[]xITPHqSUNRDFABjELCzOYMGWJKZQX'


class Literals:
    """Short texts to look for, of three bytes or more; `alone`: only where no letter or digit stands before."""

    def __init__(self, literals: Iterable[bytes], *, alone: bool = False) -> None:
        """Choose of each text the three neighbours that are rarest."""
        self.alone = alone
        self.by_three: dict[bytes, list[tuple[int, bytes]]] = {}
        #: Bits that a byte has as the first and as the second of three; the two have one in common.
        self._first, self._second = bytearray(256), bytearray(256)
        self._threes = np.zeros(1 << 20, np.bool_)
        for literal in sorted(set(literals), key=lambda each: (-len(each), each)):
            place = max(range(len(literal) - 2), key=lambda at: sum(map(_rarity, literal[at : at + 3])))
            three = literal[place : place + 3]
            self.by_three.setdefault(three, []).append((place, literal))
            bit = 1 << three[1] % 8
            self._first[three[0]] |= bit
            self._second[three[1]] |= bit
            self._threes[_hashed(*np.frombuffer(three, np.uint8).astype(np.uint32))] = True

    def places(self, data: bytes) -> list[int]:
        """Give where one of the threes may stand: by the bits, which is fast, then by all three, where those fit."""
        first = np.frombuffer(data.translate(self._first), np.uint8)
        second = np.frombuffer(data.translate(self._second), np.uint8)
        places = np.flatnonzero(first[:-2] & second[1:-1])
        codes = np.frombuffer(data, np.uint8)
        three = (codes[places + offset].astype(np.uint32) for offset in range(3))
        return list(places[self._threes[_hashed(*three)]].tolist())


def _hashed(first: Any, second: Any, third: Any) -> Any:
    return (first << 12 ^ second << 6 ^ third) & 0xFFFFF


def _rarity(byte: int) -> int:
    place = _COMMON.find(byte)
    return len(_COMMON) if place < 0 else place + 1


class Scan:
    """Texts as they are searched: with their escapes read, and that in small letters; places are the same in all."""

    def __init__(self, data: bytes) -> None:
        """Read the escapes."""
        self.view = readable(data)
        self.small = self.view.lower()
        self._masks: dict[str, Mask] = {}

    @cached_property
    def _codes(self) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self.view, np.uint8)

    def of(self, letter: str) -> Mask:
        """Say of each byte whether it is of a class (see `openings`), or this one."""
        if letter not in self._masks:
            codes = self._codes
            if letter == "9":
                mask = codes - np.uint8(48) < 10  # what is less wraps around
            elif letter == "A":
                mask = codes - np.uint8(65) < 26
            elif letter == "a":
                mask = (codes | np.uint8(32)) - np.uint8(97) < 26
            else:
                mask = codes == ord(letter)
            self._masks[letter] = mask
        return self._masks[letter]

    @cached_property
    def follows_word(self) -> Mask:
        """Say of each byte whether a letter, a digit or an underscore stands before it."""
        word = self.of("9") | self.of("a") | self.of("_")
        return np.concatenate((np.zeros(1, np.bool_), word[:-1])) if len(word) else word

    def openings(self, *templates: str) -> list[int]:
        """Give where one of these begins and no word goes on.

        In them `9` is a digit, `A` a capital letter, `a` a letter, and all else is itself: `AA9`.
        """
        places: set[int] = set()
        for template in templates:
            fits = ~self.follows_word
            for offset, letter in enumerate(template):
                there = self.of(letter)[offset:]
                fits[: len(there)] &= there
                fits[len(there) :] = False
            places.update(np.flatnonzero(fits).tolist())
        return sorted(places)

    def rows_of_digits(self, least: int, within: int) -> list[int]:
        """Give where a number may begin: a digit, + or ( that no word or point goes before, and digits enough."""
        digit = self.of("9")
        if len(digit) < least:
            return []
        counts = np.zeros(len(digit) + within + 1, np.uint8)  # only differences of less than 256 are asked for
        np.cumsum(digit, dtype=np.uint8, out=counts[1 : len(digit) + 1])
        counts[len(digit) + 1 :] = counts[len(digit)]
        fits = digit | self.of("+") | self.of("(")
        fits &= ~self.follows_word
        fits &= counts[within : len(digit) + within] - counts[: len(digit)] >= least
        places = np.flatnonzero(fits)
        codes = self._codes
        after_point = (places >= 2) & (codes[places - 1] == ord(".")) & digit[places - 2]
        following = np.minimum(places + 1, len(codes) - 1)
        fifth = np.minimum(places + 6, len(codes) - 1)
        decimal = digit[places] & (codes[following] == ord(".")) & (counts[fifth + 1] - counts[following] >= 5)
        return list(places[~(after_point | decimal)].tolist())

    def literals(self, literals: Literals, *, small: bool = False) -> Iterator[tuple[int, bytes]]:
        """Give where each of these texts stands, and which; of several at one place the longest."""
        data = self.small if small else self.view
        by_three, alone = literals.by_three, literals.alone
        for at in literals.places(data):
            for place, literal in by_three.get(data[at : at + 3], ()):
                start = at - place
                if start >= 0 and data.startswith(literal, start):
                    if not (alone and start and data[start - 1 : start].isalnum()):
                        yield start, literal
                    break
