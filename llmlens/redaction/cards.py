"""Payment cards: the ranges that schemes hand out, the lengths of each, and Luhn's check digit."""

from __future__ import annotations

import re

from .checksums import luhn
from .numbers import Number, after

#: Beginnings (ISO/IEC 7812 ranges that are in use) and lengths.
_SCHEMES = (
    (re.compile(rb"4"), (16, 19)),  # Visa
    (re.compile(rb"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(rb"3[47]"), (15,)),  # American Express
    (re.compile(rb"6011|64[4-9]|65"), (16, 19)),  # Discover
    (re.compile(rb"35(?:2[89]|[3-8])"), (16,)),  # JCB
    (re.compile(rb"30[0-5]|3[689]"), (14, 16)),  # Diners
    (re.compile(rb"62|81"), (16, 17, 18, 19)),  # UnionPay
    (re.compile(rb"50|5[6-8]|6304|67"), (16, 18, 19)),  # Maestro
    (re.compile(rb"220[0-4]"), (16,)),  # Mir
)


def _is_card(digits: bytes) -> bool:
    in_range = any(begins.match(digits) and len(digits) in sizes for begins, sizes in _SCHEMES)
    return in_range and luhn(digits)


def _is_old_card(digits: bytes) -> bool:
    return digits[:1] in (b"2", b"3", b"4", b"5", b"6") and luhn(digits)


CARDS = (
    Number(
        "CARD",
        (14, 15, 16, 17, 18, 19),
        re.compile(
            rb"[0-9]{14,19}|[0-9]{4}([ \-.])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?|[0-9]{4}([ \-.])[0-9]{6}\2[0-9]{4,5}"
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
