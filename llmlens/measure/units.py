"""Traces as the unit of a measure: a row a trace, with its start, its end and the columns to group by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.ordering import earliest

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir


def trace_units(spans: ir.Table, names: Iterable[str], **more: ir.Scalar) -> ir.Table:
    """Give a row a trace: trace_id, start (of its first span), end (of its last), the columns `names`, and `more`.

    A column is what all spans of the trace that have it say, else what the root (the earliest span at depth 0) says: a
    trace with two models has no model of its own, unless its root names one.
    """
    import ibis

    def of_trace(column: ir.Column) -> ir.Value:
        root = earliest(column, spans.start, spans.span_id, where=spans.depth == 0)
        return ibis.ifelse(column.min() == column.max(), column.min(), root)

    columns = {name: of_trace(spans[name]) for name in names if name not in ("trace_id", "start", "end")}
    end = ibis.greatest(spans.start.max(), spans.end.max())
    return spans.group_by("trace_id").agg(start=spans.start.min(), end=end, **columns, **more)


def seconds_between(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.FloatingValue:
    """Give the seconds from `start` to `end`."""
    return end.delta(start, unit="microsecond") / 1e6
