"""Length-prefixed frames, as the collector's file exporter writes protobuf and compressed messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from .values import dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.read.raw import Problem

_ZSTD = b"\x28\xb5\x2f\xfd"


def frames(stream: BinaryIO, max_document: int, max_bytes: int) -> Iterator[tuple[int, bytes] | Problem]:
    """Yield the message of each frame (4 bytes of big-endian length, then the message), counted from 1.

    A message that is compressed by itself is unpacked, `max_bytes` in all. What comes after a frame that is torn or
    too long cannot be found again, so it ends there.
    """
    number = unpacked = 0
    while head := stream.read(4):
        number += 1
        size = int.from_bytes(head, "big")
        if size > max_document:
            yield dropped(number, f"a frame claims {size:,} bytes: it and what follows was not read")
            return
        message = stream.read(size) if len(head) == 4 else b""
        if len(head) < 4 or len(message) < size:
            yield dropped(number, "the last frame is torn: its end is missing", (head + message)[:16].hex(" "))
            return
        if message.startswith(_ZSTD):
            plain = _unpacked(message, min(max_document, max_bytes - unpacked))
            if isinstance(plain, str):
                yield dropped(number, plain, message[:16].hex(" "))
                continue
            message = plain
            unpacked += len(message)
        yield number, message


def _unpacked(message: bytes, limit: int) -> bytes | str:
    """Unpack one message, or say what is wrong with it."""
    import zstandard

    reader = zstandard.ZstdDecompressor().stream_reader(message, read_across_frames=True)
    try:
        plain: bytes = reader.read(limit + 1)
    except zstandard.ZstdError as error:
        return f"a compressed frame is broken ({error})"
    if len(plain) > limit:
        return f"a compressed frame unpacks to more than {limit:,} bytes"
    return plain
