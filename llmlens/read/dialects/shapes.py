"""Tell from the keys of a JSON document which dialect it is, and decode it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Raw

from . import mlflow
from .microseconds import jaeger_trace, zipkin_span
from .otlp_json import END_KEYS, LOG_KEYS, METRIC_KEYS, SPAN_KEYS, START_KEYS, Tally, logs, resource_of, span_of, spans
from .values import Notes, dropped

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Lists in lists, and documents in documents, that are looked into.
_MAX_LEVELS = 4
_SPAN_ID_KEYS = ("spanId", "span_id", "spanID")


def read_document(document: Any, line: int, tally: Tally, level: int = 0) -> Iterator[Raw]:
    """Decode one JSON document; what is no trace is a `Problem`."""
    if level > _MAX_LEVELS:
        yield dropped(line, "not a trace: lists nested too deeply", document)
    elif isinstance(document, list):
        for item in document:
            yield from read_document(item, line, tally, level + 1)
    elif not isinstance(document, dict):
        yield dropped(line, "not a trace: expected a JSON object", document)
    else:
        yield from _read_object(document, line, tally, level)


def _read_object(document: dict[str, Any], line: int, tally: Tally, level: int) -> Iterator[Raw]:
    known = not document  # an empty message is `{}`
    for key in SPAN_KEYS:
        if key in document:
            known = True
            yield from spans(document[key], line)
    for key in LOG_KEYS:
        if key in document:
            known = True
            yield from logs(document[key], line, tally)
    for key in METRIC_KEYS:
        if key in document:
            known = True
            tally.add(line, "metrics are not read, only traces and logs", "")
    if known:
        return
    if mlflow.is_trace(document):
        yield from mlflow.trace(document, line)
    elif _is_jaeger(document):
        yield from jaeger_trace(document, line)
    elif _is_span(document):
        yield from _lone_span(document, line)
    elif _is_zipkin(document):
        yield from zipkin_span(document, line)
    elif (inner := _inner(document)) is not None:
        yield from read_document(inner, line, tally, level + 1)
    else:
        yield dropped(line, "not a trace: no key of a known dialect", document)


def _is_jaeger(document: dict[str, Any]) -> bool:
    return "spans" in document and ("processes" in document or "traceID" in document)


def _is_span(document: dict[str, Any]) -> bool:
    """Whether this is one span: OTLP's (Phoenix lists them), or what an SDK's `to_json` makes."""
    context = document.get("context")
    if isinstance(context, dict) and any(key in context for key in _SPAN_ID_KEYS):
        return True
    timed = any(key in document for key in (*START_KEYS, *END_KEYS, "startTime", "attributes"))
    return timed and any(key in document for key in _SPAN_ID_KEYS) and not isinstance(document.get("spans"), list)


def _is_zipkin(document: dict[str, Any]) -> bool:
    """Whether this is a Zipkin span; Langfuse's observations and scores have its ids, but not its times."""
    if "traceId" not in document or "id" not in document or "parentObservationId" in document:
        return False
    return "localEndpoint" in document or "parentId" in document or isinstance(document.get("timestamp"), int)


def _inner(document: dict[str, Any]) -> Any:
    """Give what an envelope holds: `{"data": [...]}`, `{"trace": {...}}`, `{"spans": [...]}`."""
    for key in ("spans", "data", "trace", "traces"):
        if isinstance(inner := document.get(key), (list, dict)):
            return inner
    return None


def _lone_span(document: dict[str, Any], line: int) -> Iterator[Raw]:
    """Decode a span that comes with its own resource, as `ConsoleSpanExporter` and Phoenix write it."""
    if "operationName" in document:
        yield from jaeger_trace({"spans": [document]}, line)
        return
    notes = Notes(line)
    origin = Origin(resource_of(document.get("resource"), notes))
    kind, named = document.get("span_kind"), document.get("attributes")
    if isinstance(kind, str) and isinstance(named, dict) and not kind.startswith("SPAN_KIND"):
        document = {**document, "attributes": {"openinference.span.kind": kind, **named}}
    yield from span_of(document, origin, line)
    yield from notes
