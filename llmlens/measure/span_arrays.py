"""Spans of a selection -> arrays: their trees, and what else a measure asks of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .forest import Forest

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa
    from numpy.typing import NDArray

    from llmlens.traces import Traces


@dataclass(frozen=True, slots=True)
class SpanArrays:
    """The spans that have a start: their `forest`, the `rows` they are (in its order), the ids of the traces, notes."""

    forest: Forest
    rows: pa.Table
    trace_ids: pa.Array
    notes: list[str]


def span_arrays(traces: Traces, spans: ir.Table, *names: str) -> SpanArrays:
    """Fetch the trees of `spans` and these columns of theirs.

    A span without a start is left out, and its children belong to the trace; one that never ended lasts as long as the
    spans below it.
    """
    import pyarrow.compute as pc

    wanted = dict.fromkeys(("trace_id", "span_id", "parent_id", "depth", "start", "end", *names))
    found = traces.fetch_arrow(spans.select(*wanted))
    rows = found.filter(pc.is_valid(found["start"])).combine_chunks()
    trace_ids, trace = codes_of(rows["trace_id"])
    parent = parents_of(rows, trace)
    start, open_ = _micros(rows["start"]), pc.is_null(rows["end"]).to_numpy()
    end = np.where(open_, start, _micros(pc.coalesce(rows["end"], rows["start"])))
    _close(parent, end, open_)
    n = {"have no start: left out.": len(found) - len(rows), "never ended: as long as what is below.": open_.sum()}
    n["ended before they began: no length."] = (end < start).sum()
    early = (parent >= 0) & (start < start[parent])
    n["began before the span they are in (clocks that disagree): only what lies in it counts."] = early.sum()
    notes = [f"{count:,} of {len(found):,} spans {text}" for text, count in n.items() if count]
    notes += [] if len(found) else ["There are no spans."]
    return SpanArrays(Forest(parent, start, end, trace), rows, trace_ids, notes)


def texts_of(rows: pa.Table, name: str) -> tuple[list[str | None], NDArray[np.int64]]:
    """Give the distinct values of a text column, and for each row the place of its value there; -1 is NA."""
    values, codes = codes_of(rows[name])
    return values.to_pylist(), codes


def codes_of(column: pa.ChunkedArray) -> tuple[pa.Array, NDArray[np.int64]]:
    """Give the distinct values of a column, and the number of each row's value; NA is -1."""
    import pyarrow as pa

    chunk = column.combine_chunks()
    whole = chunk if isinstance(chunk, pa.Array) else pa.concat_arrays(chunk.chunks)
    encoded = whole.dictionary_encode()
    return encoded.dictionary, encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)


def parents_of(rows: pa.Table, trace: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the row of each span's parent, -1 on roots, also on those that were made roots to cut a cycle.

    `rows` have trace_id, span_id, parent_id and depth; `trace` is the number of each row's trace.
    """
    import pyarrow.compute as pc

    ids, own = codes_of(rows["span_id"])
    above = pc.index_in(rows["parent_id"], value_set=ids).fill_null(-1).to_numpy().astype(np.int64)
    wanted = (above >= 0) & (rows["depth"].fill_null(0).to_numpy() > 0)
    keys = trace * len(ids) + own
    order = np.argsort(keys, kind="stable")
    asked = trace[wanted] * len(ids) + above[wanted]
    place = np.minimum(np.searchsorted(keys[order], asked), len(keys) - 1)
    parent = np.full(len(own), -1, np.int64)
    if wanted.any():
        row = order[place]
        parent[wanted] = np.where(keys[row] == asked, row, -1)
    return parent


def _micros(times: pa.ChunkedArray) -> NDArray[np.int64]:
    import pyarrow as pa

    values: NDArray[np.int64] = times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    return values


def _close(parent: NDArray[np.int64], end: NDArray[np.int64], open_: NDArray[np.bool_]) -> None:
    """Let spans that never ended last until the last end below them."""
    below = np.flatnonzero((parent >= 0) & open_[parent])
    while len(below):
        before = end[parent[below]]
        np.maximum.at(end, parent[below], end[below])
        if (end[parent[below]] == before).all():
            return
