"""Telephone numbers: with a country's code, grouped as a country groups them, or after a word that says so."""

from __future__ import annotations

import re

from .numbers import Number, after

#: ITU-T E.164: the calling codes of countries and networks.
_CODES = re.compile(
    rb"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[1-368]|2[2346][0-9]|25[0-8]|29[01789]|35[0-9]"
    rb"|37[0-8]|38[0-35-79]|42[013]|50[0-9]|59[0-9]|67[02-9]|68[0-35-9]|69[0-2]|800|808|85[0-356]|870|88[0-36]"
    rb"|96[0-8]|97[0-7]|99[2-689]"
)
_WORDS = after(
    "phone", r"\btel", r"\bmobile?", r"\bcell(?!\.)", r"\bcall", r"\bfax", "whats.?app", r"\bsms", "hotline",
    "handy", "telefon", "téléphone", "teléfono", "móvil", "celular", "cellulare", "portable", "rufnummer",
    "ring", "dial", "reach", "contact", "text", "電話", "电话", "手机", "전화", "тел", "numero",
)  # fmt: skip
_DATE = re.compile(rb"(?:19|20)[0-9]{2}[01][0-9][0-3][0-9](?:[0-9]{2}){0,3}|[0-3][0-9][0-3][0-9](?:19|20)[0-9]{2}")


def _has_code(digits: bytes) -> bool:
    return _CODES.match(digits.removeprefix(b"00")) is not None


def _is_no_date(digits: bytes) -> bool:
    return _DATE.fullmatch(digits) is None and len(set(digits)) > 2


_ANY = range(7, 16)
#: The first that fits is taken.
PHONES: tuple[Number, ...] = (
    Number("PHONE", tuple(range(8, 16)), re.compile(rb"\(?\+.+"), "+49 30 901820", _has_code),
    Number(
        "PHONE", tuple(range(10, 18)), re.compile(rb"00[1-9].*[ \-(./].*"), "0049 30 901820", _has_code, single=True
    ),
    Number(
        "PHONE",  # North America
        (10, 11),
        re.compile(
            rb"(?:1[ \-.])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[ \-.][0-9]{4}"
            rb"|[2-9][0-9]{2}([\-.])[2-9][0-9]{2}\1[0-9]{4}"
            rb"|[2-9][0-9]{2} [2-9][0-9]{2}-[0-9]{4})"
        ),
        "(415) 555-2671",
    ),
    Number(
        "PHONE",  # with the 0 that most of Europe, Asia and Australia put before it
        (9, 10, 11, 12, 13),
        re.compile(
            rb"(?:\(0[1-9][0-9]{0,4}\)[ /\-.]{0,3}|0[1-9][0-9]{0,4}[ /\-.]{1,3})[0-9]{2,8}(?:[ \-./][0-9]{2,4}){0,4}"
        ),
        "030 901820",
        _is_no_date,
        single=True,
    ),
    Number("PHONE", (10, 11), re.compile(rb"07[0-9]{3} ?[0-9]{6}"), "07700 900123"),  # United Kingdom
    Number("PHONE", (10, 11), re.compile(rb"\([1-9][0-9]\) ?[0-9]{4,5}-[0-9]{4}"), "(11) 91234-5678"),  # Brazil
    Number(
        "PHONE", (9,), re.compile(rb"[6789][0-9]{2}([ \-])[0-9]{2}\1[0-9]{2}\1[0-9]{2}"), "612 34 56 78", single=True
    ),  # Spain
    Number("PHONE", (10,), re.compile(rb"[6-9][0-9]{4}[ \-][0-9]{5}"), "98765 43210", single=True),  # India
    Number("PHONE", (11,), re.compile(rb"1[3-9][0-9]([ \-])[0-9]{4}\1[0-9]{4}"), "138 0013 8000", single=True),  # China
    Number(  # Russia
        "PHONE",
        (11,),
        re.compile(rb"8[ \-]?\(?[3-9][0-9]{2}\)?[ \-]?[0-9]{3}[ \-][0-9]{2}[ \-]?[0-9]{2}"),
        "8 (912) 345-67-89",
        single=True,
    ),
    Number("PHONE", tuple(_ANY), re.compile(rb".+"), "4155552671", _is_no_date, _WORDS),
)
