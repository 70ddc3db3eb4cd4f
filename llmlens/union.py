"""Two selections of different loads -> one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from .store import STORED, Store

if TYPE_CHECKING:
    from .traces import Traces


def unite(left: Traces, right: Traces) -> Store:
    """Copy both selections into a new store; a span (or score) that is in both is taken from the left."""
    store = Store()
    store.create_empty()
    keys = {"spans": "trace_id, span_id", "contents": "trace_id, span_id", "scores": "score_id"}
    for traces in (left, right):
        for name in (*STORED, "trace_info"):
            table = traces._store.ibis("trace_info") if name == "trace_info" else traces.table(name)
            rows = traces._store.batches(ibis.to_sql(table, dialect="duckdb"), 50_000)
            new = f"ANTI JOIN {name} USING ({keys[name]})" if name in keys else ""
            store.insert(f"INSERT INTO {name} BY NAME SELECT incoming.* FROM incoming {new}", incoming=rows)
    return store
