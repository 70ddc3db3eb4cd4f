"""MLflow trace JSON: `{info, data: {spans}}`; what only the trace knows goes to its root span and to scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Problem, Raw, RawScore, RawSpan

from .otlp_json import span_of
from .values import SPAN_DIGITS, TRACE_DIGITS, Notes, attributes, clip, dropped, first, hex_id, items, text_of, time_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCES = {"HUMAN": "human", "LLM_JUDGE": "judge", "AI_JUDGE": "judge", "CODE": "code"}
_INFO = ("client_request_id", "state")


def is_trace(document: dict[str, Any]) -> bool:
    """Whether this is an MLflow trace."""
    return isinstance(document.get("info"), dict) and isinstance(document.get("data"), dict)


def trace(document: dict[str, Any], line: int) -> Iterator[Raw]:
    """Decode the spans and the assessments of one trace; attribute values stay the JSON texts that MLflow wrote."""
    info, notes = document["info"], Notes(line)
    decoded: list[Raw] = []
    for span in items(document["data"].get("spans"), "the list of spans", notes):
        decoded += span_of(span, Origin(), line)
    spans = [raw for raw in decoded if isinstance(raw, RawSpan)]
    if spans:
        root = next((span for span in spans if span.parent_id is None), spans[0])
        root.attributes = {**_of_trace(info, notes), **root.attributes}
    elif not decoded:
        yield dropped(line, "an MLflow trace has no spans", info)
    yield from decoded
    trace_id = spans[0].trace_id if spans else None
    for assessment in items(info.get("assessments"), "the list of assessments", notes):
        yield _score(assessment, trace_id or info.get("trace_id"), line, notes)
    yield from notes


def _of_trace(info: dict[str, Any], notes: Notes) -> dict[str, Any]:
    """Give what is said about the trace as attributes: its metadata, its tags (`mlflow.trace.tag.*`) and its state."""
    found = {f"mlflow.trace.{name}": info[name] for name in _INFO if info.get(name) is not None}
    found |= attributes(first(info, "trace_metadata", "request_metadata"), notes)
    for name, value in attributes(info.get("tags"), notes).items():
        found[name if name.startswith("mlflow.") else f"mlflow.trace.tag.{name}"] = value
    return found


def _score(assessment: object, trace_id: object, line: int, notes: Notes) -> RawScore | Problem:
    if not isinstance(assessment, dict):
        return dropped(line, "an assessment is not an object", assessment)
    if assessment.get("valid") is False:
        return dropped(line, "an assessment was superseded by a later one", assessment)
    given = assessment.get("trace_id") if trace_id is None else trace_id
    try:
        of_trace = hex_id(given.removeprefix("tr-") if isinstance(given, str) else given, TRACE_DIGITS)
        on_span = first(assessment, "span_id")
        of_span = None if on_span is None else hex_id(on_span, SPAN_DIGITS, notes)
    except ValueError as error:
        return dropped(line, f"an id of an assessment is {error}", assessment)
    answer = first(assessment, "feedback", "expectation")
    answer = answer if isinstance(answer, dict) else {}
    value = answer.get("value")
    number = isinstance(value, (bool, int, float))
    source = assessment["source"] if isinstance(assessment.get("source"), dict) else {}
    kind = text_of(source.get("source_type")).upper()
    failure = first(answer, "error") or first(assessment, "error")
    return RawScore(
        of_trace,
        of_span,
        text_of(first(assessment, "assessment_name", "name")),
        float(value) if number and value is not None else None,
        None if number or value is None else value if isinstance(value, str) else clip(value, 10_000),
        _SOURCES.get(kind, kind.lower() or None),
        text_of(source.get("source_id")) or None,
        text_of(first(assessment, "rationale")) or (clip(failure) if failure else None),
        text_of(assessment.get("assessment_id")) or None,
        created_ns=time_ns(first(assessment, "create_time", "create_time_ms"), notes, "time of an assessment", None),
    )
