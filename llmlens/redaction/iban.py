"""International bank account numbers (ISO 13616), by the length of each country and the two check digits."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from .checksums import mod_97
from .pattern import Found, alphanumeric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scanning import Scan

#: The registry that SWIFT keeps: how long an account of each country is.
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip


@cache
def _account(length: int) -> re.Pattern[bytes]:
    """Expect so many characters in all, in one piece or in groups of four."""
    groups, rest = divmod(length - 4, 4)
    gap = rb"\x01{0,2}[ \-]?"
    last = gap + rb"[A-Za-z0-9]{%d}" % rest if rest else b""
    return re.compile(rb"[A-Za-z]{2}[0-9]{2}(?:" + gap + rb"[A-Za-z0-9]{4}){%d}" % groups + last + rb"(?![A-Za-z0-9])")


def find_ibans(scan: Scan, rank: int) -> Iterator[Found]:
    """Find account numbers whose check digits are right."""
    for start in scan.openings("aa99"):
        length = _LENGTHS.get(scan.view[start : start + 2].decode().upper())
        match = _account(length).match(scan.view, start) if length else None
        if match is not None and mod_97(plain := alphanumeric(match[0])):
            yield Found(start, match.end(), "IBAN", plain, rank)
