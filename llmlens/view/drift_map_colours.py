"""What the points of a map can be coloured by: a column, a score, a number; as codes of few values, or as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.errors import unknown
from llmlens.json_values import is_key
from llmlens.keyed import keyed
from llmlens.schema import SPANS

from . import wire

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

    from .drift_map_points import Points

#: What a map knows of its points itself.
OWN = ("window", "cluster", "day")
#: Columns that are offered where they have more than one value; any other column of spans can be named.
OFFERED = (
    "feature", "model", "request_model", "prompt_name", "prompt_version", "release", "environment", "service", "status",
    "error_type", "finish_reason", "agent_name",
)  # fmt: skip
NUMBERS = ("duration_s", "cost_usd", "input_tokens", "output_tokens")
#: Values that have a colour of their own.
_VALUES = 8
_SCORES = 12
NONE = "(none)"
#: Before the name of a score that is also that of a column.
_SCORE = "score."


def check_colour(traces: Traces, name: str) -> str:
    """Give the name of a colour; raise `UnknownNameError` for what is no column of spans, key of JSON or score."""
    if name in OWN or (name in SPANS.names and SPANS[name].dtype not in ("texts", "json")):
        return name
    if is_key(name):
        keyed(traces, name)
        return name
    scores = score_names(traces)
    if name.removeprefix(_SCORE) not in scores:
        what = "colour:"
        raise unknown(what, name, [*OWN, *SPANS.names, *scores])
    return name


def score_names(traces: Traces) -> list[str]:
    """Name the scores, the most frequent first."""
    scores = traces.table("scores")
    counted = scores.group_by("name").agg(n=scores.count()).order_by([scores.count().desc(), "name"])
    return [str(name) for name in traces.fetch(counted.limit(_SCORES))["name"]]


def offered_scores(traces: Traces) -> list[str]:
    """Name the scores as colours."""
    return [f"{_SCORE}{name}" if name in SPANS.names or name in OWN else name for name in score_names(traces)]


def offered_columns(traces: Traces) -> list[str]:
    """Name the columns worth colouring by: those with more than one value."""
    spans = traces.table("spans")
    counts = traces.fetch(spans.agg(**{name: spans[name].nunique() for name in (*OFFERED, *NUMBERS)})).iloc[0]
    return [name for name in (*OFFERED, *NUMBERS) if counts[name] > 1]


def colour_of(traces: Traces, points: Points, name: str, per: str) -> dict[str, Any]:
    """Give the colours of the points by a column of spans or a score.

    Either `{kind: "values", labels, counts, codes}`, most frequent first, folded beyond eight; or `{kind: "numbers",
    numbers, low, high}` with NaN for NA, where `low` and `high` are the 2nd and 98th percentile.
    """
    values = _values(traces, points, name, per)
    if values.dtype.kind in "fiu" or str(values.dtype) in ("Float64", "Int64"):
        return _numbers(values.to_numpy(dtype=np.float32, na_value=np.nan))
    return coded(values.astype("string"))


def coded(values: pd.Series[Any]) -> dict[str, Any]:
    """Give texts as codes: those of the most frequent values, then one for all others, then one for NA."""
    counts = values.value_counts(dropna=True)
    named = counts.sort_index().sort_values(ascending=False, kind="stable")
    kept = named.index[: _VALUES if len(named) <= _VALUES else _VALUES - 1]
    labels, sizes = [str(label) for label in kept], [int(named[label]) for label in kept]
    codes = values.map({label: code for code, label in enumerate(kept)}).to_numpy(dtype=float, na_value=np.nan)
    for label, inside in ((f"{len(named) - len(kept):,} others", values.notna()), (NONE, values.isna())):
        rest = np.isnan(codes) & inside.to_numpy(dtype=bool)
        if rest.any():
            codes[rest] = len(labels)
            labels.append(label)
            sizes.append(int(rest.sum()))
    packed = wire.packed(codes.astype(np.uint8))
    return {"kind": "values", "labels": labels, "counts": sizes, "plain": len(kept), "codes": packed}


def _numbers(numbers: np.ndarray[Any, np.dtype[np.float32]]) -> dict[str, Any]:
    there = numbers[np.isfinite(numbers)]
    low, high = (float(each) for each in np.percentile(there, [2, 98])) if len(there) else (0.0, 1.0)
    return {"kind": "numbers", "numbers": wire.packed(numbers), "low": low, "high": high, "n": len(there)}


def _values(traces: Traces, points: Points, name: str, per: str) -> pd.Series[Any]:
    """Give the value of each point: that of its span or trace, else of the first span of its trace which has one."""
    if name not in SPANS.names and not is_key(name):
        return _scores(traces, points, name, per)
    if name in NUMBERS and per == "trace":
        rollup = traces.table("traces")
        return _by_trace(points, traces.fetch(rollup.select("trace_id", value=rollup[name])))
    spans = keyed(traces, name).table("spans")
    known = spans.filter(spans[name].notnull())
    own = traces.fetch(known.select("trace_id", "span_id", value=known[name]))
    found = points.rows[["trace_id", "span_id"]].merge(own, how="left", on=["trace_id", "span_id"])["value"]
    if per == "span":
        return found
    first = traces.fetch(known.group_by("trace_id").agg(value=_first(known[name], known)))
    return found.where(found.notna(), _by_trace(points, first))


def _first(column: ir.Column, spans: ir.Table) -> ir.Column:
    return column.first(order_by=[spans.depth, spans.start, spans.span_id])


def _scores(traces: Traces, points: Points, name: str, per: str) -> pd.Series[Any]:
    """Give the mean of a score, or its first label where it has no values."""
    scores = traces.table("scores")
    mine = scores.filter(scores.name == name.removeprefix(_SCORE))
    keys = ["trace_id", "span_id"] if per == "span" else ["trace_id"]
    held = traces.fetch(mine.group_by(keys).agg(value=mine.value.mean(), label=mine.label.min()))
    column = "value" if held["value"].notna().any() else "label"
    found = points.rows[keys].merge(held, how="left", on=keys)
    return found[column]


def _by_trace(points: Points, frame: pd.DataFrame) -> pd.Series[Any]:
    return points.rows[["trace_id"]].merge(frame, how="left", on="trace_id")["value"]
