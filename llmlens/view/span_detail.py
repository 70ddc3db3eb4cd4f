"""All there is to show about one span, made from its single row of `spans` and `contents`."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from llmlens.errors import unknown

from . import wire
from .trace_rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    import pandas as pd

    from llmlens.read.contents import SpanContent
    from llmlens.traces import Traces

    #: Finds the executed tools beside a span that start at a time or later.
    FindsBeside: TypeAlias = Callable[[SpanContent, Any], list[SpanContent]]

#: A text is sent up to here at first; more on demand.
CLIP = 20_000
#: As much comes with each further request.
CHUNK = 200_000
#: Lists are sent up to here.
_MANY = 2_000
#: So many executed calls are looked at to find what came of those a model asked for.
_BESIDE = 100
#: So many tools of a trace are held to find them for many spans at once.
_TOOLS = 2_000

TEXTS = ("input", "output", "attributes", "events", "links", "resource")


def span_detail(traces: Traces, trace_id: str, span_id: str) -> dict[str, Any]:
    """Give the parts of a span: `span` (its row), `messages`, `documents`, `tool_calls`, its texts and attributes.

    Nothing is cut. Raises `UnknownNameError` when there is no such span.
    """
    rows, texts = _rows(traces, trace_id, [span_id])
    if rows.empty:
        raise unknown("span", span_id, ())
    return _detail(rows, texts, lambda content, start: _tools_beside(traces, content, start))


def span_details(traces: Traces, trace_id: str, span_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the same of several spans of a trace, by span id: a few queries for all of them."""
    rows, texts = _rows(traces, trace_id, span_ids)
    beside = _Beside(traces, trace_id) if (rows["kind"] == "llm").any() else None
    texts_of = dict(iter(texts.groupby("span_id")))
    return {
        str(span_id): _detail(row, texts_of.get(span_id, texts.iloc[:0]), beside or (lambda *_: []))
        for span_id, row in rows.groupby("span_id", sort=False)
    }


def _rows(traces: Traces, trace_id: str, span_ids: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read rows of `spans`, and the texts of each."""
    found = rows_of(traces)
    chosen = "list_contains($spans, span_id) ORDER BY span_id"
    rows = found.fetch(f"SELECT * FROM {{spans}} WHERE {chosen}", trace_id, spans=list(span_ids))
    texts = ", ".join(TEXTS)
    return rows, found.fetch(
        f"SELECT span_id, {texts} FROM {{contents}} WHERE {chosen}", trace_id, spans=list(span_ids)
    )


def _detail(row: pd.DataFrame, found: pd.DataFrame, beside: FindsBeside) -> dict[str, Any]:
    """Make the parts of a span of its row and of its texts."""
    from llmlens.read.contents import documents

    row = row.iloc[:1]
    span = {name: values[0] for name, values in wire.columns(row.drop(columns=["tags"])).items()}
    tags = row["tags"].iloc[0]
    span["tags"] = [str(t) for t in tags] if tags is not None and not isinstance(tags, float) else []
    texts = {name: (values or [None])[0] for name, values in wire.columns(found[list(TEXTS)].iloc[:1]).items()}
    content = _content(span, texts)
    start = row["start"].iloc[0] if row["start"].notna().all() else None
    return {
        "span": {**span, "metadata": None, "params": None},
        **{name: texts[name] for name in ("input", "output")},
        **{name: _parsed(texts[name]) for name in ("attributes", "events", "links", "resource")},
        "metadata": _parsed(span["metadata"]),
        "params": _parsed(span["params"]),
        "messages": chat(content),
        "documents": [document._asdict() for document in documents(content)],
        "tool_calls": _tool_calls(content, start, beside),
    }


def _content(row: dict[str, Any], texts: dict[str, Any]) -> SpanContent:
    from llmlens.read.contents import SpanContent

    attributes, events, links = (_parsed(texts[name]) for name in ("attributes", "events", "links"))
    return SpanContent(
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


def chat(content: SpanContent) -> list[dict[str, Any]]:
    """Give the messages of a span, each with the tool calls it asks for."""
    from llmlens.read.contents import messages, spoken

    found = [message._asdict() for message in messages(content)]
    for direction, turns in zip(("input", "output"), spoken(content), strict=True):
        mine = [message for message in found if message["direction"] == direction]
        said = [turn for turn in turns if turn.content is not None or turn.calls or turn.tool_call_id is not None]
        for message, turn in zip(mine, said, strict=True):
            message["calls"] = [call._asdict() for call in turn.calls]
    return found


def _tool_calls(content: SpanContent, start: Any, tools: FindsBeside) -> list[dict[str, Any]]:
    """Give the tool calls of a span; those a model asks for with what came of them, found on the spans beside it."""
    from llmlens.read.contents import merge_tool_calls, tool_calls

    calls = tool_calls(content)
    if content.kind == "llm" and calls:
        own = {(call.call_id, call.tool, call.arguments) for call in calls}
        for beside in tools(content, start):
            calls += tool_calls(beside)
        merged = [call for call in merge_tool_calls(calls) if call.requested_by == content.span_id]
        calls = merged if len(merged) >= len(own) else tool_calls(content)
    return [call._asdict() for call in calls]


def _tools_beside(traces: Traces, content: SpanContent, start: Any) -> list[SpanContent]:
    parents = [parent for parent in (content.parent_id, content.span_id) if parent is not None]
    return contents_of(rows_of(traces).tools(content.trace_id, TEXTS, _BESIDE, below=parents, since=start))


class _Beside:
    """The executed tools of one trace, read at the first question for them; answers as `_tools_beside` does."""

    def __init__(self, traces: Traces, trace_id: str) -> None:
        self._traces, self._trace_id = traces, trace_id
        self._tools: list[tuple[Any, SpanContent]] | None = None

    def __call__(self, content: SpanContent, start: Any) -> list[SpanContent]:
        """Give the tools beside a span that start with it or later."""
        if self._tools is None:
            tools = rows_of(self._traces).tools(self._trace_id, TEXTS, _TOOLS)
            self._tools = list(zip(tools["start"], contents_of(tools), strict=True))
        near = (
            tool
            for at, tool in self._tools
            if tool.parent_id in (content.parent_id, content.span_id)
            and tool.parent_id is not None
            and (start is None or at >= start)
        )
        return list(islice(near, _BESIDE))


def contents_of(frame: pd.DataFrame) -> list[SpanContent]:
    """Make what spans say of rows of spans with their texts."""
    rows = wire.columns(frame)
    return [
        _content(row, row)
        for row in (dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True))
    ]


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
    """Give the next part of a text that `clip` cut, as `{text, offset, total}`.

    Raises `UnknownNameError` for a path where no text is.
    """
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
