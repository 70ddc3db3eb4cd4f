"""Stored contents -> the `contents`, `messages`, `documents` and `tool_calls` tables, made at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens import schema

from .contents import SpanContent, documents, merge_tool_calls, messages, tool_calls
from .load import without_gc
from .texts import make_contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from llmlens.store import Store

    from .contents.rows import ToolCall

_DERIVED = ("messages", "documents", "tool_calls")
#: Kinds that have none: looking is most of the cost.
_NO_DOCUMENTS = ("llm", "embedding", "event")
_NO_CALLS = ("retriever", "reranker", "embedding", "event")
_CHUNK = 2_000
_ROWS = 20_000


def derive(store: Store, name: str) -> None:
    """Make the tables that are made at first use, unless they are there; all but the texts come from one pass."""
    make_contents(store)
    if name != "contents":
        store.once(name, lambda: _make(store))


def _make(store: Store) -> None:
    for name in _DERIVED:
        columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in schema.TABLES[name].columns)
        store.execute(f"CREATE OR REPLACE TABLE {_partial(name)} ({columns})")
    calls: list[tuple[int, ToolCall]] = []
    parents: dict[tuple[str, str], str | None] = {}
    rows: dict[str, list[tuple[Any, ...]]] = {"messages": [], "documents": []}
    with without_gc():
        for start, span in _contents(store):
            rows["messages"] += messages(span)
            if span.kind not in _NO_DOCUMENTS:
                rows["documents"] += documents(span)
            if span.kind not in _NO_CALLS:
                calls += [(start, call) for call in tool_calls(span)]
            parents[span.trace_id, span.span_id] = span.parent_id
            for name, found in rows.items():
                if len(found) >= _ROWS:
                    _insert(store, name, found)
                    rows[name] = []
        # A call is asked for in one span and executed in another one: they are paired within their trace, in order.
        calls.sort(key=lambda each: (each[0], each[1].trace_id))
        rows["tool_calls"] = [tuple(row) for row in merge_tool_calls([call for _, call in calls], parents)]
        for name, found in rows.items():
            _insert(store, name, found)
    # The tables appear under their names only when they are complete: another thread may be looking.
    for name in _DERIVED:
        store.execute(f"ALTER TABLE {_partial(name)} RENAME TO {name}")


def _partial(name: str) -> str:
    return f"{name}_partial"


def _insert(store: Store, name: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        cast = ", ".join(f'CAST("{c.name}" AS {c.sql_type})' for c in schema.TABLES[name].columns)
        store.insert(f"INSERT INTO {_partial(name)} SELECT {cast} FROM derived_rows", derived_rows=_table(name, rows))


def _contents(store: Store) -> Iterator[tuple[int, SpanContent]]:
    """Give every span with its start in microseconds, as they were read."""
    # A load has its contents in two tables, which need not be joined to the resources; what was opened has them in one.
    contents = "(SELECT c.* EXCLUDE (input, output), t.input, t.output FROM content_rows c JOIN texts t USING (n))"
    query = f"""
        SELECT coalesce(epoch_us(s.start), 0), c.trace_id, c.span_id, s.parent_id, s.kind, s.name, s.status, c.input,
               c.output, c.attributes, c.events, c.links
        FROM {contents if store.has("texts") else "contents"} c JOIN spans s USING (trace_id, span_id)
    """
    for batch in store.batches(query, _CHUNK):
        for start, *values in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            yield start, span_content(*values)


def span_content(  # noqa: PLR0917
    trace_id: str,
    span_id: str,
    parent_id: str | None,
    kind: str,
    name: str,
    status: str,
    input: str | None,
    output: str | None,
    attributes: str | None,
    events: str | None,
    links: str | None,
) -> SpanContent:
    """Make what the functions of `contents` take, from one row of `spans` and `contents`."""
    return SpanContent(
        trace_id=trace_id,
        span_id=span_id,
        parent_id=parent_id,
        kind=kind,
        name=name,
        status=status,
        input=input,
        output=output,
        attributes=orjson.loads(attributes) if attributes else {},
        events=orjson.loads(events) if events else [],
        links=orjson.loads(links) if links else [],
    )


def _table(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "json": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "time": pa.string(),
    }
    columns = zip(schema.TABLES[name].columns, zip(*rows, strict=True), strict=True)
    return pa.table({c.name: pa.array(values, types[c.dtype]) for c, values in columns})
