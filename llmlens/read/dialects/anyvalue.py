"""Attributes in OTLP's protobuf encoding -> plain Python, about as fast as Python can make the texts.

Two observations carry the speed. Most attributes are short and repeat from span to span: those are decoded once and
remembered by their bytes. The rest are mostly long texts, encoded in the one way every encoder uses: the bytes between
key and text then follow from their number, and comparing them replaces parsing them.
"""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING, TypeVar

from llmlens.read.dialects.values import MAX_DEPTH, Notes, finite
from llmlens.read.dialects.wire import AnyValue, DecodeError, Items, KeyValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmlens.read.raw import Value

_T = TypeVar("_T")

_unpack_double = struct.Struct("<d").unpack_from

#: Bytes of an encoded attribute up to which it is worth remembering, and how many are remembered at most.
_SHORT, _REMEMBERED = 48, 1 << 15

#: Encoded attribute -> key and value; lists apart, as each span gets its own.
_pairs: dict[bytes, tuple[str, Value]] = {}
_lists: dict[bytes, tuple[str, tuple[Value, ...]]] = {}


class _Keys(dict[bytes, str]):
    """Encoded key (tag, length, UTF-8) -> key; raises ValueError for what is not one."""

    def __missing__(self, encoded: bytes) -> str:
        if encoded[0] != 0x0A or encoded[1] > 0x7F or len(encoded) != encoded[1] + 2:
            raise ValueError("not the usual encoding of a key")
        key = encoded[2:].decode()
        _remember(self, encoded, key)
        return key


class _Headers(dict[int, "bytes | tuple[()]"]):
    """Number of bytes after the key -> those that stand before the text; `()`, which starts nothing, if none do."""

    def __missing__(self, size: int) -> bytes | tuple[()]:
        header: bytes | tuple[()] = ()
        for length in range(4, 13):
            text = _field(0x0A, size - length)
            candidate = _field(0x12, len(text) + size - length) + text
            if len(candidate) == length <= size:
                header = candidate
        if size < _REMEMBERED:
            self[size] = header
        return header


def _field(tag: int, size: int) -> bytes:
    """Encode the tag and the size of a length-delimited field."""
    encoded = bytearray([tag])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(max(size, 0))
    return bytes(encoded)


_keys, _headers = _Keys(), _Headers()


def attributes(encoded: Iterable[bytes], notes: Notes) -> dict[str, Value]:
    """Decode a list of serialized KeyValue messages; of a key that is there twice, the last one wins.

    An attribute that cannot be decoded is left out, an invalid UTF-8 text repaired; both are added to `notes`.
    """
    decoded: dict[str, Value] = {}
    known = _pairs.get
    for pair in encoded:
        if len(pair) < _SHORT and (found := known(pair)) is not None:
            decoded[found[0]] = found[1]
            continue
        try:
            end = pair[1] + 2
            header = _headers[len(pair) - end]
            start = end + len(header)
            if pair[end:start] == header:
                key = _keys[pair[:end]]
                decoded[key] = value = pair[start:].decode()
                if len(pair) < _SHORT:
                    _remember(_pairs, pair, (key, value))
                continue
        except (IndexError, ValueError):  # no key, an unusual one, or invalid UTF-8
            pass
        _other(pair, decoded, notes)
    return decoded


def _other(pair: bytes, decoded: dict[str, Value], notes: Notes) -> None:
    """Decode into `decoded` what is no text in its usual encoding; remember what is sound and may come again."""
    if (listed := _lists.get(pair)) is not None:
        decoded[listed[0]] = list(listed[1])
        return
    noted = len(notes)
    found = _key_and_value(pair, notes)
    if found is None:
        return
    key, value = found
    decoded[key] = value
    if len(notes) > noted:
        return
    if isinstance(value, list):
        if len(pair) < 4 * _SHORT and not any(isinstance(item, (list, dict)) for item in value):
            _remember(_lists, pair, (key, tuple(value)))
    elif len(pair) < _SHORT and not isinstance(value, (float, dict)):
        _remember(_pairs, pair, (key, value))


def _remember(memory: dict[bytes, _T], encoded: bytes, decoded: _T) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[encoded] = decoded


def _key_and_value(pair: bytes, notes: Notes, depth: int = 0) -> tuple[str, Value] | None:
    """Decode any serialized KeyValue; None if it cannot be, which is noted."""
    try:
        key, encoded = _split(pair, notes)
        return key, any_value(encoded, notes, depth)
    except DecodeError:
        notes.add("repaired", "an attribute that is not valid protobuf was left out", pair)
        return None


def _split(pair: bytes, notes: Notes) -> tuple[str, bytes]:
    """Split a KeyValue into its key and the serialized value; the usual encoding of a short one without protobuf."""
    try:
        end = pair[1] + 2
        if pair[end] == 0x12 and pair[end + 1] == len(pair) - end - 2 < 0x80:
            return _keys[pair[:end]], pair[end + 2 :]
    except (IndexError, ValueError):
        pass
    message = KeyValue.FromString(pair)
    return text(message.key, notes), message.value


def any_value(encoded: bytes, notes: Notes, depth: int = 0) -> Value:
    """Decode a serialized AnyValue: an empty one is None, bytes become base64; raises `DecodeError`."""
    if len(encoded) == 9 and encoded[0] == 0x21:
        return finite(_unpack_double(encoded, 1)[0], notes)
    message = AnyValue.FromString(encoded)
    kind = message.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(message, kind)
    if kind == "string":
        return text(value, notes)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "double":
        return finite(value, notes)
    if kind not in {"array", "kvlist"}:
        return value  # type: ignore[no-any-return]
    if depth >= MAX_DEPTH:
        notes.add("repaired", f"an attribute nested deeper than {MAX_DEPTH} levels was cut")
        return f"(nested deeper than {MAX_DEPTH} levels)"
    items = Items.FromString(value).values
    if kind == "array":
        return [any_value(item, notes, depth + 1) for item in items]
    members: dict[str, Value] = {}
    for item in items:
        if (found := _key_and_value(item, notes, depth + 1)) is not None:
            members[found[0]] = found[1]
    return members


def text(encoded: bytes, notes: Notes) -> str:
    """Decode UTF-8; what is invalid becomes U+FFFD and is noted."""
    try:
        return encoded.decode()
    except UnicodeDecodeError:
        notes.add("repaired", "a text that is not valid UTF-8 was repaired", encoded)
        return encoded.decode(errors="replace")
