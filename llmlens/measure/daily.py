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

    The columns are `cost`, `calls`, `unknown` (calls of unknown cost), `first` and `last` (when calls started). Calls
    from `until` on are left out. Empty when there are no calls.
    """
    import ibis

    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS) & spans.start.notnull())
    if until is not None:
        calls = calls.filter(calls.start < ibis.literal(until.to_pydatetime(), type="timestamp('UTC')"))
    keyed = calls.mutate(day=bucket(calls.start, "1D"), unknown=unpriced(calls))
    summed = keyed.group_by("day").agg(
        cost=keyed.cost_usd.sum().fill_null(0.0),
        calls=keyed.count(),
        unknown=keyed.unknown.sum().fill_null(0),
        first=keyed.start.min(),
        last=keyed.start.max(),
    )
    frame = traces.fetch(summed.order_by("day")).set_index("day")
    if frame.empty:
        return frame
    days = pd.date_range(frame.index[0], frame.index[-1], freq="D")
    return frame.reindex(days).fillna({"cost": 0.0, "calls": 0, "unknown": 0})
