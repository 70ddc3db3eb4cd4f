"""Stored contents -> the `contents`, `messages`, `documents` and `tool_calls` tables, made at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens import schema

from .contents import SpanContent, documents, merge_tool_calls, messages, tool_calls
from .load import without_gc
from .texts import make_contents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from llmlens.store import Store

    from .contents.rows import ToolCall

_MAKERS: dict[str, Callable[[SpanContent], Iterable[tuple[Any, ...]]]] = {
    "messages": messages,
    "documents": documents,
    "tool_calls": tool_calls,
}
_CHUNK = 20_000


def derive(store: Store, name: str) -> None:
    """Make one of the tables that are made at first use, unless it is there."""
    make_contents(store)
    if name != "contents":
        store.once(name, lambda: _make(store, name))


def _make(store: Store, name: str) -> None:
    table = schema.TABLES[name]
    columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in table.columns)
    partial = f"{name}_partial"
    store.execute(f"CREATE OR REPLACE TABLE {partial} ({columns})")
    cast = ", ".join(f'CAST("{c.name}" AS {c.sql_type})' for c in table.columns)
    with without_gc():
        for rows in _rows(store, name):
            store.insert(f"INSERT INTO {partial} SELECT {cast} FROM derived_rows", derived_rows=_table(name, rows))
    # The table appears under its name only when it is complete: another thread may be looking.
    store.execute(f"ALTER TABLE {partial} RENAME TO {name}")


def _rows(store: Store, name: str) -> Iterator[list[tuple[Any, ...]]]:
    make = _MAKERS[name]
    if name != "tool_calls":
        for spans in _contents(store):
            rows = [tuple(row) for span in spans for row in make(span)]
            if rows:
                yield rows
        return
    # A call is asked for in one span and executed in another one: they are paired within their trace.
    calls: list[ToolCall] = []
    parents: dict[tuple[str, str], str | None] = {}
    for spans in _contents(store):
        for span in spans:
            found = tool_calls(span)
            if found:
                calls += found
            parents[span.trace_id, span.span_id] = span.parent_id
    if calls:
        yield [tuple(row) for row in merge_tool_calls(calls, parents)]


def _contents(store: Store) -> Iterator[list[SpanContent]]:
    query = """
        SELECT c.trace_id, c.span_id, s.parent_id, s.kind, s.name, s.status, c.input, c.output, c.attributes, c.events,
               c.links
        FROM contents c JOIN spans s USING (trace_id, span_id)
        ORDER BY s.start, c.trace_id, c.span_id
    """
    for batch in store.batches(query, _CHUNK):
        yield [span_content(*values) for values in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


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
