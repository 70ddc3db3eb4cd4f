"""Serialized OTLP messages -> raw spans and log records.

One message is a `TracesData` or `LogsData`, which is also the layout of an export request. Nothing here raises: what
cannot be taken is a `Problem`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.dialects.anyvalue import any_value, attributes, text
from llmlens.read.dialects.values import LATEST_NS, SPAN_DIGITS, TRACE_DIGITS, Notes, dropped, hex_id, parent_id
from llmlens.read.dialects.wire import DecodeError, LogsData, Status, TracesData
from llmlens.read.raw import Origin, Problem, Raw, RawEvent, RawLink, RawLog, RawSpan, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

_INVALID = "not a valid OTLP protobuf message"

#: Encoded statuses that nearly all spans have: absent, unset, ok, error.
_STATUSES: dict[bytes, tuple[int, str | None]] = {
    b"": (0, None),
    b"\x18\x00": (0, None),
    b"\x18\x01": (1, None),
    b"\x18\x02": (2, None),
}


def decode_traces(data: bytes, line: int) -> Iterator[RawSpan | Problem]:
    """Decode a serialized TracesData or ExportTraceServiceRequest; `line` is the number of its frame, from 1."""
    message = _parse(TracesData, data, line)
    if isinstance(message, Problem):
        yield message
    else:
        yield from _spans(message, line)


def decode_logs(data: bytes, line: int) -> Iterator[RawLog | Problem]:
    """Decode a serialized LogsData or ExportLogsServiceRequest; a record outside any span is a `Problem`."""
    message = _parse(LogsData, data, line)
    if isinstance(message, Problem):
        yield message
    else:
        yield from _logs(message, line)


def decode_export_request(data: bytes, line: int) -> Iterator[Raw]:
    """Decode a message of either kind, told apart by what only one of them can have in its fields.

    Spans and log records stand at the same place, but have a time and ids in different fields.
    """
    message = _parse(TracesData, data, line)
    if isinstance(message, Problem):
        yield message
    elif any(_is_span(record) for record in _records(message)):
        yield from _spans(message, line)
    elif not isinstance(logs := _parse(LogsData, data, line), Problem) and any(map(_is_log, _records(logs))):
        yield from _logs(logs, line)
    elif count := sum(1 for _ in _records(message)):
        reason = f"{_INVALID}: holds neither spans nor log records (metrics?)"
        yield Problem(line, reason, _hex(data), count)


def _parse(kind: Any, data: bytes, line: int) -> Any:
    try:
        message = kind.FromString(data)
    except DecodeError as error:
        return Problem(line, f"{_INVALID} ({error})", _hex(data))
    if data and not message.resources:
        return Problem(line, f"{_INVALID}: holds neither spans nor log records", _hex(data))
    return message


def _hex(data: bytes) -> str:
    return data[:32].hex(" ")


def _records(message: Any) -> Iterator[Any]:
    for resource in message.resources:
        for scope in resource.scopes:
            yield from scope.records


def _is_span(span: Any) -> bool:
    return bool(span.start_ns or span.end_ns) or (len(span.trace_id) == 16 and len(span.span_id) == 8)


def _is_log(record: Any) -> bool:
    return bool(record.time_ns or record.observed_ns) or (len(record.trace_id) == 16 and len(record.span_id) == 8)


def _batches(message: Any, notes: Notes) -> Iterator[tuple[Any, Origin]]:
    """Give the records of each scope with their origin."""
    for resource in message.resources:
        shared = attributes(resource.resource.attributes, notes)
        for batch in resource.scopes:
            scope = batch.scope
            name, version = text(scope.name, notes), text(scope.version, notes)
            yield batch.records, Origin(shared, name, version, attributes(scope.attributes, notes))


def _spans(message: Any, line: int) -> Iterator[RawSpan | Problem]:
    notes = Notes(line)
    for records, origin in _batches(message, notes):
        for span in records:
            try:
                trace_id = _id(span.trace_id, TRACE_DIGITS, notes)
                span_id = _id(span.span_id, SPAN_DIGITS, notes)
            except ValueError as error:
                yield dropped(line, f"a span whose id is {error}", _example(span))
            else:
                status, status_message = _STATUSES.get(span.status) or _status(span.status, notes)
                yield RawSpan(
                    trace_id,
                    span_id,
                    _parent(span.parent_id, notes),
                    text(span.name, notes),
                    _time(span.start_ns, notes),
                    _time(span.end_ns, notes),
                    status,
                    status_message,
                    attributes(span.attributes[:], notes),
                    _events(span.events, notes),
                    _links(span.links, notes),
                    origin,
                    line,
                )
            if notes:
                yield from notes
                notes.clear()
    yield from notes


def _logs(message: Any, line: int) -> Iterator[RawLog | Problem]:
    notes = Notes(line)
    for records, _ in _batches(message, notes):
        for record in records:
            try:
                trace_id = _id(record.trace_id, TRACE_DIGITS, notes)
                span_id = _id(record.span_id, SPAN_DIGITS, notes)
            except ValueError as error:
                yield dropped(line, f"a log record outside any span: an id is {error}", _example(record))
            else:
                decoded = attributes(record.attributes, notes)
                yield RawLog(
                    trace_id,
                    span_id,
                    text(record.name, notes),
                    _time(record.time_ns or record.observed_ns, notes),
                    decoded,
                    _body(record.body, notes),
                    line,
                )
            if notes:
                yield from notes
                notes.clear()
    yield from notes


def _body(encoded: bytes, notes: Notes) -> Value:
    try:
        return any_value(encoded, notes)
    except DecodeError:
        notes.add("repaired", "the body of a log record is not valid protobuf and was left out", encoded)
        return None


def _id(value: bytes, digits: int, notes: Notes) -> str:
    """Give an id as hex; raises `ValueError` for one that identifies nothing."""
    if len(value) * 2 == digits and value.strip(b"\0"):
        return value.hex()
    return hex_id(value.hex(), digits, notes)


def _parent(value: bytes, notes: Notes) -> str | None:
    if not value:
        return None
    return value.hex() if len(value) == 8 and value.strip(b"\0") else parent_id(value.hex(), notes)


def _time(ns: int, notes: Notes) -> int | None:
    if ns > LATEST_NS:
        notes.add("repaired", "a time is out of range", str(ns))
        return None
    return ns or None


def _status(encoded: bytes, notes: Notes) -> tuple[int, str | None]:
    try:
        status = Status.FromString(encoded)
    except DecodeError:
        notes.add("repaired", "a status that is not valid protobuf became unset", encoded)
        return 0, None
    if status.code not in {0, 1, 2}:
        notes.add("repaired", "an unknown status code became unset", str(status.code))
        return 0, text(status.message, notes) or None
    return status.code, text(status.message, notes) or None


def _events(events: Any, notes: Notes) -> list[RawEvent]:
    if not events:
        return []
    return [RawEvent(text(e.name, notes), _time(e.time_ns, notes), attributes(e.attributes, notes)) for e in events]


def _links(links: Any, notes: Notes) -> list[RawLink]:
    decoded: list[RawLink] = []
    for link in links or ():
        try:
            trace_id, span_id = _id(link.trace_id, TRACE_DIGITS, notes), _id(link.span_id, SPAN_DIGITS, notes)
        except ValueError as error:
            notes.add("repaired", f"a link whose id is {error} was left out", _example(link))
        else:
            decoded.append(RawLink(trace_id, span_id, attributes(link.attributes, notes)))
    return decoded


def _example(record: Any) -> str:
    ids = f"trace_id={record.trace_id[:32].hex()!r} span_id={record.span_id[:32].hex()!r}"
    name = getattr(record, "name", b"").decode(errors="replace")
    return f"{ids} name={name!r}" if name else ids
