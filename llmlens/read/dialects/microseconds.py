"""Jaeger and Zipkin JSON: spans whose times are microseconds and whose status is in their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Raw, RawEvent, RawLink, RawSpan, Value

from .otlp_json import check_times
from .values import (
    SPAN_DIGITS,
    TRACE_DIGITS,
    Notes,
    any_value,
    clip,
    dropped,
    first,
    hex_id,
    items,
    parent_id,
    status_code,
    text_of,
    time_ns,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_US = 1000


def jaeger_trace(trace: dict[str, Any], line: int) -> Iterator[Raw]:
    """Decode one trace as Jaeger's UI and API give it: `{traceID, spans, processes}`."""
    notes = Notes(line)
    known = trace["processes"] if isinstance(trace.get("processes"), dict) else {}
    processes = {key: _process(each, notes) for key, each in known.items()}
    origins: dict[tuple[Any, str, str], Origin] = {}
    for span in items(trace.get("spans"), "the list of spans", notes):
        if not isinstance(span, dict):
            yield dropped(line, "a span is not an object", span)
            continue
        tags = _tags(span.get("tags"), notes)
        scope = _scope(tags)
        key = span.get("processID")
        if isinstance(key, str) and key in processes:
            origin = origins.setdefault((key, *scope), Origin(processes[key], *scope))
        else:
            origin = Origin(_process(span.get("process"), notes), *scope)
        yield from _jaeger_span(span, tags, origin, line)
    yield from notes


def _jaeger_span(span: dict[str, Any], tags: dict[str, Value], origin: Origin, line: int) -> Iterator[Raw]:
    notes = Notes(line)
    try:
        trace_id, span_id = _id(span.get("traceID"), TRACE_DIGITS), _id(span.get("spanID"), SPAN_DIGITS)
    except ValueError as error:
        yield dropped(line, f"an id of a span is {error}", span)
        return
    parents: list[object] = []
    links: list[RawLink] = []
    for reference in items(span.get("references"), "the list of references", notes):
        if not isinstance(reference, dict):
            notes.add("repaired", "a reference is not an object", reference)
        elif reference.get("refType") == "CHILD_OF" and not parents:
            parents.append(reference.get("spanID"))
        else:
            links += _jaeger_link(reference, trace_id, notes)
    start, end = _times(span.get("startTime"), span.get("duration"), notes, span)
    code, message = _status(tags, notes)
    yield RawSpan(
        trace_id,
        span_id,
        parent_id(_padded(parents[0] if parents else first(span, "parentSpanID", "parentSpanId"), SPAN_DIGITS), notes),
        text_of(span.get("operationName")),
        start,
        end,
        code,
        message,
        tags,
        [_jaeger_event(log, notes) for log in items(span.get("logs"), "the list of logs", notes)],
        links,
        origin,
        line,
    )
    yield from notes


def _jaeger_link(reference: dict[str, Any], trace_id: str, notes: Notes) -> list[RawLink]:
    try:
        span_id = _id(reference.get("spanID"), SPAN_DIGITS)
        return [RawLink(_id(reference.get("traceID") or trace_id, TRACE_DIGITS), span_id)]
    except ValueError:
        notes.add("repaired", "a reference without the ids of a span was left out", reference)
        return []


def _jaeger_event(log: object, notes: Notes) -> RawEvent:
    if not isinstance(log, dict):
        notes.add("repaired", "an event is not an object", log)
        return RawEvent(clip(log), None, {})
    fields = _tags(log.get("fields"), notes)
    name = fields.pop("event", None) or fields.get("message")
    return RawEvent(text_of(name), time_ns(log.get("timestamp"), notes, "time of an event", _US), fields)


def _process(process: object, notes: Notes) -> dict[str, Value]:
    if not isinstance(process, dict):
        return {}
    named = {"service.name": process["serviceName"]} if isinstance(process.get("serviceName"), str) else {}
    return {**named, **_tags(process.get("tags"), notes)}


def _tags(tags: object, notes: Notes) -> dict[str, Value]:
    """Decode `[{key, type, value}]`; 64-bit integers may be texts."""
    if isinstance(tags, dict):
        return {key: any_value(value, notes) for key, value in tags.items()}
    decoded: dict[str, Value] = {}
    for tag in items(tags, "the list of tags", notes):
        if not isinstance(tag, dict):
            notes.add("repaired", "an attribute without a key was left out", tag)
            continue
        value = tag.get("value")
        kind = {"int64": "intValue", "float64": "doubleValue"}.get(text_of(tag.get("type")).lower())
        decoded[text_of(tag.get("key"))] = any_value({kind: value} if kind and value is not None else value, notes)
    return decoded


def zipkin_span(span: dict[str, Any], line: int) -> Iterator[Raw]:
    """Decode one span of a Zipkin v2 list."""
    notes = Notes(line)
    try:
        trace_id, span_id = _id(span.get("traceId"), TRACE_DIGITS), _id(span.get("id"), SPAN_DIGITS)
    except ValueError as error:
        yield dropped(line, f"an id of a span is {error}", span)
        return
    tags = _tags(span.get("tags"), notes)
    endpoint = span.get("localEndpoint")
    service = endpoint.get("serviceName") if isinstance(endpoint, dict) else None
    start, end = _times(span.get("timestamp"), span.get("duration"), notes, span)
    code, message = _status(tags, notes)
    events = items(span.get("annotations"), "the list of annotations", notes)
    yield RawSpan(
        trace_id,
        span_id,
        parent_id(_padded(span.get("parentId"), SPAN_DIGITS), notes),
        text_of(span.get("name")),
        start,
        end,
        code,
        message,
        tags,
        [
            RawEvent(text_of(event.get("value")), time_ns(event.get("timestamp"), notes, "time of an event", _US), {})
            for event in events
            if isinstance(event, dict)
        ],
        [],
        Origin({} if service is None else {"service.name": text_of(service)}, *_scope(tags)),
        line,
    )
    yield from notes


def _id(value: object, digits: int) -> str:
    return hex_id(_padded(value, digits), digits)


def _padded(value: object, digits: int) -> object:
    """Write out the leading zeros that these two leave away as a matter of course."""
    return value.zfill(digits) if isinstance(value, str) and 0 < len(value) < digits and value.isalnum() else value


def _times(start: object, duration: object, notes: Notes, span: object) -> tuple[int | None, int | None]:
    begin = time_ns(start, notes, "start", _US)
    length = any_value({"intValue": duration}, notes) if duration is not None else None
    if not isinstance(length, (int, float)) or not 0 <= length < 2**53:
        if length is not None:
            notes.add("repaired", "the duration of a span is no number of microseconds", duration)
        length = None
    end = None if begin is None or length is None else begin + round(length * _US)
    check_times(begin, end, notes, span)
    return begin, end


def _scope(tags: dict[str, Value]) -> tuple[str, str]:
    name = tags.get("otel.scope.name") or tags.get("otel.library.name")
    version = tags.get("otel.scope.version") or tags.get("otel.library.version")
    return text_of(name), text_of(version)


def _status(tags: dict[str, Value], notes: Notes) -> tuple[int, str | None]:
    """Read the status from the tags: OpenTelemetry's own, else `error`, which may be a flag or the message itself."""
    error = tags.get("error")
    failed = error not in {None, False, "false", ""} if isinstance(error, (str, bool, int, float)) else bool(error)
    code = tags.get("otel.status_code")
    message = text_of(tags.get("otel.status_description"))
    if not message and failed and isinstance(error, str) and error != "true":
        message = error
    return (status_code(code, notes) if code is not None else 2 if failed else 0), message or None
