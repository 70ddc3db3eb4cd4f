"""Any spelling of a span -> raw spans: OTLP JSON and protobuf, Tempo, Jaeger, Zipkin, Phoenix, MLflow, SDK consoles."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from llmlens.read import sniff
from llmlens.read.files import MAX_UNPACKED
from llmlens.read.raw import Problem, Raw

from .documents import MAX_DOCUMENT, documents
from .frames import frames
from .otlp_json import Tally
from .shapes import read_document
from .values import clip, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["decode", "decode_document"]

_HEAD = 1 << 18
#: Lines in a row that are not JSON after which the rest is taken for more of the same.
_MAX_JUNK = 100_000

_NOT_TRACES = {
    sniff.Format.CSV: "not a trace file: it looks like a CSV (read it with read_csv)",
    sniff.Format.PARQUET: "not a trace file: it is Parquet (read it with read_parquet)",
    sniff.Format.TEXT: "not a trace file: it is text, but not JSON",
    sniff.Format.BINARY: "not a trace file: it is neither JSON nor OTLP protobuf",
}


def decode(
    stream: BinaryIO, source_name: str = "", *, max_document: int = MAX_DOCUMENT, max_bytes: int = MAX_UNPACKED
) -> Iterator[Raw]:
    """Decode a stream of (unpacked) bytes in whatever dialect it is; never raises for what is in it.

    Every span that is met gives a `RawSpan` or a `Problem` with action "dropped"; `line` counts lines or frames from 1.
    One JSON document or frame may have `max_document` bytes; frames that are compressed by themselves may unpack to
    `max_bytes` in all. `source_name` is for the example of a file that cannot be read at all.
    """
    buffered = cast("io.BufferedReader", stream if hasattr(stream, "peek") else io.BufferedReader(stream, _HEAD))
    tally = Tally()
    found = sniff.sniff(buffered.peek(_HEAD))
    if found.format in _NOT_TRACES:
        head = buffered.peek(_HEAD)[:200]
        yield dropped(None, _NOT_TRACES[found.format], source_name if b"\0" in head else head)
    else:
        yield from _messages(buffered, found.layout, tally, max_document, max_bytes)
    yield from tally
    yield from getattr(stream, "problems", ())


def decode_document(document: Any, line: int = 1) -> Iterator[Raw]:
    """Decode one JSON document that is already parsed."""
    tally = Tally()
    yield from read_document(document, line, tally)
    yield from tally


def _messages(
    stream: io.BufferedReader, layout: sniff.Layout, tally: Tally, max_document: int, max_bytes: int
) -> Iterator[Raw]:
    if layout is sniff.Layout.FRAMES:
        for frame in frames(stream, max_document, max_bytes):
            if isinstance(frame, Problem):
                yield frame
            else:
                yield from _message(frame[1], frame[0], tally)
    elif layout is sniff.Layout.MESSAGE:
        message = stream.read(max_document + 1)
        if len(message) > max_document:
            yield dropped(1, f"a protobuf message of more than {max_document:,} bytes", clip(message[:16].hex(" ")))
        else:
            yield from _message(message, 1, tally)
    else:
        yield from _documents(stream, tally, max_document)


def _message(message: bytes, number: int, tally: Tally) -> Iterator[Raw]:
    """Decode one message of frames: JSON or protobuf."""
    if message[:1] == b"{" or not message.strip():
        for raw in _documents(io.BytesIO(message), tally, len(message) + 1):
            if hasattr(raw, "line"):
                raw.line = number
            yield raw
    else:
        from llmlens.read.dialects.protobuf import decode_export_request

        yield from decode_export_request(message, number)


def _documents(stream: BinaryIO, tally: Tally, max_document: int) -> Iterator[Raw]:
    junk = 0
    for found in documents(stream, max_document):
        if isinstance(found, Problem):
            junk += found.action == "dropped"
            yield found
            if junk >= _MAX_JUNK:
                yield dropped(found.line, f"reading ended: {_MAX_JUNK:,} lines in a row are not JSON", found.example)
                return
            continue
        junk = 0
        line, document = found
        del found
        yield from read_document(document, line, tally)
        del document
