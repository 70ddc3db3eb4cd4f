"""Do the measures say the same on another engine? Their Ibis expressions on DuckDB and on ClickHouse.

    pip install "llmlens[engines]"
    python bench/second_engine.py --dump data_samples/support_week.otlp.jsonl.gz

Each measure runs on DuckDB, then with its expressions compiled for ClickHouse and run by chDB over copies of the same
tables. A line says how many rows came, and the largest relative difference of a number; the notes must be the same.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import llmlens as ll
from llmlens.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import ibis.expr.types as ir

    from llmlens.measure.shape import Result
    from llmlens.traces import Traces

MEASURES: dict[str, Callable[[Traces], Result]] = {
    "cost": lambda t: ll.cost(t, by=["feature", "model"], every="1D"),
    "cost_per_goal": lambda t: ll.cost_per_goal(t, by="feature", per="session"),
    "budget": lambda t: ll.budget(t, monthly=100),
    "cost_anomalies": lambda t: ll.cost_anomalies(t, by="feature"),
    "latency": lambda t: ll.latency(t, by="feature", every="1D"),
    "errors": lambda t: ll.errors(t, by="feature"),
    "quality": lambda t: ll.quality(t, by="feature", every="1D"),
    "slo": lambda t: ll.slo(t, "helpfulness >= 0.7", target=0.95),
    "agents": lambda t: ll.agents(t, by="feature"),
    "context_growth": lambda t: ll.context_growth(t, by="feature"),
    "sessions": lambda t: ll.sessions(t, by="feature", every="1D"),
    "users": lambda t: ll.users(t, by="feature"),
    "critical_path": lambda t: ll.critical_path(t, by="feature"),
    "handoffs": ll.handoffs,
    "tools": ll.tools,
    "loops": ll.loops,
}


class ClickHouse:
    """Tables of one store at a time, copied into a ClickHouse of this process when they are first asked for."""

    def __init__(self) -> None:
        """Open an empty database."""
        from chdb.session import Session

        self._session = Session()
        self._store: Store | None = None
        self._known: set[str] = set()

    def compute(self, store: Store, expression: ir.Expr) -> pa.Table:
        """Run an expression here instead of in the store."""
        if store is not self._store:
            for name in self._known:
                self._session.query(f"DROP TABLE {name}")
            self._store, self._known = store, set()
        for table in expression.op().find(ibis.expr.operations.DatabaseTable):
            self._copy(store, table.name)
        sql = ibis.to_sql(expression, dialect="clickhouse")
        found = self._session.query(f"{sql}\nSETTINGS join_use_nulls = 1", "Arrow")
        table = pa.ipc.open_file(pa.BufferReader(found.bytes())).read_all()
        return _typed(table, expression.as_table().schema())

    def _copy(self, store: Store, name: str) -> None:
        if name in self._known:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.parquet"
            pq.write_table(store.arrow(f"SELECT * FROM {name}"), path)
            self._session.query(
                f"CREATE TABLE {name} ENGINE = Memory AS SELECT * FROM file('{path}', Parquet) "
                "SETTINGS schema_inference_make_columns_nullable = 1"
            )
        self._known.add(name)


def _typed(table: pa.Table, schema: ibis.Schema) -> pa.Table:
    """Give the columns the types that DuckDB gives them; a ClickHouse time in whole seconds comes as a number."""
    for place, (name, dtype) in enumerate(schema.items()):
        column = table.column(place)
        if dtype.is_timestamp() and pa.types.is_integer(column.type):
            column = column.cast(pa.int64()).cast(pa.timestamp("s", tz="UTC"))
        elif dtype.is_boolean():
            column = column.cast(pa.bool_())
        elif dtype.is_string():
            column = column.cast(pa.string())
        table = table.set_column(place, name, column)
    return table


@contextmanager
def on_clickhouse(engine: ClickHouse) -> Iterator[None]:
    """Let what is computed be computed there."""
    with mock.patch.object(Store, "compute", lambda store, expression: engine.compute(store, expression)):  # noqa: PLW0108  # binds the store
        yield


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Give the largest relative difference of a number; raise where anything else differs."""
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other), check_dtype=False, rtol=1e-6, atol=1e-12)
    numbers = [
        frame.select_dtypes("number").to_numpy(float, na_value=np.nan)
        for frame in (pd.DataFrame(one), pd.DataFrame(other))
    ]
    apart = np.abs(numbers[0] - numbers[1]) / np.maximum(np.abs(numbers[0]), 1e-12)
    return float(np.nanmax(apart, initial=0.0)) if apart.size else 0.0


def compared(traces: Traces, measure: Callable[[Traces], Result], engine: ClickHouse) -> tuple[int, float]:
    """Measure on both engines: the rows, and the largest difference."""
    here = measure(traces)
    with on_clickhouse(engine):
        there = measure(traces)
    if here.notes != there.notes:
        raise AssertionError(f"notes differ: {here.notes} on DuckDB, {there.notes} on ClickHouse")
    return len(here), difference(here, there)


def main() -> None:
    """Print a line a measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--dump", type=Path, required=True)
    traces, engine = ll.read_otlp(parser.parse_args().dump), ClickHouse()
    print(f"{'measure':<16} {'rows':>6}  largest relative difference from DuckDB")
    for name, measure in MEASURES.items():
        rows, apart = compared(traces, measure, engine)
        print(f"{name:<16} {rows:>6}  {apart:.1e}")


if __name__ == "__main__":
    main()
