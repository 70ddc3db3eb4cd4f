"""What there is to read before one labels: the chat of a trace or of a span, its documents and its tool calls."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import unknown

from . import wire
from .span_detail import TEXTS, chat, contents_of
from .trace_rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from llmlens.read.contents import SpanContent
    from llmlens.traces import Traces

#: So many spans of a trace are read, of each sort.
_MODEL_CALLS, _RETRIEVALS, _TOOL_CALLS = 20, 50, 200

_INDEX = ("span_id", "parent_id", "name", "kind", "model", "start", "end", "status", "error_type", "status_message")


def item_detail(traces: Traces, trace_id: str, span_id: str | None = None) -> dict[str, Any]:
    """Give what a trace, or one span of it, says.

    `span` is the span whose chat is shown (of a trace the model call that gave the answer), `path` the names above it,
    `messages` the chat, `retrieved` the documents by span, the last first, `tool_calls`, and `input` and `output`
    where there is no chat. What a judge did within the trace is left out, for it would tell its verdict.
    Raises `UnknownNameError` when there is no such trace or span.
    """
    found = rows_of(traces)
    index = found.spans(trace_id, _INDEX).set_index("span_id", drop=False)
    if span_id is not None and span_id not in index.index:
        what = "span"
        raise unknown(what, span_id, ())
    if index.empty:
        what = "trace"
        raise unknown(what, trace_id, ())
    wanted = [span_id] if span_id is not None else _telling(index)
    read = {content.span_id: content for content in contents_of(found.contents(trace_id, wanted, TEXTS))}
    contents = [read[each] for each in index["span_id"] if each in read]
    root = read[wanted[0]]
    main = root if span_id is not None else _answering(contents, root)
    messages = chat(main)
    if main is not root:
        messages = _with_root(messages, root)
    row = {name: values[0] for name, values in wire.columns(index.loc[[main.span_id]]).items()}
    return {
        "span": {"trace_id": trace_id, **row},
        "path": _path(index, main.span_id),
        "messages": messages,
        "retrieved": list(_retrieved(contents)),
        "tool_calls": _tool_calls(main, contents),
        "input": None if messages else root.input,
        "output": None if messages else root.output,
    }


def _telling(index: pd.DataFrame) -> list[str]:
    """Choose the spans of a trace to read: its root first, then those that say something to a person."""
    judged = index[~judges(index)]
    judged = index if judged.empty else judged
    roots = judged[~judged["parent_id"].isin(judged["span_id"])]
    kinds = judged["kind"]
    chosen = [
        judged[kinds == "llm"].tail(_MODEL_CALLS),
        judged[kinds.isin(["retriever", "reranker"])].tail(_RETRIEVALS),
        judged[kinds == "tool"].head(_TOOL_CALLS),
    ]
    first = (roots if len(roots) else judged)["span_id"].iloc[0]
    return list(dict.fromkeys([first, *(span_id for part in chosen for span_id in part["span_id"])]))


def judges(index: pd.DataFrame) -> pd.Series[bool]:
    """Tell of each span whether it is an evaluator or below one; `index` has `span_id`, `parent_id` and `kind`."""
    import pandas as pd

    judging = set(index.loc[index["kind"] == "evaluator", "span_id"])
    while below := set(index.loc[index["parent_id"].isin(judging), "span_id"]) - judging:
        judging |= below
    return pd.Series(index["span_id"].isin(judging), index=index.index)


def _answering(contents: list[SpanContent], root: SpanContent) -> SpanContent:
    """Choose the model call whose chat is shown: the last one that gave the answer of the trace, else the last one."""
    calls = [content for content in contents if content.kind == "llm" and content is not root]
    if not calls:
        return root
    answer = _flat(root.output)
    giving = [call for call in calls if any(said and said in answer for said in _said(call, "output"))]
    return (giving or [call for call in calls if call.output] or calls)[-1]


def _with_root(messages: list[dict[str, Any]], root: SpanContent) -> list[dict[str, Any]]:
    """Add what the trace was asked and what it answered, where the chat of the model call does not say so."""
    from llmlens.read.contents import messages as messages_of

    own = [message._asdict() for message in messages_of(replace(root, kind="llm"))]
    there = [_flat(message["content"]) for message in messages]
    new = [message for message in own if not any(_flat(message["content"]) in text for text in there)]
    asked = [message for message in new if message["direction"] == "input"]
    answered = [message for message in new if message["direction"] == "output"]
    return [*asked, *messages, *answered]


def _said(content: SpanContent, direction: str) -> Iterable[str]:
    from llmlens.read.contents import messages as messages_of

    return [_flat(m.content) for m in messages_of(content) if m.direction == direction]


def _flat(text: Any) -> str:
    """Give a text as it is compared: without differences of space, and of a text that was written as JSON."""
    said = " ".join(str(text or "").split())
    if len(said) > 1 and said[0] == said[-1] == '"':
        with contextlib.suppress(orjson.JSONDecodeError):
            return _flat(orjson.loads(said))
    return said


def _retrieved(contents: list[SpanContent]) -> Iterable[dict[str, Any]]:
    from llmlens.read.contents import documents

    for content in reversed(contents):
        found = [document._asdict() for document in documents(content)]
        if found:
            yield {"span_id": content.span_id, "name": content.name, "kind": content.kind, "documents": found}


def _tool_calls(main: SpanContent, contents: list[SpanContent]) -> list[dict[str, Any]]:
    from llmlens.read.contents import merge_tool_calls, tool_calls

    calls = [call for content in contents if content.kind == "tool" or content is main for call in tool_calls(content)]
    return [call._asdict() for call in merge_tool_calls(calls)]


def _path(index: pd.DataFrame, span_id: str) -> list[str]:
    """Give the names from the root down to the span."""
    names: list[str] = []
    seen: set[str] = set()
    while span_id in index.index and span_id not in seen:
        seen.add(span_id)
        names.insert(0, str(index.loc[span_id, "name"]))
        span_id = str(index.loc[span_id, "parent_id"])
    return names
