"""The judgements that a span carries: evaluation events and OpenInference annotations."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from llmlens.read.raw import RawScore

from .events import payload
from .indexed import indexed
from .values import dumps, name_of, nanoseconds_of, number_of, text_of

if TYPE_CHECKING:
    from .rows import SpanContent

_EVENT = "gen_ai.evaluation.result"

# Families of annotations: what they judge.
_FAMILIES = {
    "annotations": "span", "evaluations": "span",
    "trace.annotations": "trace", "trace.evaluations": "trace",
    "session.annotations": "session", "session.evaluations": "session",
}  # fmt: skip
_EVENT_KEYS = {"name": "name", "score": "score.value", "label": "score.label", "explanation": "explanation"}
_SOURCES = {"human": "human", "llm": "judge", "code": "code"}


def scores(span: SpanContent) -> list[RawScore]:
    """Give the judgements found on a span, about it, its trace or its session.

    An evaluator's span that links to exactly one span judges that one. Judgements of a trace or session may be repeated
    on every span of it: their `score_id` is made from what they say, so that repetitions have the same one.
    """
    found = _events(span) if span.events else []
    for family, listed in indexed(span, *_FAMILIES).items():
        for position, one in enumerate(listed):
            if isinstance(one, dict):
                found += _annotation(span, _FAMILIES[family], position, one)
    return found


def _events(span: SpanContent) -> list[RawScore]:
    found: list[RawScore] = []
    for event in span.events:
        attributes = event.get("attributes") if isinstance(event, dict) else None
        if not isinstance(attributes, dict) or _EVENT not in (event.get("name"), attributes.get("event.name")):
            continue
        said = payload(attributes)
        score = {ours: said.get("gen_ai.evaluation." + theirs) for ours, theirs in _EVENT_KEYS.items()}
        created = nanoseconds_of(event.get("time"))
        for one in _score(span, "span", score, (len(found), created)):
            one.created_ns = created
            found.append(one)
    return found


def _annotation(span: SpanContent, scope: str, position: int, said: dict[str, Any]) -> list[RawScore]:
    kind, identifier = said.get("annotator_kind"), name_of(said.get("identifier"))
    identity = (kind, identifier, position if scope == "span" else None)
    found = _score(span, scope, said, identity)
    for one in found:
        one.source = _SOURCES.get(kind.lower()) if isinstance(kind, str) else None
        one.author = identifier
    return found


def _score(span: SpanContent, scope: str, said: dict[str, Any], identity: tuple[Any, ...]) -> list[RawScore]:
    """Make a score of `name`, `score`, `label` and `explanation`; none when there is no name or nothing was judged."""
    name, value = name_of(said.get("name")), number_of(said.get("score"))
    label = said.get("label")
    label = text_of(said.get("score") if label is None and value is None else label)
    comment = text_of(said.get("explanation"))
    if name is None or (value is None and not label and not comment):
        return []
    trace_id, span_id = _target(span)
    session = name_of(span.attributes.get("session.id")) if scope == "session" else None
    target = {"span": (trace_id, span_id), "trace": (trace_id,), "session": (session or trace_id,)}[scope]
    written = dumps([scope, target, name, value, label, comment, identity])
    return [
        RawScore(
            trace_id=trace_id,
            span_id=span_id if scope == "span" else None,
            session_id=session,
            name=name,
            value=value,
            label=label,
            comment=comment,
            score_id=blake2b(written.encode(errors="replace"), digest_size=16).hexdigest(),
        )
    ]


def _target(span: SpanContent) -> tuple[str, str]:
    if span.kind == "evaluator" and len(span.links) == 1 and isinstance(span.links[0], dict):
        trace_id, span_id = (name_of(span.links[0].get(key)) for key in ("trace_id", "span_id"))
        if trace_id and span_id:
            return trace_id, span_id
    return span.trace_id, span.span_id
