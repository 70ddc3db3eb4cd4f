"""What model calls cost, summed where they are: the columns to group by, what can be summed, and the queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.errors import SelectionError, unknown
from llmlens.json_values import is_key
from llmlens.rollups import unpriced
from llmlens.schema import SPANS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

#: What can be the area of a tile, and its unit.
VALUES = {
    "cost_usd": "USD",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
    "total_tokens": "tokens",
    "calls": "calls",
    "duration_s": "s",
}


def check_path(path: Sequence[str]) -> tuple[str, ...]:
    """Check that spans can be grouped by these columns."""
    names = (path,) if isinstance(path, str) else tuple(path)
    groupable = [c.name for c in SPANS.columns if c.dtype in ("text", "integer", "json")]
    for name in names:
        if is_key(name):
            continue
        if name not in SPANS.names:
            what = "column of spans:"
            raise unknown(what, name, groupable)
        if name not in groupable:
            raise SelectionError(f"path takes columns of text or whole numbers, and {name!r} is neither.")
    if not names or len(set(names)) < len(names):
        raise SelectionError(f"path needs one or more different columns of spans, got {list(names)}.")
    return names


def check_value(value: str) -> str:
    """Check that this can be summed."""
    if value not in VALUES:
        what = "value"
        raise unknown(what, value, VALUES)
    return value


def sums_of_levels(calls: ir.Table, path: tuple[str, ...], value: str) -> ir.Table:
    """Sum at every level of the path, `level` columns of it grouped by, in one query.

    Distinct traces of a group are not the sum of those below it.
    """
    import ibis

    chosen = _value(calls, value)
    amounts = {
        "value": chosen.sum(),
        "cost_usd": _value(calls, "cost_usd").sum(),
        "tokens": _value(calls, "total_tokens").sum(),
        "calls": calls.count(),
        "n_missing": _lacks(calls, value).sum(),
        "n_unpriced": _lacks(calls, "cost_usd").sum(),
        "n_traces": calls.trace_id.nunique(),
        "since": calls.start.min(),
        "until": ibis.coalesce(calls.end, calls.start).max(),
    }
    levels = []
    for level in range(len(path) + 1):
        group = list(path[:level])
        sums = calls.group_by(group).agg(**amounts) if group else calls.aggregate(**amounts)
        absent = {name: ibis.null(calls[name].type()).name(name) for name in path[level:]}
        levels.append(sums.mutate(level=ibis.literal(level), **absent).select("level", *path, *amounts))
    return ibis.union(*levels)


def _value(calls: ir.Table, value: str) -> ir.NumericColumn:
    import ibis

    if value == "calls":
        return calls.trace_id.notnull().cast("int64")
    if value == "total_tokens":
        known = calls.input_tokens.notnull() | calls.output_tokens.notnull()
        return known.ifelse(calls.input_tokens.fill_null(0) + calls.output_tokens.fill_null(0), ibis.null("int64"))
    column = calls[value]
    if column.type().is_floating():
        return (column.isnan() | column.isinf()).ifelse(ibis.null(column.type()), column)
    return column


def _lacks(calls: ir.Table, value: str) -> ir.BooleanValue:
    """Say which calls have a value that is not known; one that failed before it used anything has no cost to know."""
    absent = _value(calls, value).isnull()
    return unpriced(calls) | (calls.cost_usd.notnull() & absent) if value == "cost_usd" else absent


def models_without(calls: ir.Table, value: str) -> ir.Table:
    """Count the calls whose value is not known, by model, most first."""
    lacking = calls.filter(_lacks(calls, value))
    counted = lacking.group_by("model").agg(n=lacking.count())
    return counted.order_by(counted.n.desc(), counted.model)
