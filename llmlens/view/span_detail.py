"""All there is to show about one span, made from its single row of `spans` and `contents`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import unknown
from . import wire

if TYPE_CHECKING:
    from ..traces import Traces

#: A text is sent up to here at first; more on demand.
CLIP = 20_000
#: As much comes with each further request.
CHUNK = 200_000
#: Lists are sent up to here.
_MANY = 2_000

_TEXTS = ("input", "output", "attributes", "events", "links", "resource")


def span_detail(traces: Traces, trace_id: str, span_id: str) -> dict[str, Any]:
    """Give the parts of a span: `span` (its row), `messages`, `documents`, `tool_calls`, its texts and attributes.

    Nothing is cut. Raises `UnknownNameError` when there is no such span.
    """
    spans, contents = traces.table("spans"), traces.table("contents")
    row = traces.fetch(spans.filter((spans.trace_id == trace_id) & (spans.span_id == span_id)).limit(1))
    if row.empty:
        raise unknown("span", span_id, ())
    found = traces.fetch(
        contents.filter((contents.trace_id == trace_id) & (contents.span_id == span_id)).select(*_TEXTS).limit(1)
    )
    span = {name: values[0] for name, values in wire.columns(row.drop(columns=["tags"])).items()}
    tags = row["tags"].iloc[0]
    span["tags"] = [str(t) for t in tags] if tags is not None and not isinstance(tags, float) else []
    texts = {name: (values or [None])[0] for name, values in wire.columns(found).items()}
    return {
        "span": {**span, "metadata": None, "params": None},
        **{name: texts[name] for name in ("input", "output")},
        **{name: _parsed(texts[name]) for name in ("attributes", "events", "links", "resource")},
        "metadata": _parsed(span["metadata"]),
        "params": _parsed(span["params"]),
        **_parts(span, texts),
    }


def _parts(row: dict[str, Any], texts: dict[str, Any]) -> dict[str, Any]:
    """Read messages, documents and tool calls out of the texts of a span."""
    from ..read.contents import SpanContent, documents, messages, tool_calls

    attributes, events, links = (_parsed(texts[name]) for name in ("attributes", "events", "links"))
    content = SpanContent(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        kind=row["kind"] or "span",
        name=row["name"] or "",
        status=row["status"] or "unset",
        input=texts["input"],
        output=texts["output"],
        attributes=attributes if isinstance(attributes, dict) else {},
        events=[e for e in events if isinstance(e, dict)] if isinstance(events, list) else [],
        links=[e for e in links if isinstance(e, dict)] if isinstance(links, list) else [],
    )
    parts = {"messages": messages(content), "documents": documents(content), "tool_calls": tool_calls(content)}
    return {
        name: [{k: v for k, v in each._asdict().items() if k != "trace_id"} for each in found]
        for name, found in parts.items()
    }


def _parsed(text: Any) -> Any:
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def clip(value: Any, path: tuple[str | int, ...] = ()) -> Any:
    """Cut long texts to `{"clipped": text, "total": characters, "path": [...]}` and long lists to their beginning."""
    if isinstance(value, str):
        return value if len(value) <= CLIP else {"clipped": value[:CLIP], "total": len(value), "path": list(path)}
    if len(path) > 40:
        return "(nested too deeply to show)"
    if isinstance(value, dict):
        return {str(k): clip(v, (*path, str(k))) for k, v in value.items()}
    if isinstance(value, list):
        kept = [clip(v, (*path, i)) for i, v in enumerate(value[:_MANY])]
        return kept if len(value) <= _MANY else [*kept, f"… and {len(value) - _MANY:,} more"]
    return value


def more(detail: Any, path: list[str | int], offset: int) -> dict[str, Any]:
    """Give the next part of a text that `clip` cut: `{text, offset, total}`; raises `UnknownNameError` for a bad path."""
    value = detail
    for step in path:
        inside = isinstance(value, dict) and step in value
        within = isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value)
        if not (inside or within):
            raise unknown("part", ".".join(map(str, path)), ())
        value = value[step]
    if not isinstance(value, str):
        raise unknown("text", ".".join(map(str, path)), ())
    return {"text": value[offset : offset + CHUNK], "offset": offset, "total": len(value)}
