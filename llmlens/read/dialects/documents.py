"""Cut a stream of bytes into JSON documents: one a line, one over many lines, or many over many lines each."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from llmlens.read.raw import Problem

from .values import Notes, clip, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that one JSON document may have.
MAX_DOCUMENT = 2 << 30

# A string, closed or (then without the last quote) running to the end: it never fails, so it is linear on torn text.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_MANY = 1000
_FIRST_KEY = re.compile(rb'\s*\{\s*"([^"\\]*)"')
_BLANK = re.compile(r"[\s,\x1e]*")
_SURROGATE = re.compile(
    rb"(\\\\)|(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def documents(stream: BinaryIO, max_document: int = MAX_DOCUMENT) -> Iterator[tuple[int, Any] | Problem]:
    """Yield each JSON document with the line it begins at, and a `Problem` for each stretch that is none.

    Memory is bounded by the longest document; one of more than `max_document` bytes is skipped.
    """
    loads = orjson.loads
    begun = _Begun()
    number = blank = 0
    while line := stream.readline(max_document):
        number += 1
        if not begun.data:
            try:
                value = loads(line)
            except orjson.JSONDecodeError:
                pass
            else:
                yield number, value
                value = None  # two documents at once cost cache and memory
                continue
        if len(line) == max_document and not line.endswith(b"\n"):
            while (rest := stream.readline(1 << 20)) and not rest.endswith(b"\n"):
                pass
            yield from begun.end()
            yield dropped(number, f"a line of more than {max_document:,} bytes", line)
            continue
        blank = blank + 1 if line.isspace() else 0
        if blank > _MANY:
            number += _skip_blank(stream)
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # a byte order mark is no part of the text
        if len(begun.data) + len(line) > max_document:
            yield from begun.end()
        yield from begun.add(number, line)
    yield from begun.end()


def _skip_blank(stream: BinaryIO) -> int:
    """Pass over blank lines a buffer at a time (a bomb may hold billions); gives their number."""
    lines = 0
    while isinstance(stream, io.BufferedReader) and (ahead := stream.peek(1)):
        blank = len(ahead) - len(ahead.lstrip(b"\r\n"))
        lines += stream.read(blank).count(b"\n")
        if blank < len(ahead):
            break
    return lines


class _Begun:
    """A document that began on an earlier line and is not complete yet."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.line = self.depth = 0
        self.indented: bool | None = None  # not known before the second line

    def add(self, number: int, line: bytes) -> Iterator[tuple[int, Any] | Problem]:
        """Take one more line; yields what it completes."""
        inner = line[:1] in {b" ", b"\t"}
        if self.data:
            if self.indented is None:
                self.indented = inner
            # Within an indented document, only lines at the margin can close what lines at the margin opened.
            if inner and self.indented:
                self.data += line
                return
            if self._is_followed_by(line):
                yield from self.end()
        if not self.data:
            if line.isspace():
                return
            depth, whole = _depth(line)
            if depth <= 0 or not whole or not _is_prefix(line):
                yield from _parse(number, line)
                return
            self.line, self.depth, self.indented = number, depth, None
            self.data += line
            return
        self.data += line
        self.depth += _depth(line)[0]
        if self.depth <= 0:
            yield from self.end()

    def _is_followed_by(self, line: bytes) -> bool:
        """Whether this line begins another document, so that what is held is all there is of this one."""
        if line[:1] != b"{" or self.data[:1] != b"{":
            return False
        if self.indented or self.data[-8:].rstrip().endswith(b"{"):  # no object stands right in an object
            return True
        mine, key = _FIRST_KEY.match(self.data), _FIRST_KEY.match(line)
        return mine is not None and key is not None and mine[1] == key[1] and _whole(line) is not None

    def end(self) -> Iterator[tuple[int, Any] | Problem]:
        """Read what is held. When it is torn, it is a problem, but the whole items of a list are read."""
        data, self.data = bytes(self.data), bytearray()
        if not data:
            return
        if self.depth <= 0:
            yield from _parse(self.line, data)
            return
        if whole := _whole(data):
            yield self.line, whole[0]
            return
        yield dropped(self.line, "a JSON document is torn: its end is missing", data)
        if data[:1] == b"[":
            for number, line in enumerate(io.BytesIO(data), self.line):
                if item := _whole(line.strip().lstrip(b"[").rstrip(b",")):
                    yield number, item[0]


def _whole(data: bytes) -> tuple[Any] | None:
    """Read one plain document, if it is one."""
    try:
        return (orjson.loads(data),)
    except orjson.JSONDecodeError:
        return None


def _is_prefix(line: bytes) -> bool:
    """Whether a document can begin with this line: the first thing wrong with it is that it ends."""
    text = line.decode("utf-8", "replace").strip()
    try:
        _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        return text[:1] in {"{", "["} and error.pos >= len(text) - 1
    except RecursionError:
        return False
    return False


def _depth(line: bytes) -> tuple[int, bool]:
    """How many brackets a line leaves open, and whether it ends outside a string."""
    bare, strings = _STRING.subn(rb"\1", line)
    depth = bare.count(b"{") + bare.count(b"[") - bare.count(b"}") - bare.count(b"]")
    return depth, bare.count(b'"') == strings


def _parse(line: int, data: bytes) -> Iterator[tuple[int, Any] | Problem]:
    """Read what stands in `data`, which `orjson` may refuse: NaN, lone surrogates, bad UTF-8, several in a row."""
    if whole := _whole(data):
        yield line, whole[0]
        return
    notes = Notes(line)
    text = _text(data, notes)
    at, end, found = _BLANK.match(text).end(), len(text), False  # type: ignore[union-attr]
    while at < end:
        try:
            value, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            deep = isinstance(error, RecursionError)
            reason = "JSON nested too deeply" if deep else "not JSON" + (" after the first document" if found else "")
            yield dropped(line, _torn(text, at) or reason, text[at : at + 200])
            break
        found = True
        yield line, value
        at = _BLANK.match(text, at).end()  # type: ignore[union-attr]
    if found:
        yield from notes


def _torn(text: str, at: int) -> str | None:
    if text[at] not in "{[" or text.rstrip()[-1] in "}]":
        return None
    return "a JSON document is torn: its end is missing"


_DECODER = json.JSONDecoder()


def _text(data: bytes, notes: Notes) -> str:
    """Decode UTF-8 with the lone surrogates and the bytes that are none replaced."""
    replaced = 0

    def whole(match: re.Match[bytes]) -> bytes:
        nonlocal replaced
        if match[1] or match[2]:
            return match[0]
        replaced += 1
        return b"\\ufffd"

    data = _SURROGATE.sub(whole, data)
    if replaced:
        notes.append(Problem(notes.line, "lone surrogates were replaced", clip(data), action="repaired"))
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        notes.add("repaired", "bytes that are not UTF-8 were replaced", data[max(0, error.start - 50) :][:200])
        return data.decode("utf-8", "replace")
