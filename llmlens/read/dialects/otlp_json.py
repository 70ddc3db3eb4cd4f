"""OTLP in JSON: strict camelCase with hex ids on a fast road, every other spelling on a tolerant one."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Problem, Raw, RawEvent, RawLink, RawLog, RawSpan, Value

from .values import (
    EARLIEST_NS,
    LATEST_NS,
    SPAN_DIGITS,
    TRACE_DIGITS,
    Notes,
    any_value,
    attributes,
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

#: What a message calls its list of spans, of log records, of metrics.
SPAN_KEYS = ("resourceSpans", "resource_spans", "batches")
LOG_KEYS = ("resourceLogs", "resource_logs")
METRIC_KEYS = ("resourceMetrics", "resource_metrics")

#: What a span calls its times.
START_KEYS = ("startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime")
END_KEYS = ("endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime")

_SPAN_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
_LOG_SCOPES = ("scopeLogs", "scope_logs", "instrumentationLibraryLogs", "instrumentation_library_logs")
_STATUS = {0: 0, 1: 1, 2: 2}
# What a span that is not strict OTLP can make the fast road stumble over.
_ODD = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class Tally:
    """Problems that are told once per source, with a count: there may be one for every record of it."""

    def __init__(self) -> None:
        """Start with none."""
        self._problems: dict[str, Problem] = {}

    def add(self, line: int, reason: str, example: object, count: int = 1) -> None:
        """Count something that was dropped; the first one gives the line and the example."""
        if (problem := self._problems.get(reason)) is None:
            self._problems[reason] = Problem(line, reason, clip(example), count)
        else:
            problem.count += count

    def __iter__(self) -> Iterator[Problem]:
        """Give the problems, in the order in which they were met."""
        return iter(self._problems.values())


def spans(batches: object, line: int) -> Iterator[Raw]:
    """Decode the list under `resourceSpans`."""
    for origin, found in _by_scope(batches, line, _SPAN_SCOPES, ("spans",)):
        if origin is None:
            yield from found
            continue
        for span in found:
            try:
                raw = _strict(span, origin, line)
            except _ODD:
                yield from span_of(span, origin, line)
            else:
                yield raw


def logs(batches: object, line: int, tally: Tally) -> Iterator[Raw]:
    """Decode the list under `resourceLogs`: the records that belong to a span; the others are tallied."""
    for origin, found in _by_scope(batches, line, _LOG_SCOPES, ("logRecords", "log_records", "logs")):
        if origin is None:
            yield from found
            continue
        for record in found:
            yield from _log(record, line, tally)


def _by_scope(
    batches: object, line: int, scopes: tuple[str, ...], leaves: tuple[str, ...]
) -> Iterator[tuple[Origin | None, list[Any]]]:
    """Walk resources and scopes; the last pair has no origin, and the problems met on the way."""
    notes = Notes(line)
    for batch in items(batches, "the list of resources", notes):
        if not isinstance(batch, dict):
            notes.add("dropped", "an entry of the list of resources is not an object", batch)
            continue
        resource = resource_of(batch.get("resource"), notes)
        groups = [each for key in scopes for each in items(batch.get(key), f"{key!r}", notes)]
        if first(batch, *leaves) is not None:
            groups.append(batch)
        for group in groups:
            if not isinstance(group, dict):
                notes.add("dropped", "an entry of the list of scopes is not an object", group)
                continue
            found = items(first(group, *leaves), f"{leaves[0]!r}", notes)
            yield origin_of(resource, first(group, "scope", "instrumentationLibrary", "instrumentation_library")), found
    yield None, notes


def resource_of(resource: object, notes: Notes) -> dict[str, Value]:
    """Decode the attributes of a resource."""
    return attributes(resource.get("attributes"), notes) if isinstance(resource, dict) else {}


def origin_of(resource: dict[str, Value], scope: object) -> Origin:
    """Put the resource and the scope together."""
    if not isinstance(scope, dict):
        return Origin(resource)
    named = attributes(scope.get("attributes"), Notes(0))
    return Origin(resource, text_of(scope.get("name")), text_of(scope.get("version")), named)


def _strict(span: dict[str, Any], origin: Origin, line: int) -> RawSpan:
    """Decode a span as the collector writes it; raises one of `_ODD` when anything about it is different."""
    trace_id, span_id, parent = span["traceId"], span["spanId"], span.get("parentSpanId") or None
    if len(trace_id) != TRACE_DIGITS or len(span_id) != SPAN_DIGITS:
        raise ValueError
    if parent is None:
        size = len(bytes.fromhex(trace_id + span_id))
    else:
        if len(parent) != SPAN_DIGITS or not parent.strip("0"):
            raise ValueError
        size = len(bytes.fromhex(trace_id + span_id + parent)) - SPAN_DIGITS // 2
        parent = parent.lower()
    # `fromhex` passes over spaces.
    if size * 2 != TRACE_DIGITS + SPAN_DIGITS or not trace_id.strip("0") or not span_id.strip("0"):
        raise ValueError
    start, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
    if not EARLIEST_NS <= start <= end <= LATEST_NS:
        raise ValueError
    status = span.get("status")
    code, message = (0, None) if not status else (_STATUS[status.get("code", 0)], status.get("message") or None)
    events, links = span.get("events"), span.get("links")
    name = span["name"]
    if type(name) is not str or not (message is None or type(message) is str):
        raise TypeError
    return RawSpan(
        trace_id.lower(),
        span_id.lower(),
        parent,
        name,
        start,
        end,
        code,
        message,
        _strict_attributes(span.get("attributes", ())),
        [_strict_event(event) for event in events] if events else [],
        [_strict_link(link) for link in links] if links else [],
        origin,
        line,
    )


def _strict_attributes(pairs: list[dict[str, Any]]) -> dict[str, Value]:
    decoded: dict[str, Value] = {}
    for pair in pairs:
        value = pair["value"]
        text = value.get("stringValue")
        decoded[pair["key"]] = text if type(text) is str else _strict_value(value)
    "".join(decoded)  # raises when a key is not a text
    return decoded


def _strict_value(value: dict[str, Any]) -> Value:
    if "intValue" in value:
        number = value["intValue"]
        if type(number) is float:
            raise ValueError
        decoded = int(number)
        if -LATEST_NS <= decoded <= LATEST_NS:
            return decoded
        raise ValueError
    if "doubleValue" in value and type(value["doubleValue"]) is float and isfinite(value["doubleValue"]):
        return float(value["doubleValue"])
    if "arrayValue" in value:
        texts = [each.get("stringValue") for each in value["arrayValue"].get("values", ())]
        if None not in texts:
            return texts
    notes = Notes(0)
    found = any_value(value, notes)
    if notes:
        raise ValueError
    return found


def _strict_event(event: dict[str, Any]) -> RawEvent:
    time = int(event["timeUnixNano"])
    name = event["name"]
    if type(name) is not str or not EARLIEST_NS <= time <= LATEST_NS:
        raise ValueError
    return RawEvent(name, time, _strict_attributes(event.get("attributes", ())))


def _strict_link(link: dict[str, Any]) -> RawLink:
    pairs = _strict_attributes(link.get("attributes", ()))
    return RawLink(hex_id(link["traceId"], TRACE_DIGITS), hex_id(link["spanId"], SPAN_DIGITS), pairs)


def span_of(span: object, origin: Origin, line: int) -> Iterator[Raw]:
    """Decode a span in any spelling of OTLP's fields (MLflow's and the SDKs' too), or say why it is dropped."""
    if not isinstance(span, dict):
        yield dropped(line, "a span is not an object", span)
        return
    notes = Notes(line)
    context = span["context"] if isinstance(span.get("context"), dict) else {}
    ids = []
    for what, digits, names in _IDS:
        given = first(span, *names) or first(context, *names)
        try:
            ids.append(hex_id(given, digits, notes))
        except ValueError as error:
            yield dropped(line, f"the {what} of a span is {error}", given if given is not None else span)
            return
    start = time_ns(first(span, *START_KEYS), notes, "start")
    end = time_ns(first(span, *END_KEYS), notes, "end")
    check_times(start, end, notes, span)
    code, message = _status(span, notes)
    yield RawSpan(
        ids[0],
        ids[1],
        parent_id(first(span, "parentSpanId", "parent_span_id", "parent_id", "parentId"), notes),
        text_of(span.get("name")),
        start,
        end,
        code,
        message,
        attributes(span.get("attributes"), notes),
        [_event(event, notes) for event in items(span.get("events"), "the list of events", notes)],
        [link for each in items(span.get("links"), "the list of links", notes) for link in _link(each, notes)],
        origin,
        line,
    )
    yield from notes


_IDS = (
    ("trace id", TRACE_DIGITS, ("traceId", "trace_id", "traceID")),
    ("span id", SPAN_DIGITS, ("spanId", "span_id", "spanID")),
)


def check_times(start: int | None, end: int | None, notes: Notes, example: object) -> None:
    """Note a span without a start or an end, or that ends before it starts."""
    if start is None:
        notes.add("noted", "a span has no start", example)
    if end is None:
        notes.add("noted", "a span has no end", example)
    elif start is not None and end < start:
        notes.add("noted", "a span ends before it starts", example)


def _status(span: dict[str, Any], notes: Notes) -> tuple[int, str | None]:
    status = span.get("status")
    if isinstance(status, dict):
        code, message = first(status, "code", "status_code", "statusCode"), first(status, "message", "description")
    else:
        code, message = first(span, "status", "status_code", "statusCode"), span.get("status_message")
    return status_code(code, notes), text_of(message) or None


def _event(event: object, notes: Notes) -> RawEvent:
    if not isinstance(event, dict):
        notes.add("repaired", "an event is not an object", event)
        return RawEvent(text_of(event), None, {})
    time = time_ns(first(event, "timeUnixNano", "time_unix_nano", "timestamp", "time"), notes, "time of an event", None)
    return RawEvent(text_of(event.get("name")), time, attributes(event.get("attributes"), notes))


def _link(link: object, notes: Notes) -> list[RawLink]:
    if isinstance(link, dict):
        context = link["context"] if isinstance(link.get("context"), dict) else link
        try:
            ids = [hex_id(first(context, *names), digits, notes) for _, digits, names in _IDS]
        except ValueError:
            pass
        else:
            return [RawLink(ids[0], ids[1], attributes(link.get("attributes"), notes))]
    notes.add("repaired", "a link without the ids of a span was left out", link)
    return []


def _log(record: object, line: int, tally: Tally) -> Iterator[Raw]:
    if not isinstance(record, dict):
        yield dropped(line, "a log record is not an object", record)
        return
    notes = Notes(line)
    given = [first(record, *names) for _, _, names in _IDS]
    try:
        ids = [hex_id(value, digits, notes) for value, (_, digits, _) in zip(given, _IDS, strict=True)]
    except ValueError as error:
        if any(isinstance(value, str) and value.strip("0=A") for value in given) and all(given):
            yield dropped(line, f"an id of a log record is {error}", given)
        else:
            tally.add(line, "a log record without a span", record)
        return
    named = attributes(record.get("attributes"), notes)
    times = ("timeUnixNano", "time_unix_nano"), ("observedTimeUnixNano", "observed_time_unix_nano")
    time, observed = (time_ns(first(record, *names), notes, "time of a log record") for names in times)
    name = first(record, "eventName", "event_name", "name") or named.get("event.name")
    body = any_value(record.get("body"), notes)
    yield RawLog(ids[0], ids[1], text_of(name), time or observed, named, body, line)
    yield from notes
