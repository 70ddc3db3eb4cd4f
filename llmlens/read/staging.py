"""Where rows wait until all spans are there: `staged` has the tidy columns; contents and logs are beside it.

All of them come in one transaction, on one thread. DuckDB moves the rows of a first transaction into an empty table as
they are, where it would copy those of each later one; and a chunk is too small to be shared by threads, which would
collect its rows apart and copy them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.schema import SPANS, USAGE_KINDS

from .conventions import MACROS
from .finish import LOGS
from .texts import CONTENT_ROWS

if TYPE_CHECKING:
    import pyarrow as pa

    from llmlens.store import Store

    from .conventions import Conventions
    from .pivot import Fields

#: Columns of `spans` that `staged` has; the others are known only when all spans are there.
STAGED = [c for c in SPANS.columns if c.name not in ("depth", "cost_source")]

_EXTRA_COLUMNS = (
    "trace_name VARCHAR", "trace_url VARCHAR", "updated TIMESTAMPTZ", "unread_cache VARCHAR", "line BIGINT", "n BIGINT",
)  # fmt: skip
_TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


class Staging:
    """The tables of a load that is going on; nothing else works with its store until it is closed."""

    def __init__(self, store: Store) -> None:
        """Create the tables."""
        columns = ", ".join(f'"{c.name}" {c.sql_type}' for c in STAGED)
        store.execute(f"CREATE TABLE staged ({columns}, {', '.join(_EXTRA_COLUMNS)})")
        store.execute("DROP TABLE contents")
        store.execute(CONTENT_ROWS)
        store.execute(LOGS)
        for macro in MACROS:
            store.execute(macro)
        self._cursor = store.cursor()
        [(self._threads,)] = self._cursor.execute("SELECT current_setting('threads')").fetchall()
        self._cursor.execute("SET threads = 1")
        self._cursor.begin()

    def insert(self, sql: str, rows: pa.Table) -> None:  # noqa: ARG002  # the SQL speaks of it by this name
        """Run an INSERT that reads the Arrow table `rows`; registered, it would be held until the transaction ends."""
        self._cursor.execute(sql)

    def close(self) -> None:
        """Show the rows to others, and give DuckDB its threads back."""
        self._cursor.commit()
        self._cursor.execute(f"SET threads = {self._threads}")


def staged_sql(mapping: Conventions, at: Fields, *, feature_given: bool) -> str:
    """Write the SELECT that maps the wide table to the columns of `staged`.

    It is planned again for every chunk, and what is said twice is planned twice: columns that others are made of are
    made in layers inside.
    """

    def mapped(name: str) -> str:
        return mapping.column_sql(name, at)

    def of_calls(name: str) -> str:
        return f"CASE WHEN is_call THEN {mapped(name)} END"

    layers: tuple[dict[str, str], ...] = (
        {"kind": mapping.kind_sql(at)},
        {
            "is_call": f"kind IN ({', '.join(repr(k) for k in USAGE_KINDS)})",
            "failed": f"status_code = 2 OR coalesce({mapped('level')}, '') = 'ERROR'",
            "message": f"coalesce(said(status_text), {mapped('status_message')})",
            "asked_model": mapped("request_model"),
            "first_token": mapped("ttft_s"),
        },
        {name: of_calls(name) for name in _TOKENS},
    )
    source = "rows"
    for layer in layers:
        source = f"(SELECT *, {', '.join(f'{sql} AS {name}' for name, sql in layer.items())} FROM {source})"

    status = "CASE status_code WHEN 2 THEN 'error' WHEN 1 THEN 'ok' ELSE 'unset' END"
    prefix = r"nullif(regexp_extract(message, '^([\w.]*(?:Error|Exception|Timeout))\b', 1), '')"
    reported = "coalesce(input_tokens, output_tokens) IS NOT NULL"
    made = {
        "start": "make_timestamptz(start_ns // 1000)",
        "end": "make_timestamptz(end_ns // 1000)",
        "duration_s": "CASE WHEN end_ns >= start_ns THEN (end_ns - start_ns) / 1e9 END",
        "ttft_s": "CASE WHEN first_token >= 0 THEN first_token END",
        "status": f"CASE WHEN failed THEN 'error' ELSE {status} END",
        "status_message": "CASE WHEN failed THEN message END",
        "error_type": f"CASE WHEN failed THEN coalesce({mapped('error_type')}, {prefix}) END",
        "model": f"coalesce({mapped('model')}, asked_model)",
        "request_model": "asked_model",
        "cost_usd": of_calls("cost_usd"),
        "usage_source": f"CASE WHEN is_call THEN CASE WHEN {reported} THEN 'reported' ELSE 'missing' END END",
    }
    taken = ("trace_id", "span_id", "parent_id", "name", "kind", "params", "metadata", "convention", "source", *_TOKENS)
    made |= {name: name for name in taken}
    if feature_given:
        made["feature"] = f"coalesce(feature_given, {mapped('feature')})"
    selected = ", ".join(f'{made.get(c.name) or mapped(c.name)} AS "{c.name}"' for c in STAGED)
    for name in ("trace_name", "trace_url", "updated"):
        selected += f", {mapped(name)} AS {name}"
    selected += f", CASE WHEN is_call THEN nullif({mapped('unread_cache')}, '') END AS unread_cache, line, n"
    return f"SELECT * {mapping.spelling_sql()} FROM (SELECT {selected} FROM {source})"
