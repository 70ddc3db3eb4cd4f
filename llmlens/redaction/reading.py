r"""Texts to be searched: escapes are read in place, so that `\nbob@x.org` of a JSON text is an address after a line.

The escape becomes pads and the character it stands for, of the same length, so that a place in what is searched is the
same place in the text, and nothing found begins or ends within an escape.
"""

from __future__ import annotations

import re

import numpy as np

from .pattern import PAD

_BACKSLASH, _NEWLINE, _UNICODE_ESCAPE = ord("\\"), ord("\n"), ord("u")
#: Letters that stand for white space after a backslash.
_WHITE = np.zeros(256, np.bool_)
_WHITE[list(b"nrt")] = True
_UNICODE = re.compile(rb"\x01u([0-9a-fA-F]{4})")
_PERCENT = re.compile(rb"%([2-7][0-9a-fA-F])")
_ENTITY = re.compile(rb"&(?:quot|amp|lt|gt|apos|#34|#39|#64|#x27|#x40);")
_ENTITIES = {
    b"&quot;": b'"', b"&#34;": b'"', b"&#39;": b"'", b"&#x27;": b"'", b"&apos;": b"'", b"&amp;": b"&", b"&lt;": b"<",
    b"&gt;": b">", b"&#64;": b"@", b"&#x40;": b"@",
}  # fmt: skip
#: Spaces and hyphens beyond ASCII that stand in numbers.
_SPACES = (("\u00a0", b" "), ("\u202f", b" "), ("\u2009", b" "), ("\u2011", b"-"), ("\u2013", b"-"))
#: What an earlier redaction left; nothing is found in it again.
_MASKED = re.compile(rb"<[A-Z][A-Z0-9_]*:[0-9a-f]{8}\x01*>")


def escaped_forms(text: str) -> list[bytes]:
    """Give how a text beyond ASCII is read: as it is, and where JSON, or JSON within JSON, wrote it in escapes."""
    forms = {
        b"".join(c.encode() if c.isascii() else PAD * (pads - len(c.encode())) + c.encode() for c in text)
        for pads in (0, 6, 7)
    }
    return sorted(forms)


def readable(data: bytes) -> bytes:
    """Read the escapes of JSON, of URLs and of HTML, each in its place."""
    if b"\\" in data:
        data = _without_backslashes(data)
    if b"%" in data:
        data = _PERCENT.sub(_unescaped, data)
    if b"&" in data:
        data = _ENTITY.sub(_character, data)
    if not data.isascii():
        for space, char in _SPACES:
            encoded = space.encode()
            data = data.replace(encoded, PAD * (len(encoded) - 1) + char)
    if b"<" in data:
        data = _MASKED.sub(_blank, data)
    return data


def _without_backslashes(data: bytes) -> bytes:
    """Make every backslash a pad; after it n, r and t are white space, and u with four digits is a character."""
    codes = np.frombuffer(bytearray(data), np.uint8)
    slashes = np.flatnonzero(codes == _BACKSLASH)
    codes[slashes] = PAD[0]
    after = slashes[slashes + 1 < len(codes)] + 1
    letters = codes[after]
    codes[after[_WHITE[letters]]] = _NEWLINE
    read = codes.tobytes()
    return _UNICODE.sub(_decoded, read) if (letters == _UNICODE_ESCAPE).any() else read


def _decoded(match: re.Match[bytes]) -> bytes:
    char = chr(int(match[1], 16)).encode("utf-8", "surrogatepass")
    return PAD * (len(match[0]) - len(char)) + char


def _character(match: re.Match[bytes]) -> bytes:
    return PAD * (len(match[0]) - 1) + _ENTITIES[match[0]]


def _unescaped(match: re.Match[bytes]) -> bytes:
    return PAD * (len(match[0]) - 1) + bytes((int(match[1], 16),))


def _blank(match: re.Match[bytes]) -> bytes:
    return b"<" + b"\x02" * (len(match[0]) - 2) + b">"
