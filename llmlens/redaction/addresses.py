"""Addresses of people and machines: e-mail, IPv4, IPv6."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from .pattern import Found, as_written, folded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scanning import Scan

#: Read backwards from the @; letters beyond ASCII are Latin ones, because scripts without spaces would run into it.
_LOCAL = re.compile(rb"\x01*((?:[0-9A-Za-z_.+'=-]|[\x80-\xbf][\xc3-\xca]\x01*){1,64})")
_DOMAIN = re.compile(
    rb"@(?:(?:[0-9A-Za-z-]|\x01*[\xc3-\xf4][\x80-\xbf]{1,3}){1,63}\.){1,6}(?P<top>[A-Za-z]{2,24}|xn--[0-9a-z]{2,24})"
    rb"(?![0-9A-Za-z_-]|\.[0-9])"
)
#: Ends of names of files and services, which are no top-level domains: `logo@2x.png`.
_FILES = frozenset(
    b"png jpg jpeg gif svg webp avif css scss js jsx ts tsx json html htm txt yaml yml toml lock tar gz min service"
    b" timer socket mount log csv pdf cpp hpp exe dll".split()
)
_IPV4 = re.compile(
    rb"(?<![0-9A-Za-z][.\-/])[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9A-Za-z_]|\.[0-9]|-[0-9A-Za-z])"
)
_VERSION = re.compile(
    rb"(?:version|ver|release|build|rev|firmware|upgrade[sd]? (?:to|from)|section|chapter|clause|sec|\brv|\bv"
    rb"|[=<>~!]=|\^)"
    rb"[^0-9a-z]{0,4}\Z"
)
_COLONS = re.compile(rb":[0-9A-Fa-f]{0,4}:")
_IPV6_CHARS = b"0123456789abcdefABCDEF:"


def find_emails(scan: Scan, rank: int) -> Iterator[Found]:
    """Find e-mail addresses; `git@github.com:` is how a repository is written."""
    view = scan.view
    at = view.find(b"@")
    while at >= 0:
        local = _LOCAL.match(view[max(0, at - 72) : at][::-1])
        domain = _DOMAIN.match(view, at)
        if local and domain:
            name = local[1][::-1].lstrip(b".'=-")
            if b"=" in name:  # a name and a value, as in a query
                name = name[name.rindex(b"=") + 1 :]
            start = at - (len(local[0]) - len(local[1])) - len(name)
            repository = name == b"git" and view[domain.end() : domain.end() + 1] in (b":", b"/")
            if name and domain["top"].lower() not in _FILES and not repository:
                yield Found(start, domain.end(), "EMAIL", folded(view[start : domain.end()]), rank)
        at = view.find(b"@", at + 1)


def find_ips(scan: Scan, rank: int) -> Iterator[Found]:
    """Find addresses of machines, but those that are the same everywhere, and versions that look alike."""
    view = scan.view
    for place in scan.openings("9.", "99.", "999."):
        match = _IPV4.match(view, place)
        if match is None:
            continue
        address = _address(match[0])
        if address is not None and not _is_version(view, match.start(), match[0]):
            yield Found(match.start(), match.end(), "IP", match[0], rank)
    end = 0
    for match in _COLONS.finditer(view):
        if match.start() < end:
            continue
        start, end = _reach(view, match.start())
        address = _address(view[start:end]) if end - start >= 6 else None
        if address is not None and any(byte in b"123456789" for byte in view[start:end]):
            yield Found(start, end, "IP", address.exploded.encode(), rank)


def _reach(view: bytes, inside: int) -> tuple[int, int]:
    """Widen a place to all that an IPv6 address can be made of; it must not be part of a word."""
    start, end = inside, inside
    while start and view[start - 1] in _IPV6_CHARS and inside - start < 40:
        start -= 1
    while end < len(view) and view[end] in _IPV6_CHARS and end - start < 45:
        end += 1
    while end > start and view[end - 1] == 58 and view[end - 2 : end] != b"::":
        end -= 1  # a colon that follows it
    around = view[start - 1 : start] + view[end : end + 1]
    return (start, end) if not re.search(rb"[0-9A-Za-z_]", around) else (inside, end)


def _address(text: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(as_written(text).decode("ascii", "replace"))
    except ValueError:
        return None
    everywhere = address.is_loopback or address.is_unspecified or address.is_multicast
    everywhere |= address.version == 4 and address.is_link_local
    return None if everywhere or text.startswith((b"255.", b"0.")) else address


def _is_version(view: bytes, start: int, text: bytes) -> bool:
    if len(text) == 7 and text not in (b"8.8.8.8", b"8.8.4.4", b"1.1.1.1", b"1.0.0.1", b"9.9.9.9"):
        return True  # four single digits are a heading or a version
    before = view[max(0, start - 24) : start].lower()
    return _VERSION.search(before) is not None
