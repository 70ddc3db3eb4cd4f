"""What was spent, by group and time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS

from .asking import takes_traces
from .figures import bars, lines
from .shape import Result, bucket, columns_by, result
from .usage import usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces

_SUMS = ("input_tokens", "cache_read_tokens", "output_tokens")


@takes_traces
def cost(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Sum what model calls cost.

    `by`: a column of spans or several, such as `["feature", "model"]`. `every`: a time bucket, such as `"1D"`; a call
    is in the one it started in, in UTC.

    One row a group and bucket, first the buckets in order, then the most expensive group first: the columns of `by`,
    `period` (with `every`), `calls` (llm, embedding and reranker spans), `traces` and `sessions` (those with such a
    call), `input_tokens` (including cached), `cache_read_tokens`, `output_tokens`, `cost_usd`, `cost_per_call`,
    `cost_per_trace`, `cost_per_session` (of the calls that belong to one), `share` (of all that the result speaks of,
    or of its period; NA where that is 0 or not known), `n_unpriced`.

    Calls whose cost is not known count in `n_unpriced` and nowhere as 0: a group where nothing is known has NA, and the
    averages are over everything, so they are a lower bound where `n_unpriced` is not 0. `.notes` names their models,
    and says how many reported costs are in another currency, by the `currency` in the metadata of their calls.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    names = columns_by(by, taken=(*_SUMS, "cost_usd"))
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS))
    keys = {name: calls[name] for name in names}
    if every is not None:
        keys["period"] = bucket(calls.start, every)
    keyed = calls.mutate(_unpriced=unpriced(calls), **({"period": keys["period"]} if every is not None else {}))
    sums = {
        "calls": keyed.count(),
        "traces": keyed.trace_id.nunique(),
        "sessions": keyed.session_id.nunique(),
        **{name: keyed[name].sum() for name in _SUMS},
        "cost_usd": keyed.cost_usd.sum(),
        "_in_sessions": keyed.cost_usd.sum(where=keyed.session_id.notnull()),
        "n_unpriced": keyed._unpriced.sum().fill_null(0),  # noqa: SLF001  # a column of the expression
    }
    grouped = keyed.group_by(list(keys)).agg(**sums) if keys else keyed.agg(**sums)
    frame = _finished(traces.fetch(grouped), names, period=every is not None)
    apart = frame["calls"].sum() > 0 and not frame["sessions"].any()
    notes = [*usage_notes(traces), "No call belongs to a session: there is no cost per session." if apart else ""]
    return result(frame, _draw, notes)


def _finished(frame: pd.DataFrame, names: list[str], *, period: bool) -> pd.DataFrame:
    """Add the averages and shares, and order rows and columns."""
    for unit, count in (("call", "calls"), ("trace", "traces"), ("session", "sessions")):
        spent = frame["_in_sessions" if unit == "session" else "cost_usd"]
        frame[f"cost_per_{unit}"] = spent / frame[count].where(frame[count] > 0)
    together = frame["period"] if period else frame["calls"].notna()
    total = frame.groupby(together, dropna=False)["cost_usd"].transform("sum")
    frame["share"] = frame["cost_usd"] / total.where(total > 0)
    order = ["period"] if period else []
    frame = frame.sort_values(
        [*order, "cost_usd", *names], ascending=[True] * len(order) + [False] + [True] * len(names)
    )
    columns = [*names, *order, "calls", "traces", "sessions", *_SUMS, "cost_usd"]
    columns += ["cost_per_call", "cost_per_trace", "cost_per_session", "share", "n_unpriced"]
    return frame[columns].reset_index(drop=True)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("calls")])
    if "period" in names:
        names.remove("period")
        return lines(frame, "period", "cost_usd", names, title="Cost over time", unit="USD")
    return bars(frame, "cost_usd", names, title="Cost", unit="USD")
