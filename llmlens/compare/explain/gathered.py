"""What is known of some traces, as Arrow tables whose rows say by place which trace they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from .encoding import places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Parts(NamedTuple):
    """Rows of a table (spans, calls, ...) and the place of the trace that each belongs to."""

    places: NDArray[np.intp]
    table: pa.Table


@dataclass
class Gathered:
    """What is known of the traces `ids`.

    `traces` has a row a trace, that of the trace at place `i` is `rows[i]`: its start, texts and numbers. `spans` has a
    row a span, and a column a key of its JSON, named in `keys`; `several`, by name of attribute, parts with a column
    `value`, any number of rows a trace.
    """

    ids: pa.ChunkedArray
    rows: NDArray[np.intp]
    traces: pa.Table
    spans: Parts = field(default_factory=lambda: Parts(np.zeros(0, np.intp), pa.table({})))
    several: dict[str, Parts] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def united(sources: Sequence[Gathered]) -> Gathered:
    """Put what is known of several loads together; of a trace that is in two, the first has the numbers."""
    if len(sources) == 1:
        return sources[0]
    ids = pa.chunked_array([pa.chunked_array([c for each in sources for c in each.ids.chunks]).unique()])
    where = [places(each.ids, ids) for each in sources]

    def below(parts: Sequence[tuple[NDArray[np.intp], Parts]]) -> Parts:
        moved = [at[each.places] for at, each in parts]
        return Parts(np.concatenate(moved), _joined([each.table for _, each in parts]))

    traces = _joined([each.traces for each in sources])
    names = dict.fromkeys(name for each in sources for name in each.several)
    return Gathered(
        ids,
        places(ids, traces.column("trace_id")),
        traces,
        below([(at, each.spans) for at, each in zip(where, sources, strict=True)]),
        {
            name: below([(at, s.several[name]) for at, s in zip(where, sources, strict=True) if name in s.several])
            for name in names
        },
        list(dict.fromkeys(key for each in sources for key in each.keys)),
        list(dict.fromkeys(note for each in sources for note in each.notes)),
    )


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    """Put tables under each other; a column that one of them lacks is NA there."""
    return pa.concat_tables(list(tables), promote_options="permissive")
