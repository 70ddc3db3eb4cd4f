"""Phoenix' frames of spans -> raw spans in OpenInference's convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Origin, Problem, Raw, RawSpan, Value

from .rows import dump
from .run_fields import event_of, id_of, list_of, nested, object_of, plain, span_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Fields of a span that are read; the others become attributes.
_PHOENIX = frozenset(
    {
        "context",
        "context.span_id",
        "context.trace_id",
        "span_id",
        "trace_id",
        "parent_id",
        "name",
        "span_kind",
        "start_time",
        "end_time",
        "status_code",
        "status_message",
        "events",
        "attributes",
    }
)


def phoenix_raw(row: Mapping[str, Any], line: int) -> Iterator[Raw]:
    """Make a raw span of a Phoenix span."""
    context = object_of(row.get("context"))
    span_id = id_of(row.get("context.span_id") or context.get("span_id") or row.get("span_id"))
    trace_id = id_of(row.get("context.trace_id") or context.get("trace_id") or row.get("trace_id"))
    if not span_id or not trace_id:
        yield Problem(line, "the span has no context.trace_id and context.span_id", dump(dict(row))[:200])
        return
    attributes: dict[str, Value] = {}
    for key, value in row.items():
        if key.startswith("attributes."):
            attributes |= _flat(key.removeprefix("attributes."), nested(value))
        elif key not in _PHOENIX and value is not None:
            attributes[f"phoenix.{key}"] = plain(value)
    for key, value in object_of(row.get("attributes")).items():
        attributes |= _flat(key, value)
    if row.get("span_kind"):
        attributes.setdefault("openinference.span.kind", str(row["span_kind"]))
    start, end, problems = span_times(row, line)
    status = {"OK": 1, "ERROR": 2}.get(str(row.get("status_code")).upper(), 0)
    yield from problems
    yield RawSpan(
        trace_id,
        span_id,
        id_of(row.get("parent_id")),
        str(row.get("name") or ""),
        start,
        end,
        status,
        str(row["status_message"]) if row.get("status_message") else None,
        attributes,
        [event_of(event) for event in list_of(row.get("events"))],
        [],
        Origin({}, "phoenix"),
        line,
    )


def _flat(name: str, value: Any) -> dict[str, Value]:
    """Spell nested attributes as OpenInference does on the wire: `llm.input_messages.0.message.role`."""
    if name == "metadata" or not value or isinstance(value, str):
        return {} if value is None else {name: dump(value) if isinstance(value, dict) else value}
    if isinstance(value, dict):
        return {path: leaf for key, item in value.items() for path, leaf in _flat(f"{name}.{key}", item).items()}
    if isinstance(value, list) and isinstance(value[0], dict):
        return {path: leaf for n, item in enumerate(value) for path, leaf in _flat(f"{name}.{n}", item).items()}
    return {name: value}
