"""What each day cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS

from .shape import bucket

if TYPE_CHECKING:
    from llmlens.traces import Traces


def daily_costs(traces: Traces, until: pd.Timestamp | None = None) -> pd.DataFrame:
    """Sum the cost of each day in UTC, with those in between on which nothing was called: a row a day, in order.

    The columns are `cost` (NA where there were calls and nothing is known of what they cost), `calls`, `unknown` (calls
    of unknown cost), `first` and `last` (when calls started). Calls from `until` on are left out. Empty when there are
    no calls.
    """
    import ibis

    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS) & spans.start.notnull())
    if until is not None:
        calls = calls.filter(calls.start < ibis.literal(until.to_pydatetime(), type="timestamp('UTC')"))
    keyed = calls.mutate(day=bucket(calls.start, "1D"), unknown=unpriced(calls))
    cost, unknown = keyed.cost_usd.sum(), keyed.unknown.sum().fill_null(0)
    summed = keyed.group_by("day").agg(
        cost=ibis.ifelse(unknown > 0, cost, cost.fill_null(0.0)),
        calls=keyed.count(),
        unknown=unknown,
        first=keyed.start.min(),
        last=keyed.start.max(),
    )
    frame = traces.fetch(summed.order_by("day")).set_index("day")
    if frame.empty:
        return frame
    return with_quiet_days(frame, frame.index[-1])


def with_quiet_days(costs: pd.DataFrame, last: pd.Timestamp) -> pd.DataFrame:
    """Add the days until `last` on which nothing was called, and nothing was spent."""
    found = costs.reindex(pd.date_range(costs.index[0], last, freq="D"))
    quiet = found["calls"].isna()
    found["cost"] = found["cost"].mask(quiet, 0.0)
    return found.fillna({"calls": 0, "unknown": 0})
