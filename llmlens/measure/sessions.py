"""Conversations and the people in them: turns, length, cost, who comes back, who uses most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.ordering import earliest
from llmlens.schema import USAGE_KINDS
from llmlens.statistics.shares import wilson

from .asking import takes_traces
from .clocks import clock_notes
from .figures import bars, lines
from .groups import keys_of, numbered, ordered, with_period
from .quantile_figures import by_of, quantile_bars, quantile_lines
from .shape import Result, columns_by, result
from .spread import spread
from .units import seconds_between, trace_units
from .usage import tokens_of, usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir
    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from llmlens.traces import Traces

#: The heaviest users: the smallest number of them with so much of what was spent.
HEAVY = 0.5


@takes_traces
def sessions(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Say how long conversations are: turns, seconds, pauses, tokens and cost.

    `by`: a column of spans or several: a session is in the group of its first trace. `every`: a time bucket by the
    start of the session, in UTC. Traces without a session are left out; `.notes` counts them.

    One row a group, bucket and `measure`: `turns` (traces), `seconds` (first start to last end), `pause_s` (mean time
    between turns), `model_calls`, `tokens`, `cost_usd` (of what is known). Columns: those of `by`, `period` (with
    `every`), `measure`, `n` (sessions), `mean`, `p50`, `p95`, `p99` each with `_low` and `_high` (see
    `llmlens.latency`), `max`.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    import ibis

    names = columns_by(by, taken=("cost_usd",))
    units = _turns(traces, [*names, "session_id"])
    told = units.filter(units.session_id.notnull())
    own = ("session_id", "start", "end")
    first = {name: earliest(told[name], told.start, told.trace_id) for name in names if name not in own}
    rolled = told.group_by("session_id").agg(
        start=told.start.min(), end=told.end.max(), turns=told.count(),
        busy=seconds_between(told.start, told.end).sum(),
        model_calls=told.model_calls.sum(), tokens=told.tokens.sum(), cost_usd=told.cost_usd.sum(), **first,
    )  # fmt: skip
    rolled = with_period(rolled, every)
    seconds = seconds_between(rolled.start, rolled.end)
    pause = ibis.ifelse(rolled.turns > 1, (seconds - rolled.busy).clip(lower=0) / (rolled.turns - 1), None)
    values = {"turns": rolled.turns, "seconds": seconds, "pause_s": pause, "model_calls": rolled.model_calls,
              "tokens": rolled.tokens, "cost_usd": rolled.cost_usd}  # fmt: skip
    frame = spread(traces, keys_of(names, every), {name: (rolled, value) for name, value in values.items()})
    notes = [*_untold(traces, units, "session_id", "session"), *clock_notes(traces), *usage_notes(traces)]
    return result(frame, _draw_sessions, notes)


@takes_traces
def users(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Count users: how many, how many came back on another day, and how much the heaviest of them spend.

    `by`: a column of spans or several; a user is in each group that has a trace of theirs. `every`: a time bucket by
    the start of the trace, in UTC. Traces without a user are left out; `.notes` counts them.

    One row a group and bucket: the columns of `by`, `period` (with `every`), `users`, `traces`, `sessions`,
    `traces_per_user`, `returned` (users with traces on two days or more, in UTC, within the group and bucket), `share`
    of users with its 95 % interval `low`, `high` (Wilson's), `cost_usd` (of what is known), `cost_per_user`, `heavy`
    (the smallest number of users with half of the cost), `heavy_share` (of all users).

    `.beside["users"]` has a row a user and group, the most expensive first. Raises `UnknownNameError` for a column,
    `SelectionError` for a period that does not exist.
    """
    names = [name for name in columns_by(by, taken=("cost_usd",)) if name != "user_id"]
    keys = keys_of(names, every)
    units = _turns(traces, [*names, "session_id", "user_id"])
    told = with_period(units.filter(units.user_id.notnull()), every)
    each = told.group_by([*keys, "user_id"]).agg(
        traces=told.count(), sessions=told.session_id.nunique(), days=told.start.truncate("D").nunique(),
        first=told.start.min(), last=told.start.max(), tokens=told.tokens.sum(), cost_usd=told.cost_usd.sum(),
    )  # fmt: skip
    people = ordered(traces.fetch(each), [*names, "user_id"], cost_usd=False, traces=False)
    frame = _counted(people, keys, names)
    notes = _untold(traces, units, "user_id", "user")
    if (people["days"] == 0).any():
        notes.append("Users whose traces have no time are not in the share of those who returned.")
    return result(frame, _draw_users, [*notes, *usage_notes(traces)], {"users": people})


def _turns(traces: Traces, names: list[str]) -> ir.Table:
    """Give a row a trace with what was used in it."""
    spans = traces.table("spans")
    usage = spans.kind.isin(USAGE_KINDS)
    return trace_units(
        spans, dict.fromkeys(names), model_calls=(spans.kind == "llm").sum().fill_null(0),
        tokens=tokens_of(spans).sum(where=usage), cost_usd=spans.cost_usd.sum(where=usage),
    )  # fmt: skip


def _untold(traces: Traces, units: ir.Table, column: str, what: str) -> list[str]:
    counted = traces.fetch(units.agg(n=units.count(), none=units[column].isnull().sum().fill_null(0))).iloc[0]
    return [f"{counted['none']:,} of {counted['n']:,} traces have no {what}: left out." if counted["none"] else ""]


def _counted(people: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    numbers, frame = numbered(people, keys)
    size = len(frame)

    def total(column: str) -> NDArray[np.float64]:
        return np.bincount(numbers, people[column].to_numpy(float, na_value=0), size).astype(np.float64)

    frame["users"], frame["traces"] = np.bincount(numbers, minlength=size), total("traces")
    frame["sessions"], frame["traces_per_user"] = total("sessions"), frame["traces"] / frame["users"]
    days = people["days"].to_numpy(int)
    seen, returned = np.bincount(numbers, days > 0, size), np.bincount(numbers, days > 1, size)
    shares = [(r / n, *wilson(r / n, n)) if n else (np.nan,) * 3 for r, n in zip(returned, seen, strict=True)]
    frame["returned"] = np.where(seen > 0, returned, np.nan)
    frame[["share", "low", "high"]] = np.array(shares).reshape(size, 3)
    frame["cost_usd"] = total("cost_usd")
    known = np.bincount(numbers, people["cost_usd"].notna(), size) > 0
    frame["cost_usd"] = frame["cost_usd"].where(known)
    frame["cost_per_user"] = frame["cost_usd"] / frame["users"]
    spent = people["cost_usd"].to_numpy(float, na_value=0)
    order = np.lexsort((-spent, numbers))
    running = np.cumsum(spent[order])
    sums = np.append(0.0, np.cumsum(total("cost_usd")))[:size]
    before = running - spent[order] - sums[numbers[order]]
    needed = before < HEAVY * total("cost_usd")[numbers[order]] * (1 - 1e-12)
    frame["heavy"] = np.bincount(numbers[order], needed, size)
    frame["heavy"] = frame["heavy"].where(known & (total("cost_usd") > 0))
    frame["heavy_share"] = frame["heavy"] / frame["users"]
    whole = dict.fromkeys(("users", "traces", "sessions", "returned", "heavy"), "Int64")
    parts = dict.fromkeys(
        ("traces_per_user", "share", "low", "high", "cost_usd", "cost_per_user", "heavy_share"), "Float64"
    )
    return ordered(frame.astype({**whole, **parts}), names, users=False)


def _draw_sessions(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "measure"), "measure"]
    shown = frame[frame["measure"] == "turns"]
    if "period" in frame:
        return quantile_lines(shown, names, title="Turns of a session over time (p95)", unit="turns")
    return quantile_bars(shown, names, title="Turns of a session", unit="turns")


def _draw_users(frame: pd.DataFrame) -> go.Figure:
    names = by_of(frame, "users")
    if "period" in frame:
        return lines(frame, "period", "users", names, title="Users over time", unit="users")
    return bars(frame, "users", names, title="Users", unit="users")
