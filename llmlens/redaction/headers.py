"""Secrets of the web: what follows `Bearer` and `Basic`, cookies, secrets in queries, passwords in addresses."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from .assignments import NO_VALUE, is_key
from .pattern import Found, as_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scanning import Scan

#: Words of headers, in small letters, and names in queries.
HEADERS: tuple[bytes, ...] = (b"bearer", b"basic", b"cookie")
PARAMETERS: tuple[bytes, ...] = tuple(b"sig= signature= code= auth= session= jwt= ticket= hmac= otp=".split())
_CREDENTIALS = re.compile(rb"(?:bearer|basic)(?:\x01*\s)+(?P<value>[0-9a-z._~+/-]{8,2000}=*)")
_COOKIE = re.compile(
    rb"cookie\x01*[\"']?\s{0,2}:\s{0,2}\x01*[\"']?(?P<value>[0-9a-z_.-]{1,60}=[^\x00\n\"'\x01]{8,2000})"
)
_USERINFO = re.compile(
    rb"://[^\s/?#:@\"'<>\x00\x01]{0,200}:(?![0-9]{1,5}[?#])(?P<value>[^\s/\"'<>\x00]{1,200})@(?=[0-9a-z\[_.-])"
)
#: A name in a query, from its sign on, and the value.
_ASKED = re.compile(rb"[?&]\x01*[a-z_-]{0,20}\Z")
_PARAMETER = re.compile(rb"[^&#\s\"'<>\x00]{8,2000}")
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")


def read_header(scan: Scan, start: int, word: bytes, rank: int) -> Iterator[Found]:
    """Give what a header carries."""
    match = (_COOKIE if word == b"cookie" else _CREDENTIALS).match(scan.small, start)
    if match is None:
        return
    value = scan.view[slice(*match.span("value"))]
    if word == b"cookie" or (_is_basic(value) if word == b"basic" else _is_token(value)):
        yield Found(*match.span("value"), "SECRET", value, rank)


def read_parameter(scan: Scan, start: int, name: bytes, rank: int) -> Iterator[Found]:
    """Give the value of a name in a query."""
    if not _ASKED.search(scan.small, max(0, start - 24), start):
        return
    match = _PARAMETER.match(scan.view, start + len(name))
    if match is not None and is_key(value := as_written(match[0])) and not NO_VALUE.match(value):
        yield Found(match.start(), match.end(), "SECRET", value, rank)


def find_userinfo(scan: Scan, rank: int) -> Iterator[Found]:
    """Find passwords in addresses, `postgresql://app:...@db`."""
    for match in _USERINFO.finditer(scan.small):
        value = as_written(scan.view[slice(*match.span("value"))])
        if not NO_VALUE.match(value):
            yield Found(*match.span("value"), "PASSWORD", value, rank)


def _is_token(value: bytes) -> bool:
    return _DIGIT.search(value) is not None and _LETTER.search(value) is not None


def _is_basic(value: bytes) -> bool:
    try:
        return b":" in base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
