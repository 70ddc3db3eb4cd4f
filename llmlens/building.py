"""DataFrames by name of table -> a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ReadError, unknown
from .schema import TABLES
from .store import STORED, Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def store_of(frames: Mapping[str, pd.DataFrame]) -> Store:
    """Put DataFrames into a new store; see `Traces.from_frames`."""
    import duckdb
    import pyarrow as pa

    store = Store()
    store.create_empty()
    for name, frame in frames.items():
        if name not in STORED:
            what = "stored table"
            raise unknown(what, name, STORED)
        if not hasattr(frame, "columns"):
            raise ReadError(f"from_frames takes DataFrames by name of table; {name} is {type(frame).__name__}.")
        try:
            store.insert_frame(name, frame)
        except (pa.ArrowException, duckdb.Error) as error:
            raise ReadError(f"The frame of {name} does not fit the table: {str(error).splitlines()[0]}") from None
        if lost := _unidentified(store, name):
            told = "trace_id and span_id, which must be given and together occur once"
            raise ReadError(f"The frame of {name} has {lost} rows without {told}.")
    if "depth" not in frames.get("spans", ()):
        from .read.tree import set_depths

        set_depths(store)
    return store


def _unidentified(store: Store, name: str) -> int:
    """Count the rows of a stored table whose span id is missing or taken; 0 where a row is no span."""
    if TABLES[name].key != ("trace_id", "span_id"):
        return 0
    known = f"SELECT DISTINCT trace_id, span_id FROM {name} WHERE trace_id IS NOT NULL AND span_id IS NOT NULL"
    found = store.execute(f"SELECT count(*) - (SELECT count(*) FROM ({known})) FROM {name}").fetchone()
    return int(found[0]) if found else 0
