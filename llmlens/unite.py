"""Two selections of different loads -> one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .sql import duckdb_sql
from .store import Store

if TYPE_CHECKING:
    from .selection import Selection

#: What makes a row the same row; problems are the same when all of them is.
_KEYS = {
    "spans": "trace_id, span_id",
    "contents": "trace_id, span_id",
    "scores": "score_id",
    "trace_info": "trace_id",
}


def unite(left: Selection, right: Selection) -> Store:
    """Copy both selections into a new store; what is in both is taken from the left.

    A trace whose spans were in two files becomes one tree.
    """
    store = Store()
    store.create_empty()
    for selection in (left, right):
        for name, table in selection.stored().items():
            rows = selection.store.batches(duckdb_sql(table), 50_000)
            new = f"ANTI JOIN {name} USING ({_KEYS[name]})" if name in _KEYS else f"EXCEPT ALL FROM {name}"
            store.insert(f"INSERT INTO {name} BY NAME SELECT incoming.* FROM incoming {new}", incoming=rows)
    if left.span_ids is None and right.span_ids is None:
        from .read.tree import set_depths

        set_depths(store)
    return store
