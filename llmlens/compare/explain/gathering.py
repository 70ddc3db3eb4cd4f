"""Traces -> what each of them was, used and came to, by queries that reduce before they fetch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from llmlens.schema import SPANS, TRACES
from llmlens.sql import duckdb_sql

from .encoding import places
from .first_words import first_words
from .gathered import Gathered, Parts
from .metadata import find_keys

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from numpy.typing import NDArray

    from llmlens.selection import Selection

#: Columns that tell a span or a trace from all others, or are told by another column.
_IDS = {"trace_id", "span_id", "parent_id", "url", "input", "output", "end"}
SPAN_TEXTS = tuple(c.name for c in SPANS.columns if c.dtype == "text" and c.name not in _IDS)
JSON = tuple(c.name for c in SPANS.columns if c.dtype == "json")
TRACE_TEXTS = ("name", "status")
TRACE_NUMBERS = tuple(c.name for c in TRACES.columns if c.dtype in ("integer", "number"))
#: Numbers of spans that traces do not have: the largest of a trace, or the sum.
LARGEST, SUMS = ("ttft_s",), ("cache_write_tokens", "reasoning_tokens")
#: Messages, calls and documents are put together on first use, at some cost: for loads of up to so many spans.
_AFFORDABLE = 100_000


def gather(traces: Selection) -> Gathered:
    """Pull what can explain a selection of whole traces."""
    rollup = traces.rollup()
    texts = {f"trace.{name}": rollup[name] for name in TRACE_TEXTS}
    found = traces.store.compute(rollup.select("trace_id", "start", *TRACE_NUMBERS, **texts))
    ids = found.column("trace_id")
    rows: NDArray[np.intp] = pc.sort_indices(ids).to_numpy().astype(np.intp)
    made = Gathered(ids.take(rows), rows, found)
    _gather_spans(traces, made)
    _gather_derived(traces, made)
    return made


def _gather_spans(traces: Selection, made: Gathered) -> None:
    """Add the spans, with a column a key of their JSON, and their tags."""
    spans = traces.table("spans")
    (n_spans,) = traces.store.compute(spans.count()).column(0).to_pylist()
    columns, held = ["trace_id", "tags", *SPAN_TEXTS, *LARGEST, *SUMS], []
    fetched = list(columns)
    for column in JSON:
        query = duckdb_sql(spans.select("trace_id", column))
        keys, notes = find_keys(traces.store, query, column, n_spans)
        made.notes += notes
        if keys.keys:
            held.append(f"{keys.sql} AS {column}_held")
            fetched += [f"{column}_held[{place}]" for place in range(1, len(keys.keys) + 1)]
            made.keys += keys.names
    rows = duckdb_sql(spans.select(*columns, *JSON))
    table = traces.store.arrow(f"SELECT {', '.join(fetched)} FROM (SELECT {', '.join(['*', *held])} FROM ({rows}))")
    made.spans = _placed(made, table.rename_columns([*columns, *made.keys]))
    made.several["tags"] = _tags(made.spans)


def _placed(made: Gathered, table: pa.Table) -> Parts:
    return Parts(places(table.column("trace_id"), made.ids), table.drop_columns("trace_id"))


def _tags(spans: Parts) -> Parts:
    """Give the tags of spans, a row each."""
    lists = spans.table.column("tags")
    sizes = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    return Parts(np.repeat(spans.places, sizes), pa.table({"value": pc.list_flatten(lists)}))


def _gather_derived(traces: Selection, made: Gathered) -> None:
    """Add tools, documents and first words, where their tables are there or soon made."""
    missed = []
    affordable = made.spans.table.num_rows <= _AFFORDABLE
    for table, name, column in (("tool_calls", "tool", "tool"), ("documents", "document_id", "document_id")):
        if not affordable and not traces.store.has(table):
            missed.append(table)
            continue
        rows = traces.table(table)
        made.several[name] = _fetched(traces, made, rows.select("trace_id", value=rows[column]))
    if not affordable and not traces.store.has("contents"):
        missed.append("contents")
    else:
        _gather_words(traces, made)
    if missed:
        told = " and ".join(f"traces.{name}" for name in missed)
        made.notes.append(f"Not judged, as it takes long to put together: what is in {told}. Look at them once before.")


def _gather_words(traces: Selection, made: Gathered) -> None:
    words = first_words(traces)
    for name, which in (("input.first_words", words.of_root), ("prompt.first_words", words.of_prompt)):
        made.several[name] = _fetched(traces, made, words.filter(which).select("trace_id", value="words"))


def _fetched(traces: Selection, made: Gathered, rows: ir.Table) -> Parts:
    return _placed(made, traces.store.compute(rows.filter(rows.value.notnull()).distinct()))
