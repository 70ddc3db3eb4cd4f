"""Where the tables live: an embedded DuckDB, in memory, that spills to disk."""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .frames import arrow_of
from .schema import TABLES
from .sql import duckdb_sql

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa

#: The tables that are stored; the others of the schema are derived from them on first use.
STORED = ("spans", "contents", "scores", "problems")

#: What is known of a trace beside its spans; not a public table, it feeds `traces`.
TRACE_INFO = "CREATE TABLE trace_info (trace_id VARCHAR, name VARCHAR, url VARCHAR)"


def connect() -> duckdb.DuckDBPyConnection:
    """Open an empty in-memory DuckDB that never touches the network and keeps time in UTC.

    `LLMLENS_MEMORY` (such as "8GB") sets how much memory it may take before it spills to disk, 3 GB or half of the
    machine's memory by default, whichever is more; `LLMLENS_THREADS` how many threads it may use.
    """
    import duckdb

    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        # There is no file to check point into; DuckDB would rewrite all tables at the first large commit all the same.
        "checkpoint_threshold": "1TB",
        "temp_directory": str(Path(tempfile.gettempdir()) / f"llmlens-{os.getpid()}"),
        "memory_limit": os.environ.get("LLMLENS_MEMORY") or f"{max(3, _machine_gb() // 2)}GB",
    }
    if threads := os.environ.get("LLMLENS_THREADS"):
        config["threads"] = int(threads)
    con = duckdb.connect(":memory:", config=config)
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    return con


def _machine_gb() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 10**9
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return 12


class Store:
    """A set of tables in one DuckDB, shared by every selection made from it.

    Every query runs on a cursor of its own, so that a widget's handler on another thread never meets the user's cell.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection | None = None) -> None:
        """Wrap a connection, or open a new database."""
        self.con = con if con is not None else connect()
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._ibis: dict[str, ir.Table] = {}
        self._backends: tuple[Any, Any] | None = None
        #: Where tables are read from that stay in files.
        self.folder: Path | None = None

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Open a cursor for one piece of work on one thread."""
        cursor = self.con.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor

    def execute(self, sql: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        """Run SQL on a cursor of its own and return that cursor."""
        cursor = self.cursor()
        return cursor.execute(sql, parameters) if parameters is not None else cursor.execute(sql)

    def insert(self, sql: str, **tables: Any) -> None:
        """Run an INSERT (or UPDATE, DELETE, CREATE) that reads Arrow tables by these names."""
        cursor = self.cursor()
        for name, table in tables.items():
            cursor.register(name, table)
        cursor.execute(sql)

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and give the result as an Arrow table."""
        return self.cursor().sql(sql).to_arrow_table()

    def compute(self, expression: ir.Expr) -> pa.Table:
        """Run an Ibis expression over tables of this store and give the result as an Arrow table."""
        import pyarrow as pa

        table = self.arrow(duckdb_sql(expression))
        # DuckDB widens sums of integers to 128 bits, which reach Arrow as floats.
        for place, (name, dtype) in enumerate(expression.as_table().schema().items()):
            if dtype.is_integer() and not pa.types.is_integer(table.schema.field(place).type):
                table = table.set_column(place, name, table.column(place).cast(pa.int64()))
        return table

    def batches(self, sql: str, rows: int) -> pa.RecordBatchReader:
        """Run a query and give the result as a stream of Arrow batches of about so many rows."""
        return self.cursor().sql(sql).to_arrow_reader(rows)

    def create_empty(self) -> None:
        """Create the stored tables without rows."""
        for name in STORED:
            columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in TABLES[name].columns)
            self.execute(f"CREATE TABLE {name} ({columns})")
        self.execute(TRACE_INFO)

    def insert_frame(self, name: str, frame: pd.DataFrame) -> None:
        """Append a DataFrame to a stored table, by name of column; missing columns become NA."""
        table = TABLES[name]
        for column in frame.columns:
            table[str(column)]  # raises for a column that the table does not have
        selected = ", ".join(
            f'CAST("{c.name}" AS {c.sql_type}) AS "{c.name}"' if c.name in frame.columns else f"NULL::{c.sql_type}"
            for c in table.columns
        )
        self.insert(f"INSERT INTO {name} SELECT {selected} FROM incoming", incoming=arrow_of(frame))

    def keep(self, query: ir.Table, prefix: str) -> ir.Table:
        """Run a query and keep its result as a table, until no selection and no expression speaks of it any more."""
        name = f"{prefix}_{next(self._numbers)}"
        self.execute(f"CREATE TABLE {name} AS {duckdb_sql(query)}")
        table = self._table(name, query.schema())
        weakref.finalize(table.op(), _drop, self.con, name).atexit = False
        return table

    def ibis(self, name: str) -> ir.Table:
        """Give the Ibis table of a table or view of this store."""
        with self._lock:
            if name not in self._ibis:
                # Asked on a connection of its own: the user may be executing an expression on the other one.
                self._ibis[name] = self._table(name, self._connections()[1].get_schema(name))
            return self._ibis[name]

    def _table(self, name: str, columns: Any) -> ir.Table:
        import ibis.expr.operations as ops

        return ops.DatabaseTable(name=name, schema=columns, source=self._connections()[0]).to_expr()

    def _connections(self) -> tuple[Any, Any]:
        """Give Ibis' connection for the user's expressions, and the one that describes tables."""
        with self._lock:
            if self._backends is None:
                import ibis

                self._backends = ibis.duckdb.from_connection(self.con), ibis.duckdb.from_connection(self.cursor())
            return self._backends

    def has(self, name: str) -> bool:
        """Say whether there is a table or view of this name."""
        found = self.execute("SELECT 1 FROM information_schema.tables WHERE table_name = ?", [name]).fetchone()
        return found is not None

    def once(self, name: str, make: Any) -> str:
        """Make a derived table at first use, once, also when several threads ask for it."""
        with self._lock:
            if not self.has(name):
                make()
            return name


def _drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    import duckdb

    try:
        con.cursor().execute(f"DROP TABLE IF EXISTS {name}")
    except duckdb.Error:  # the interpreter is going down and the database with it
        return
