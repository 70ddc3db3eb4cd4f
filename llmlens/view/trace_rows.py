"""The rows of one trace, by SQL that is written once: that takes Ibis longer than it takes DuckDB to find them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llmlens.frames import to_pandas

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from llmlens.traces import Traces

_SPAN = ("trace_id", "span_id", "parent_id", "kind", "name", "status", "start")


class TraceRows:
    """Finds spans and contents of one trace after the other in `traces`."""

    def __init__(self, traces: Traces) -> None:
        """Write the SQL of what is selected."""
        import ibis

        spans, contents = (ibis.to_sql(traces.table(name), dialect="duckdb") for name in ("spans", "contents"))
        self._store = traces._store  # noqa: SLF001  # Ibis has no parameters that are given when it is run
        self._spans = f"(SELECT * FROM ({spans}) WHERE trace_id = $trace)"
        self._contents = f"(SELECT * FROM ({contents}) WHERE trace_id = $trace)"

    def spans(self, trace_id: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give some columns of the spans of a trace, in order of their start."""
        named = ", ".join(f'"{name}"' for name in columns)
        return self._fetch(f"SELECT {named} FROM {self._spans} ORDER BY start, span_id", trace=trace_id)

    def contents(self, trace_id: str, span_ids: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
        """Give some columns of the contents of some spans of a trace, beside what the spans are, in the same order."""
        named = ", ".join([*(f's."{name}"' for name in _SPAN), *(f'c."{name}"' for name in columns)])
        query = f"""
            SELECT {named} FROM {self._spans} s LEFT JOIN {self._contents} c ON s.span_id = c.span_id
            WHERE list_contains($spans, s.span_id) ORDER BY s.start, s.span_id
        """
        return self._fetch(query, trace=trace_id, spans=list(span_ids))

    def _fetch(self, sql: str, **given: str | list[str]) -> pd.DataFrame:
        return to_pandas(self._store.cursor().sql(sql, params=given).to_arrow_table())


_known: WeakKeyDictionary[Traces, TraceRows] = WeakKeyDictionary()


def rows_of(traces: Traces) -> TraceRows:
    """Give what finds the rows of one trace in these; the same for the same traces."""
    found = _known.get(traces)
    if found is None:
        found = _known[traces] = TraceRows(traces)
    return found
