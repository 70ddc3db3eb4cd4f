r"""Texts to be searched: escapes are read in place, so that `\nbob@x.org` of a JSON text is an address after a line.

The escape becomes pads and the character it stands for, of the same length, so that a place in what is searched is the
same place in the text, and nothing found begins or ends within an escape.
"""

from __future__ import annotations

import re

from .pattern import PAD

_BACKSLASHED = ((b'\\"', b'"'), (b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t"), (b"\\/", b"/"), (b"\\'", b"'"))
_UNICODE = re.compile(rb"\\u00([0-7][0-9a-fA-F])")
_PERCENT = re.compile(rb"%([2-7][0-9a-fA-F])")
_ENTITIES = tuple(
    (entity, PAD * (len(entity) - 1) + char)
    for entity, char in (
        (b"&quot;", b'"'), (b"&#34;", b'"'), (b"&#39;", b"'"), (b"&#x27;", b"'"), (b"&apos;", b"'"), (b"&amp;", b"&"),
        (b"&lt;", b"<"), (b"&gt;", b">"), (b"&#64;", b"@"), (b"&#x40;", b"@"),
    )
)  # fmt: skip
#: Spaces and hyphens beyond ASCII that stand in numbers.
_SPACES = ((b"\xc2\xa0", b" "), (b"\xe2\x80\xaf", b" "), (b"\xe2\x80\x89", b" "), (b"\xe2\x80\x91", b"-"), (b"\xe2\x80\x93", b"-"))  # fmt: skip
#: What an earlier redaction left; nothing is found in it again.
_MASKED = re.compile(rb"<[A-Z][A-Z0-9_]*:[0-9a-f]{8}\x01*>")


def readable(data: bytes) -> bytes:
    """Read the escapes of JSON, of URLs and of HTML, each in its place."""
    if b"\\" in data:
        for escape, char in _BACKSLASHED:
            data = data.replace(escape, PAD + char)
        if b"\\u00" in data:
            data = _UNICODE.sub(_unescaped, data)
    if b"%" in data:
        data = _PERCENT.sub(_unescaped, data)
    if b"&" in data:
        for entity, char in _ENTITIES:
            data = data.replace(entity, char)
    if not data.isascii():
        for space, char in _SPACES:
            data = data.replace(space, PAD * (len(space) - 1) + char)
    if b"<" in data:
        data = _MASKED.sub(_blank, data)
    return data


def _unescaped(match: re.Match[bytes]) -> bytes:
    return PAD * (len(match[0]) - 1) + bytes((int(match[1], 16),))


def _blank(match: re.Match[bytes]) -> bytes:
    return b"<" + b"\x02" * (len(match[0]) - 2) + b">"
