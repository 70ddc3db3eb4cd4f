"""Payment cards: the ranges that schemes hand out, the lengths of each, and Luhn's check digit."""

from __future__ import annotations

import re

from .checksums import luhn
from .numbers import Number, after

#: Beginnings (ISO/IEC 7812 ranges that are in use), by length.
_MASTERCARD = "5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"
_BEGINNINGS = {
    14: "30[0-5]|3[689]",  # Diners
    15: "3[47]",  # American Express
    16: f"4|{_MASTERCARD}|6011|64[4-9]|65|35(?:2[89]|[3-8])|30[0-5]|3[689]|62|81|50|5[6-8]|6304|67|220[0-4]",
    17: "62",
    18: "62|50|5[6-8]|6304|67",
    19: "4|6011|64[4-9]|65|62|50|5[6-8]|6304|67",
}
_SCHEMES = {length: re.compile(begins.encode()) for length, begins in _BEGINNINGS.items()}


def _is_card(digits: bytes) -> bool:
    return _SCHEMES[len(digits)].match(digits) is not None and luhn(digits)


def _is_old_card(digits: bytes) -> bool:
    return digits[:1] in (b"2", b"3", b"4", b"5", b"6") and luhn(digits)


CARDS = (
    Number(
        "CARD",
        (14, 15, 16, 17, 18, 19),
        re.compile(
            rb"[0-9]{14,19}|[0-9]{4}([ \-.])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
            rb"|[0-9]{4}([ \-.])[0-9]{6}\2[0-9]{4,5}"
            rb"|[0-9]{6}([ \-.])[0-9]{10,13}"
        ),
        "4111 1111 1111 1111",
        _is_card,
    ),
    Number(  # what few banks hand out any more, and article numbers look like
        "CARD",
        (12, 13, 14, 15),
        re.compile(rb"[0-9]{12,15}"),
        "4222222222222",
        _is_old_card,
        after("card", "karte", "carte", "tarjeta", "cart[aã]o", "visa", "maestro", "mastercard"),
    ),
)
