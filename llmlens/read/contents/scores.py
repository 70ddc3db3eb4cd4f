"""The judgements that a span carries: evaluation events and OpenInference annotations."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from ..raw import RawScore
from .events import payload
from .indexed import indexed
from .rows import SpanContent
from .values import dumps, nanoseconds_of, name_of, number_of, text_of

_EVENT = "gen_ai.evaluation.result"

# Families of annotations: what they judge.
_FAMILIES = {
    "annotations": "span", "evaluations": "span",
    "trace.annotations": "trace", "trace.evaluations": "trace",
    "session.annotations": "session", "session.evaluations": "session",
}  # fmt: skip
_SOURCES = {"human": "human", "llm": "judge", "code": "code"}


def scores(span: SpanContent) -> list[RawScore]:
    """Give the judgements found on a span, about it, its trace or its session.

    An evaluator's span that links to exactly one span judges that one. Judgements of a trace or session may be repeated
    on every span of it: their `score_id` is made from what they say, so that repetitions have the same one.
    """
    found = _events(span) if span.events else []
    for family, listed in indexed(span.attributes, *_FAMILIES).items():
        for position, one in enumerate(listed):
            if isinstance(one, dict):
                found += _annotation(span, _FAMILIES[family], position, one)
    return found


def _events(span: SpanContent) -> list[RawScore]:
    found: list[RawScore] = []
    for event in span.events:
        attributes = event.get("attributes") if isinstance(event, dict) else None
        if not isinstance(attributes, dict) or _EVENT not in {event.get("name"), attributes.get("event.name")}:
            continue
        said = payload(attributes)
        part = {
            key: said.get("gen_ai.evaluation." + key) for key in ("name", "score.value", "score.label", "explanation")
        }
        created = nanoseconds_of(event.get("time"))
        found += _score(
            span, "span", part["name"], part["score.value"], part["score.label"], part["explanation"],
            created_ns=created, identity=(len(found), created),
        )  # fmt: skip
    return found


def _annotation(span: SpanContent, scope: str, position: int, one: dict[str, Any]) -> list[RawScore]:
    kind = one.get("annotator_kind")
    identifier = name_of(one.get("identifier"))
    return _score(
        span, scope, one.get("name"), one.get("score"), one.get("label"), one.get("explanation"),
        source=_SOURCES.get(kind.lower()) if isinstance(kind, str) else None,
        author=identifier,
        identity=(kind, identifier, position if scope == "span" else None),
    )  # fmt: skip


def _score(
    span: SpanContent,
    scope: str,
    name: Any,
    value: Any,
    label: Any,
    comment: Any,
    *,
    source: str | None = None,
    author: str | None = None,
    created_ns: int | None = None,
    identity: tuple[Any, ...],
) -> list[RawScore]:
    name = name_of(name)
    number = number_of(value)
    label = text_of(label if label is not None or number is not None else value)
    comment = text_of(comment)
    if name is None or (number is None and not label and not comment):
        return []
    trace_id, span_id = _target(span)
    session = name_of(span.attributes.get("session.id")) if scope == "session" else None
    target = {"span": (trace_id, span_id), "trace": (trace_id,), "session": (session or trace_id,)}[scope]
    said = dumps([scope, target, name, number, label, comment, identity])
    return [
        RawScore(
            trace_id=trace_id, span_id=span_id if scope == "span" else None, name=name, value=number, label=label,
            source=source, author=author, comment=comment, session_id=session, created_ns=created_ns,
            score_id=blake2b(said.encode(), digest_size=16).hexdigest(),
        )
    ]  # fmt: skip


def _target(span: SpanContent) -> tuple[str, str]:
    if span.kind == "evaluator" and len(span.links) == 1 and isinstance(span.links[0], dict):
        trace_id, span_id = (name_of(span.links[0].get(key)) for key in ("trace_id", "span_id"))
        if trace_id and span_id:
            return trace_id, span_id
    return span.trace_id, span.span_id
