"""Say from the first bytes of a file, never from its name, what it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable


class Format(StrEnum):
    """What a file holds."""

    OTLP = "otlp"
    TEMPO = "tempo"
    JAEGER = "jaeger"
    ZIPKIN = "zipkin"
    PHOENIX = "phoenix"
    MLFLOW = "mlflow"
    CONSOLE = "console"
    LANGFUSE = "langfuse"
    LANGSMITH = "langsmith"
    RECORDS = "records"
    PROTOBUF = "protobuf"
    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"
    EMPTY = "empty"
    TEXT = "text"
    BINARY = "binary"


class Layout(StrEnum):
    """How JSON or protobuf messages lie in a file."""

    LINES = "lines"  # one JSON document a line
    PRETTY = "pretty"  # one JSON object over many lines, or several after each other
    ARRAY = "array"  # one JSON list
    FRAMES = "frames"  # big-endian lengths, each followed by a message
    MESSAGE = "message"  # one protobuf message
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What a file holds, and how."""

    format: Format
    layout: Layout = Layout.NONE

    @property
    def is_trace(self) -> bool:
        """Whether `dialects.decode` reads it; JSON of an unknown kind may still turn out not to be a trace."""
        return self.format in _TRACES

    @property
    def is_collector(self) -> bool:
        """Whether it is NDJSON as the OpenTelemetry collector writes it."""
        return self.format is Format.OTLP and self.layout is Layout.LINES


_TRACES = {
    Format.OTLP, Format.TEMPO, Format.JAEGER, Format.ZIPKIN, Format.PHOENIX, Format.MLFLOW, Format.CONSOLE,
    Format.PROTOBUF, Format.JSON,
}  # fmt: skip

# What flat records of model calls are likely to have, one of these at least.
_CALL_KEYS = frozenset({
    "model", "prompt", "completion", "messages", "input", "output", "inputs", "outputs", "question", "answer", "query",
    "response", "request",
})  # fmt: skip

_KEYS_AT = 64 << 10
_WHITE = b" \t\r\n\xef\xbb\xbf"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1d\x7f]")
# A string may lack its last quote, where the head ends: a match that cannot fail is linear.
_TOKEN = re.compile(rb'"([^"\\]*+(?:\\.[^"\\]*+)*+)"?(\s*:)?|[\[\]{}]', re.DOTALL)
_MAGIC = ((b"PAR1", Format.PARQUET),)

# What tells the dialects apart: keys that stand together near the top, the surest first.
_SIGNS: tuple[tuple[Format, frozenset[str]], ...] = tuple(
    (format_, frozenset(keys.split()))
    for format_, keys in (
        (Format.TEMPO, "trace resourceSpans"),
        (Format.TEMPO, "trace batches"),
        (Format.TEMPO, "batches"),
        (Format.OTLP, "resourceSpans"),
        (Format.OTLP, "resource_spans"),
        (Format.OTLP, "resourceLogs"),
        (Format.OTLP, "resource_logs"),
        (Format.OTLP, "resourceMetrics"),
        (Format.OTLP, "resource_metrics"),
        (Format.JAEGER, "traceID spanID"),
        (Format.JAEGER, "traceID spans"),
        (Format.MLFLOW, "info data"),
        (Format.MLFLOW, "info trace_metadata"),
        (Format.MLFLOW, "info request_time"),
        (Format.PHOENIX, "context span_kind"),
        (Format.CONSOLE, "context parent_id"),
        (Format.CONSOLE, "context trace_id"),
        (Format.PHOENIX, "data trace_id span_id"),
        (Format.LANGSMITH, "run_type dotted_order"),
        (Format.LANGSMITH, "run_type parent_run_id"),
        (Format.LANGFUSE, "trace projectId"),
        (Format.LANGFUSE, "projectId bookmarked"),
        (Format.LANGFUSE, "traceId parentObservationId"),
        (Format.LANGFUSE, "trace_id parent_observation_id"),
        (Format.LANGFUSE, "timestamp bookmarked sessionId"),
        (Format.LANGFUSE, "timestamp bookmarked session_id"),
        (Format.LANGFUSE, "observationId dataType value"),
        (Format.LANGFUSE, "observation_id data_type value"),
        (Format.LANGFUSE, "subject dataType value"),
        (Format.LANGFUSE, "objectType objectId content"),
        (Format.LANGFUSE, "userIds countTraces"),
        (Format.LANGFUSE, "exportSource files window"),
        (Format.ZIPKIN, "traceId id localEndpoint"),
        (Format.ZIPKIN, "traceId id timestamp duration"),
        (Format.OTLP, "traceId spanId"),
        (Format.OTLP, "trace_id span_id start_time_unix_nano"),
    )
)


def sniff(head: bytes) -> Sniffed:
    """Tell what a file holds from its first bytes (64 kB are plenty, a few lines will do).

    >>> sniff(b'{"resourceSpans": []}')
    Sniffed(format=<Format.OTLP: 'otlp'>, layout=<Layout.LINES: 'lines'>)
    """
    text = head.lstrip(_WHITE)
    if not text:
        return Sniffed(Format.EMPTY)
    for magic, format_ in _MAGIC:
        if head.startswith(magic):
            return Sniffed(format_)
    if _CONTROL.search(text[:64]):
        return _binary(head)
    if text[:1] in {b"{", b"["}:
        return Sniffed(_json_format(text), _json_layout(text))
    lines = text.splitlines()
    if len(lines) == 1 and len(text) >= _KEYS_AT:  # the rest of a long line that was cut before it
        return Sniffed(Format.JSON, Layout.LINES)
    if any(line.startswith((b'{"', b"[{")) or line.rstrip() in {b"{", b"["} for line in lines):
        start = re.search(rb"(?m)^[\[{]", text)
        if start is not None and not (_is_table(lines) and b" " not in lines[0].strip()):
            return Sniffed(_json_format(text[start.start() :]), _json_layout(text[start.start() :]))
    if not _is_table(lines):
        return Sniffed(Format.TEXT)
    names = (name.strip(b'" ').decode("utf-8", "replace") for name in lines[0].split(b","))
    return Sniffed(Format.LANGFUSE if is_langfuse(names) else Format.CSV)


def is_langfuse(columns: Iterable[str]) -> bool:
    """Whether a table with these columns is an export of Langfuse's."""
    names = set(columns)
    return any(sign <= names for format_, sign in _SIGNS if format_ is Format.LANGFUSE)


def _is_table(lines: list[bytes]) -> bool:
    """Whether the first line looks like the header of a CSV: several short names."""
    for separator in (b",", b";", b"\t"):
        names = lines[0].split(separator)
        if len(names) > 1 and all(0 < len(name.strip()) <= 100 and b"{" not in name for name in names):
            return True
    return False


def _json_layout(text: bytes) -> Layout:
    line, newline, _ = text.partition(b"\n")
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        if text[:1] == b"[":
            return Layout.ARRAY
        torn = len(line.split(b'"')) > 3 and line.strip()[-1:] not in {b"{", b"[", b","}
        return Layout.LINES if torn or not newline else Layout.PRETTY
    return Layout.ARRAY if isinstance(document, list) and not text[len(line) :].strip() else Layout.LINES


def _json_format(text: bytes) -> Format:
    """Look at the keys of the outermost four levels, texts and deeper levels left out."""
    keys, depth = set(), 0
    for token in _TOKEN.finditer(text, 0, _KEYS_AT):
        if token[1] is None:
            depth += 1 if token[0] in {b"{", b"["} else -1
            if depth <= 0:
                break
        elif token[2] is not None and depth <= 5:
            keys.add(token[1].decode("utf-8", "replace"))
    for format_, sign in _SIGNS:
        if sign <= keys:
            return format_
    return Format.RECORDS if keys & _CALL_KEYS else Format.JSON


def _binary(head: bytes) -> Sniffed:
    """Tell frames from one protobuf message from junk."""
    size = int.from_bytes(head[:4], "big")
    inner = head[4:8]
    if inner[:4] == b"\x28\xb5\x2f\xfd" or inner[:1] == b"{":
        return Sniffed(Format.OTLP if inner[:1] == b"{" else Format.PROTOBUF, Layout.FRAMES)
    if inner[:1] == b"\n" and _is_message(head[4 : 4 + size], whole=len(head) >= 4 + size):
        return Sniffed(Format.PROTOBUF, Layout.FRAMES)
    if _is_message(head, whole=False):
        return Sniffed(Format.PROTOBUF, Layout.MESSAGE)
    return Sniffed(Format.BINARY)


def _is_message(data: bytes, *, whole: bool) -> bool:
    """Whether these bytes begin with field 1 of a message (a list of resources), and go on with another or end."""
    if data[:1] != b"\n":
        return False
    length = shift = 0
    for at in range(1, min(len(data), 7)):
        length |= (data[at] & 0x7F) << shift
        shift += 7
        if data[at] < 0x80:
            start, end = at + 1, at + 1 + length
            if whole and end > len(data):
                return False
            return data[start : start + 1] in {b"\n", b"\x12", b"\x1a", b""} and data[end : end + 1] in {b"\n", b""}
    return False
