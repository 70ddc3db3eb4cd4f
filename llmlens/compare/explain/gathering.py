"""Traces -> what each of them was, used and came to, as Arrow tables of a row a trace, span, call or document."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import ibis

from llmlens.schema import SPANS, TRACES

from .metadata import flatten

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

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
#: First words are looked for in so many characters; a text within JSON begins after its key.
_BEGINNING = 400
_IN_JSON = r'"(?:content|text)"\s*:\s*"((?:[^"\\]|\\.)*)'
_WORDS = r"^\s*(\S+(?:\s+\S+){0,2})"


@dataclass
class Gathered:
    """What is known of some traces.

    `traces` has a row a trace: its id, start, texts and numbers; `spans` a row a span. `several` holds by name of
    attribute tables of `trace_id` and `value`, any number of rows a trace; `flat` tables with a column a key of JSON.
    """

    traces: pa.Table
    spans: pa.Table
    several: dict[str, pa.Table] = field(default_factory=dict)
    flat: list[pa.Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def gather(traces: Selection) -> Gathered:
    """Pull what can explain a selection, by queries that reduce before they fetch."""
    spans, rollup = traces.table("spans"), traces.rollup()
    numbers = _of_spans(traces, spans)
    rows = rollup.select("trace_id", "start", *TRACE_NUMBERS, **{f"trace.{n}": rollup[n] for n in TRACE_TEXTS})
    if numbers is not None:
        rows = rows.left_join(numbers, "trace_id").drop("trace_id_right")
    made = Gathered(
        traces.store.compute(rows.order_by("trace_id")), traces.store.compute(spans.select("trace_id", *SPAN_TEXTS))
    )
    tags = spans.filter(spans.tags.length() > 0)
    made.several["tags"] = _fetched(traces, tags.select("trace_id", value=tags.tags.unnest()))
    for column in JSON:
        query = ibis.to_sql(spans.select("trace_id", column), dialect="duckdb")
        flat, notes = flatten(
            traces.store, query, column, made.spans.num_rows, single=made.spans.num_rows == made.traces.num_rows
        )
        made.flat.append(flat)
        made.notes += notes
    _gather_derived(traces, spans, made)
    return made


def _of_spans(traces: Selection, spans: ir.Table) -> ir.Table | None:
    """Give the numbers of spans, a row a trace; those that no span has are left out."""
    names = (*LARGEST, *SUMS)
    there = traces.store.compute(spans.agg(**{name: spans[name].count() for name in names})).to_pylist()[0]
    found = {name: spans[name].max() if name in LARGEST else spans[name].sum() for name in names if there[name]}
    return spans.group_by("trace_id").agg(**found) if found else None


def _gather_derived(traces: Selection, spans: ir.Table, made: Gathered) -> None:
    """Add tools, documents and first words, where their tables are there or soon made."""
    missed = []
    for table, name, column in (("tool_calls", "tool", "tool"), ("documents", "document_id", "document_id")):
        if made.spans.num_rows > _AFFORDABLE and not traces.store.has(table):
            missed.append(table)
            continue
        rows = traces.table(table)
        made.several[name] = _fetched(traces, rows.select("trace_id", value=rows[column]))
    if made.spans.num_rows > _AFFORDABLE and not traces.store.has("contents"):
        missed.append("contents")
    else:
        _gather_words(traces, spans, made)
    if missed:
        told = " and ".join(f"traces.{name}" for name in missed)
        made.notes.append(f"Not judged, as it takes long to put together: what is in {told}. Look at them once before.")


def _gather_words(traces: Selection, spans: ir.Table, made: Gathered) -> None:
    contents = traces.table("contents")
    for name, which in (("input.first_words", spans.depth == 0), ("prompt.first_words", spans.kind == "llm")):
        chosen = spans.filter(which).select("trace_id", "span_id")
        text = contents.semi_join(chosen, ["trace_id", "span_id"])
        text = text.select("trace_id", value=text.input.left(_BEGINNING))
        text = text.mutate(value=ibis.ifelse(text.value.re_search(r"^\s*[\[{]"), _inner(text.value), text.value))
        made.several[name] = _fetched(traces, text.mutate(value=text.value.re_extract(_WORDS, 1).nullif("")))


def _inner(text: ir.StringValue) -> ir.StringValue:
    """Give the first text within JSON, on one line."""
    return text.re_extract(_IN_JSON, 1).replace("\\n", " ").nullif("")


def _fetched(traces: Selection, rows: ir.Table) -> pa.Table:
    return traces.store.compute(rows.filter(rows.value.notnull()).distinct())
