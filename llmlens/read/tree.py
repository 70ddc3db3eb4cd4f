"""Parents -> trees: the depth of every span, cycles cut, orphans found. Vectorised over all traces at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from llmlens.store import Store


@dataclass(frozen=True, slots=True)
class Depths:
    """`depth[i]` of span i, 0 on roots; `cut` are the spans whose parent closed a cycle and who were made roots."""

    depth: NDArray[np.int64]
    cut: NDArray[np.int64]


def depths(parent: NDArray[np.int64], start: NDArray[np.int64]) -> Depths:
    """Compute depths by pointer jumping: O(n log n) whatever the shape, no recursion.

    `parent[i]` is the index of the parent of i, or -1. A cycle (a self-parent is one) is cut at its earliest span.
    """
    n = len(parent)
    parent = parent.copy()
    cut = _cycle_heads(parent, start)
    parent[cut] = -1
    root = n  # one more node that is its own parent: the end of every climb
    up = np.append(np.where(parent < 0, root, parent), root)
    depth = np.append(np.ones(n, np.int64), 0)
    while (up[:n] != root).any():
        depth = depth + depth[up]
        up = up[up]
    return Depths(depth[:n] - 1, cut)


def _cycle_heads(parent: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    n = len(parent)
    up = np.append(np.where(parent < 0, n, parent), n)
    for _ in range(max(1, int(np.ceil(np.log2(max(n, 2)))) + 1)):
        up = up[up]
    # After n steps or more a climb has ended, or it stands on a cycle; every node of a cycle is reached by one of them.
    on_cycle = np.unique(up[:n][up[:n] != n])
    heads = []
    seen: set[int] = set()
    for first in on_cycle.tolist():
        if first in seen:
            continue
        members = [first]
        seen.add(first)
        node = int(parent[first])
        while node != first:
            members.append(node)
            seen.add(node)
            node = int(parent[node])
        heads.append(min(members, key=lambda i: (int(start[i]), i)))
    return np.array(heads, np.int64)


def parents_of(store: Store, table: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give (n, index of the parent or -1, start in µs) of each row of `table`, which has a running number `n`."""
    rows = store.arrow(f"""
        SELECT s.n AS n, p.n AS parent, epoch_us(s.start) AS start FROM {table} s
        LEFT JOIN {table} p ON p.trace_id = s.trace_id AND p.span_id = s.parent_id ORDER BY s.n
    """)
    n = rows["n"].to_numpy()
    number = rows["parent"].fill_null(-1).to_numpy()
    start = rows["start"].fill_null(np.iinfo(np.int64).max).to_numpy()
    parent = np.where(number < 0, -1, np.searchsorted(n, number))
    return n, parent, start


def set_depths(store: Store) -> None:
    """Fill `depth` in the spans of a store that was built from DataFrames."""
    import pyarrow as pa

    store.execute("CREATE TABLE numbered AS SELECT *, row_number() OVER () AS n FROM spans")
    n, parent, start = parents_of(store, "numbered")
    query = """
        CREATE OR REPLACE TABLE spans AS
        SELECT s.* EXCLUDE (n) REPLACE (d.depth AS depth) FROM numbered s JOIN found_depths d USING (n) ORDER BY n
    """
    store.insert(query, found_depths=pa.table({"n": n, "depth": depths(parent, start).depth}))
    store.execute("DROP TABLE numbered")
