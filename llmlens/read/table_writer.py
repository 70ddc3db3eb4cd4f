"""Rows of tidy tables -> the tables in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    import pyarrow as pa

    from llmlens.store import Store

_ROWS = 20_000


class TableWriter:
    """Makes tables in one transaction: they appear at once and whole, or not at all; another thread may be looking."""

    def __init__(self, store: Store, *names: str) -> None:
        """Say which tables of the schema are made."""
        self._cursor = store.cursor()
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in names}

    def __enter__(self) -> Self:
        """Create the tables."""
        self._cursor.begin()
        for name in self._rows:
            columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in TABLES[name].columns)
            self._cursor.execute(f"CREATE TABLE {name} ({columns})")
        return self

    def add(self, name: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Take rows of a table, in the order of its columns; they are inserted in batches."""
        waiting = self._rows[name]
        waiting += rows
        if len(waiting) >= _ROWS:
            self._insert(name, waiting)

    def _insert(self, name: str, waiting: list[tuple[Any, ...]]) -> None:
        cast = ", ".join(f'CAST("{c.name}" AS {c.sql_type})' for c in TABLES[name].columns)
        rows = _arrow(name, waiting)  # noqa: F841  # the SQL speaks of it; registered, it would be held until the commit
        self._cursor.execute(f"INSERT INTO {name} SELECT {cast} FROM rows")
        waiting.clear()

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Insert what is left and show the tables; after a failure there are none."""
        if failure is None:
            for name, rows in self._rows.items():
                if rows:
                    self._insert(name, rows)
            self._cursor.commit()
        else:
            self._cursor.rollback()


def _arrow(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "json": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "time": pa.string(),
    }
    columns = zip(TABLES[name].columns, zip(*rows, strict=True), strict=True)
    return pa.table({c.name: pa.array(values, types[c.dtype]) for c, values in columns})
