"""Check digits: what tells a card, an account or a person's number from any other row of digits.

Each takes digits (some with letters) without separators, as ASCII bytes, and says whether they can be what they seem.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LUHN = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
#: Verhoeff 1969: the dihedral group of ten elements, and the permutation of each place.
_DIHEDRAL = [
    [(a + b) % 5 if a < 5 and b < 5 else 5 + (a + b - 5) % 5 if a < 5 else 5 + (a - b) % 5 if b < 5 else (a - b) % 5
     for b in range(10)]
    for a in range(10)
]  # fmt: skip
_PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def digits(value: bytes) -> list[int]:
    """Give the digits as numbers."""
    return [byte - 48 for byte in value]


def weighted(value: bytes, weights: Sequence[int]) -> int:
    """Add up the digits, each times its weight."""
    return sum(digit * weight for digit, weight in zip(digits(value), weights, strict=False))


def luhn(value: bytes) -> bool:
    """Check by ISO/IEC 7812-1, annex B (Luhn)."""
    total = 0
    for place, digit in enumerate(reversed(digits(value))):
        total += _LUHN[digit] if place % 2 else digit
    return total % 10 == 0


def verhoeff(value: bytes) -> bool:
    """Check by Verhoeff's dihedral code."""
    check = 0
    for place, digit in enumerate(reversed(digits(value))):
        for _ in range(place % 8):
            digit = _PERMUTATION[digit]  # noqa: PLW2901
        check = _DIHEDRAL[check][digit]
    return check == 0


def mod_97(value: bytes) -> bool:
    """Check by ISO 7064 MOD 97-10, letters counting 10 to 35, the first four moved to the end (IBAN, ISO 13616)."""
    number = "".join(str(int(chr(byte), 36)) for byte in value[4:] + value[:4])
    return int(number) % 97 == 1


def mod_11_10(value: bytes) -> bool:
    """Check by ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits(value[:-1]):
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == value[-1] - 48


def by_weights(weights: Sequence[int], modulus: int) -> Callable[[bytes], bool]:
    """Make a check: the weighted sum of all digits is a multiple of `modulus`."""

    def check(value: bytes) -> bool:
        return weighted(value, weights) % modulus == 0

    return check
