"""Stored contents -> the `contents`, `messages`, `documents` and `tool_calls` tables, made at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens.schema import TABLES

from .contents import SpanContent, documents, merge_tool_calls, messages, spoken, tool_calls
from .load import without_gc
from .texts import make_contents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    import pyarrow as pa

    from llmlens.store import Store

    from .contents.rows import ToolCall

#: Spans that say something as messages or calls; what the others give and take is none, whatever it looks like.
_TALKING = "coalesce(kind, 'span') NOT IN ('retriever', 'reranker', 'embedding', 'event')"
#: Spans that may have documents: in their answer, or written as such under names that all have this word.
_FINDING = """
    kind IN ('retriever', 'reranker') OR coalesce(kind, 'span') NOT IN ('llm', 'embedding', 'event')
    AND (contains(attributes, 'documents') OR events IS NOT NULL)
"""
_CHUNK = 2_000
_ROWS = 20_000


def derive(store: Store, name: str) -> None:
    """Make the tables that are made at first use, unless they are there.

    Messages and tool calls come from one pass, because a model's answer holds both.
    """
    with without_gc():
        make_contents(store)
    if name == "documents":
        store.once(name, lambda: _make_documents(store))
    elif name != "contents":
        store.once(name, lambda: _make_messages_and_calls(store))


def _make_documents(store: Store) -> None:
    with without_gc(), _Writer(store, "documents") as writer:
        for _, span in _spans(store, _FINDING):
            writer.add("documents", documents(span))


def _make_messages_and_calls(store: Store) -> None:
    calls: list[tuple[int, ToolCall]] = []
    with without_gc(), _Writer(store, "messages", "tool_calls") as writer:
        for start, span in _spans(store, _TALKING):
            said = spoken(span)
            writer.add("messages", messages(span, said))
            calls += [(start, call) for call in tool_calls(span, said)]
        # A call is asked for in one span and executed in another one: they are paired within their trace, in order.
        calls.sort(key=lambda each: (each[0], each[1].trace_id))
        writer.add("tool_calls", merge_tool_calls([call for _, call in calls], _parents(store)))


class _Writer:
    """Makes tables in one transaction: they appear at once and whole, or not at all; another thread may be looking."""

    def __init__(self, store: Store, *names: str) -> None:
        self._cursor = store.cursor()
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in names}

    def __enter__(self) -> Self:
        self._cursor.begin()
        for name in self._rows:
            columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in TABLES[name].columns)
            self._cursor.execute(f"CREATE TABLE {name} ({columns})")
        return self

    def add(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Take rows of a table, in the order of its columns; they are inserted in batches."""
        waiting = self._rows[name]
        waiting += rows
        if len(waiting) >= _ROWS:
            self._insert(name, waiting)

    def _insert(self, name: str, waiting: list[tuple[Any, ...]]) -> None:
        cast = ", ".join(f'CAST("{c.name}" AS {c.sql_type})' for c in TABLES[name].columns)
        rows = _arrow(name, waiting)  # noqa: F841  # the SQL speaks of it; registered, it would be held until the commit
        self._cursor.execute(f"INSERT INTO {name} SELECT {cast} FROM rows")
        waiting.clear()

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is None:
            for name, rows in self._rows.items():
                if rows:
                    self._insert(name, rows)
            self._cursor.commit()
        else:
            self._cursor.rollback()


def _arrow(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "json": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "time": pa.string(),
    }
    columns = zip(TABLES[name].columns, zip(*rows, strict=True), strict=True)
    return pa.table({c.name: pa.array(values, types[c.dtype]) for c, values in columns})


def _parents(store: Store) -> dict[tuple[str, str], str | None]:
    columns = store.arrow("SELECT trace_id, span_id, parent_id FROM spans").columns
    return {(trace, span): parent for trace, span, parent in zip(*(c.to_pylist() for c in columns), strict=True)}


def _spans(store: Store, where: str) -> Iterator[tuple[int, SpanContent]]:
    """Give the spans that fulfil `where`, each with its start in microseconds, as they were read."""
    # A load has its contents in two tables, which need not be joined to the resources; what was opened has them in one.
    contents = "(SELECT c.* EXCLUDE (input, output), t.input, t.output FROM content_rows c JOIN texts t USING (n))"
    # JSON comes as bytes, which are parsed without making Python texts of them first.
    query = f"""
        SELECT coalesce(epoch_us(s.start), 0), c.trace_id, c.span_id, s.kind, s.name, s.status, c.input, c.output,
               encode(c.attributes), encode(c.events)
        FROM {contents if store.has("texts") else "contents"} c JOIN spans s USING (trace_id, span_id) WHERE {where}
    """
    for batch in store.batches(query, _CHUNK):
        rows = zip(*(c.to_pylist() for c in batch.columns), strict=True)
        for start, trace_id, span_id, kind, name, status, given, gave, attributes, events in rows:
            yield (
                start,
                SpanContent(
                    trace_id, span_id, None, kind, name, status, given, gave,
                    orjson.loads(attributes) if attributes else {}, orjson.loads(events) if events else [],
                ),
            )  # fmt: skip
