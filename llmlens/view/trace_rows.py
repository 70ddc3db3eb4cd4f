"""The rows of one trace, by SQL that is written once: that takes Ibis longer than it takes DuckDB to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from llmlens.frames import to_pandas
from llmlens.sql import duckdb_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from llmlens.traces import Traces

_SPAN = ("trace_id", "span_id", "parent_id", "kind", "name", "status", "start")


class TraceRows:
    """Finds what belongs to one trace after the other in `traces`."""

    def __init__(self, traces: Traces) -> None:
        """Write the SQL of spans and contents; that of other tables when it is wanted."""
        self._traces = ref(traces)
        self._store = traces._store  # noqa: SLF001  # Ibis has no parameters that are given when it is run
        self._written: dict[str, str] = {}
        for name in ("spans", "contents"):
            self[name]

    def __getitem__(self, table: str) -> str:
        """Give the SQL of the rows of a table that are of the trace `$trace`."""
        if table not in self._written:
            traces = self._traces()
            assert traces is not None  # whoever asks holds them  # noqa: S101
            whole = duckdb_sql(traces.table(table))
            self._written[table] = f"(SELECT * FROM ({whole}) WHERE trace_id = $trace)"
        return self._written[table]

    def fetch(self, sql: str, trace_id: str, **given: Any) -> pd.DataFrame:
        """Run a query in which `{spans}`, `{contents}`, `{traces}` and `{scores}` are those of one trace."""
        query = sql.format_map(self)
        return to_pandas(self._store.cursor().sql(query, params={"trace": trace_id, **given}).to_arrow_table())

    def spans(self, trace_id: str, columns: Sequence[str], *, order: str = "start, span_id") -> pd.DataFrame:
        """Give some columns of the spans of a trace, in order of their start."""
        return self.fetch(f"SELECT {_named(columns)} FROM {{spans}} ORDER BY {order}", trace_id)

    def contents(self, trace_id: str, span_ids: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
        """Give some columns of the contents of some spans of a trace, beside what the spans are, in the same order."""
        chosen = "(SELECT * FROM {spans} WHERE list_contains($spans, span_id))"
        return self._beside(chosen, trace_id, columns, spans=list(span_ids))

    def tools(
        self,
        trace_id: str,
        columns: Sequence[str],
        limit: int,
        *,
        below: Sequence[str] | None = None,
        since: pd.Timestamp | None = None,
    ) -> pd.DataFrame:
        """Give the same of the first tools that were run, those with these parents that start at a time or later."""
        wanted = ["kind = 'tool'"]
        given: dict[str, Any] = {}
        if below is not None:
            wanted.append("list_contains($below, parent_id)")
            given["below"] = list(below)
        if since is not None:
            wanted.append("epoch_us(start) >= $since")
            given["since"] = since.value // 1000
        chosen = f"(SELECT * FROM {{spans}} WHERE {' AND '.join(wanted)} ORDER BY start, span_id LIMIT {int(limit)})"
        return self._beside(chosen, trace_id, columns, **given)

    def _beside(self, chosen: str, trace_id: str, columns: Sequence[str], **given: Any) -> pd.DataFrame:
        """Give the contents of chosen spans beside what these are."""
        query = f"""
            SELECT {_named(_SPAN, "s.")}, {_named(columns, "c.")} FROM {chosen} s
            LEFT JOIN {{contents}} c ON s.span_id = c.span_id ORDER BY s.start, s.span_id
        """
        return self.fetch(query, trace_id, **given)


_known: WeakKeyDictionary[Traces, TraceRows] = WeakKeyDictionary()


def rows_of(traces: Traces) -> TraceRows:
    """Give what finds the rows of one trace in these; the same for the same traces."""
    found = _known.get(traces)
    if found is None:
        found = _known[traces] = TraceRows(traces)
    return found


def _named(columns: Sequence[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in columns)
