"""Stored contents -> the `contents`, `messages`, `documents` and `tool_calls` tables, made at first use."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from .contents import documents, merge_tool_calls, messages, spoken, tool_calls
from .load import without_gc
from .stored_spans import parents, stored_spans
from .table_writer import TableWriter
from .texts import Filling

if TYPE_CHECKING:
    from collections.abc import Collection

    from llmlens.store import Store

    from .contents.rows import ToolCall

#: What is made when a table is asked for: reading the spans takes the longest, so that one pass makes all that may be
#: wanted next. Texts lack on few spans, and few have documents: for these alone, only those spans are read.
_TOGETHER = {
    "contents": ("contents",),
    "documents": ("contents", "documents"),
    "messages": ("contents", "messages", "tool_calls", "documents"),
    "tool_calls": ("contents", "messages", "tool_calls", "documents"),
}


def derive(store: Store, name: str) -> None:
    """Make a table that is made at first use, and those that come with it, unless they are there."""
    with without_gc():
        store.once(name, lambda: _make(store, [each for each in _TOGETHER[name] if not store.has(each)]))


def _make(store: Store, names: Collection[str]) -> None:
    calls: list[tuple[int, ToolCall]] = []
    with ExitStack() as stack:
        filling = stack.enter_context(Filling(store)) if "contents" in names else None
        writer = stack.enter_context(TableWriter(store, *(name for name in names if name != "contents")))
        for stored in stored_spans(store, filling, talking="messages" in names, finding="documents" in names):
            span = stored.span
            if stored.talks:
                said = spoken(span)
                writer.add("messages", messages(span, said))
                calls += [(stored.start, call) for call in tool_calls(span, said)]
            if stored.finds:
                writer.add("documents", documents(span))
        if calls:
            # A call is asked for in one span and executed in another one: they are paired within their trace, in order.
            calls.sort(key=lambda each: (each[0], each[1].trace_id))
            writer.add("tool_calls", merge_tool_calls([call for _, call in calls], partial(parents, store)))
