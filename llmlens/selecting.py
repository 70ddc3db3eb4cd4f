"""What `Traces.where` was asked, as Ibis predicates over spans and traces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import schema
from .errors import SelectionError, unknown
from .expressions import columns_of, compile_expression

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SPAN = frozenset(schema.SPANS.names)
#: The texts of the root are left out: a condition on them would read every text of the load.
_TRACE = frozenset(schema.TRACES.names) - {"input", "output"}


class Conditions:
    """The conditions of one `where`: those on a span must hold together on one span, those on a trace on its trace."""

    def __init__(
        self, equals: Mapping[str, Any], expression: str | None, since: datetime | None, until: datetime | None
    ) -> None:
        """Check every name; raise `UnknownNameError` or `SelectionError`."""
        for name in equals:
            if name not in _SPAN | _TRACE:
                what = "column of spans or traces:"
                raise unknown(what, name, _SPAN | _TRACE)
        if expression is not None and not isinstance(expression, str):
            raise SelectionError(f"where takes an expression as text, such as \"duration_s > 10\"; got {expression!r}.")
        self.equals = dict(equals)
        self.expression = expression
        self.since = since
        self.until = until

    @property
    def empty(self) -> bool:
        """Say whether nothing was asked."""
        return not self.equals and self.expression is None and self.since is None and self.until is None

    def _names(self) -> set[str]:
        names = set(self.equals)
        if self.expression is not None:
            names |= columns_of(self.expression)
        return names

    def _about_spans(self) -> bool:
        return any(
            name in _SPAN or name.startswith(("span.", "metadata.", "metadata[")) for name in self._names() - {"trace_id"}
        )

    def matching_spans(self, spans: ir.Table, traces: ir.Table) -> ir.Table | None:
        """Give (trace_id, span_id) of the spans that fit, or None when nothing was asked of spans."""
        if not self._about_spans():
            return None
        of_trace = traces.rename({f"trace_{name}": name for name in _TRACE if name != "trace_id"})
        both = spans.inner_join(of_trace, "trace_id") if self._about_traces() else spans
        columns = {name: both[name] for name in _SPAN}
        columns |= {f"span.{name}": both[name] for name in _SPAN}
        if both is not spans:
            columns |= {f"trace.{n}": both[f"trace_{n}"] for n in _TRACE if n != "trace_id"}
            columns |= {n: both[f"trace_{n}"] for n in _TRACE - _SPAN}
            start = both.trace_start
        else:
            start = None
        return both.filter(self._predicates(columns, start)).select("trace_id", "span_id")

    def matching_traces(self, traces: ir.Table) -> ir.Table:
        """Give the trace_id of the traces that fit, when nothing was asked of spans."""
        columns = {name: traces[name] for name in _TRACE} | {f"trace.{name}": traces[name] for name in _TRACE}
        return traces.filter(self._predicates(columns, traces.start)).select("trace_id")

    def _about_traces(self) -> bool:
        if self.since is not None or self.until is not None:
            return True
        return any(name.startswith("trace.") or (name in _TRACE and name not in _SPAN) for name in self._names())

    def _predicates(self, columns: Mapping[str, ir.Column], start: ir.Column | None) -> list[ir.BooleanValue]:
        import ibis

        found = [_equal(columns[name], value) for name, value in self.equals.items()]
        if start is not None and self.since is not None:
            found.append(start >= ibis.literal(self.since, type="timestamp('UTC')"))
        if start is not None and self.until is not None:
            found.append(start < ibis.literal(self.until, type="timestamp('UTC')"))
        if self.expression is not None:
            found.append(compile_expression(self.expression, columns))
        return found


def _equal(column: ir.Column, value: Any) -> ir.BooleanValue:
    import pandas as pd

    many = isinstance(value, list | tuple | set | frozenset | pd.Series | pd.Index)
    values = list(value) if many else [value]
    present = [v for v in values if not pd.isna(v)]
    if column.type().is_array():
        fits = [column.contains(v) for v in present]
    else:
        fits = [column.isin(present)] if present else []
    if len(present) < len(values):
        fits.append(column.isnull())
    if not fits:
        return column.isnull() & column.notnull()
    result = fits[0]
    for each in fits[1:]:
        result = result | each
    return result
