"""`budget`: what is left of the month's money, and when it will be gone."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError
from llmlens.selecting import moment
from llmlens.statistics.smoothing import simulate

from .asking import takes_traces
from .currencies import currency_note
from .daily import daily_costs, with_quiet_days
from .rhythm import DAYS, ENOUGH, weekday_factors
from .shape import Result, result

if TYPE_CHECKING:
    from datetime import date

    import plotly.graph_objects as go

    from llmlens.statistics.smoothing import Floats
    from llmlens.traces import Traces

#: Shares of the budget whose passing is told.
MARKS = (0.8, 1.0, 1.5)
_DRAWS = 2_000
_DATES = ("date", "low", "high")
#: Fewer whole days tell what a day costs, but not how sure that is.
_LEAST = 5
#: A trend of less a week is not worth a word.
_NOTABLE = 0.05
_DAY = pd.Timedelta(days=1)


@takes_traces
def budget(traces: Traces, monthly: float, *, at: str | date | None = None, seed: int = 0) -> Result:
    """Compare what a month has cost so far with its budget, and say where that leads.

    `monthly`: the budget in USD. `at`: the time to speak of, by default that of the last call; its month (UTC) is
    the month, and what came later is not looked at.

    One row: `month`, `budget_usd`, `spent_usd`, `spent_share`, `n` (whole days that the run rate is taken from),
    `run_rate_usd` (what an average day costs now) with `run_rate_low` and `run_rate_high` (of the mean of the next
    week), `forecast_usd` of the whole month with `forecast_low` and `forecast_high`, `forecast_share`, `over` (the
    probability that the budget is passed within the month). Intervals are 95 %. `.plot()` draws the burn-up.

    `.beside["passing"]` tells when 80, 100 and 150 % of the budget are passed: `share`, `usd`, `date`, `low` and `high`
    (95 %; NA is after the month), `state` (passed, expected, not this month or not known). `.beside["days"]` has the
    days of the month: `day`, `cost_usd`, `spent_usd` (their running sum), `low`, `high`, `forecast` (of a day to come).

    The days before `at`, of all months, are divided by the rhythm of the week (where there are two weeks or more, see
    `llmlens.measure.rhythm`) and smoothed exponentially; the future is drawn from that (see
    `llmlens.statistics.smoothing`). The forecast goes on at the level of now: of costs that climb it is a lower bound,
    and `notes` say so. With less than five whole days there are no intervals, and without a whole day no forecast.

    Raises `SelectionError` for a budget that is no amount of money, or a time that is none.
    """
    if isinstance(monthly, bool) or not isinstance(monthly, Real) or not 0 < monthly < math.inf:
        raise SelectionError(f"monthly={monthly!r} is not a budget. Expected USD a month, such as monthly=47_000.")
    now = None if at is None else pd.Timestamp(moment(at, "at"))
    costs = daily_costs(traces, now)
    if costs.empty:
        when = "" if now is None else f" before {now:%Y-%m-%d %H:%M}"
        return _made(
            _row(now, float(monthly)),
            _passing(_no_days(), float(monthly)),
            _no_days(),
            [f"no model calls with a time{when}"],
        )
    now = costs["last"].max() if now is None else now
    return _of_month(costs, now, float(monthly), np.random.default_rng(seed), currency_note(traces))


def _of_month(
    costs: pd.DataFrame, now: pd.Timestamp, monthly: float, random: np.random.Generator, currencies: str
) -> Result:
    today, first = now.floor("D"), now.floor("D").replace(day=1)
    month = pd.date_range(first, first + pd.offsets.MonthEnd(0), freq="D")
    costs = with_quiet_days(costs, today)
    spent = costs["cost"].reindex(month[month <= today], fill_value=0.0).to_numpy(dtype=float)
    total = _running(spent)[-1]
    past, notes = _whole_days(costs, today)
    values = past["cost"].to_numpy(dtype=float)
    weekday = pd.DatetimeIndex(past.index).day_of_week.to_numpy()
    factors = weekday_factors(values, weekday)
    level = values / np.maximum(factors[weekday], 1e-9)
    steps = len(month) - len(spent) + 1  # what is left of today is the first
    weekdays = (today.day_of_week + np.arange(max(steps, DAYS + 1))) % DAYS
    weights = factors[weekdays]
    weights[0] *= 1 - (now - today) / _DAY
    row = _row(now, monthly) | {"spent_usd": total, "spent_share": total / monthly, "n": len(values)}
    paths = None
    if np.isnan(total):
        notes.append("nothing is known of what the calls of the month cost: no forecast")
    elif len(values) >= _LEAST and level.any():
        drawn = simulate(level, len(weights), _DRAWS, random)
        week = drawn[:, 1 : DAYS + 1].mean(axis=1)
        paths = np.cumsum(drawn[:, :steps] * weights[:steps], axis=1) + total
        row |= dict(zip(("run_rate_usd", "run_rate_low", "run_rate_high"), _told(week), strict=True))
        row |= dict(zip(("forecast_usd", "forecast_low", "forecast_high"), _told(paths[:, -1]), strict=True))
        row["over"] = float((paths[:, -1] > monthly).mean())
        notes += _rising(level)
    elif len(values):
        row["run_rate_usd"] = level.mean()
        row["forecast_usd"] = total + level.mean() * weights[:steps].sum()
        paths = np.cumsum(level.mean() * weights[None, :steps], axis=1) + total
        notes.append(f"{len(values)} whole days of cost are too few for intervals: {_LEAST} are needed")
    else:
        notes.append("no whole day to take a run rate from: no forecast")
    row["forecast_share"] = row["forecast_usd"] / monthly
    if len(values) < ENOUGH:
        notes.append("less than two weeks: every day of the week is taken to cost the same")
    if first < costs.index[0]:
        notes.append(
            f"nothing is known of {first:%d %B} to {costs.index[0] - _DAY:%d %B}: what is spent is a lower bound"
        )
    if unknown := int(costs["unknown"].reindex(month, fill_value=0).sum()):
        notes.append(f"{unknown:,} calls of unknown cost: what is spent is a lower bound")
    notes.append(currencies)
    days = _days(month, spent, paths)
    return _made(row, _passing(days, monthly, paths, len(spent)), days, notes)


def _whole_days(costs: pd.DataFrame, today: pd.Timestamp) -> tuple[pd.DataFrame, list[str]]:
    """Give the days before today of known cost, without the very first where the data may begin in the middle of it."""
    past, notes = costs[costs.index < today], []
    if unknown := int(past["cost"].isna().sum()):
        past = past[past["cost"].notna()]
        notes.append(f"{unknown:,} days on which no cost is known are not in the run rate")
    begins = (past["first"] - past.index).dt.total_seconds() / 86_400
    if len(past) and begins.iloc[0] > max(0.1, float(begins.iloc[1:].quantile(0.9)) if len(past) > 1 else 0.0):
        return past.iloc[1:], [*notes, f"{past.index[0]:%Y-%m-%d} is seen in part and not in the run rate"]
    return past, notes


def _running(spent: Floats) -> Floats:
    """Sum up what each day cost: what is not known counts as nothing, but where nothing at all is known."""
    known = np.nan_to_num(spent)
    return np.full(len(spent), np.nan) if np.isnan(spent).any() and not known.any() else np.cumsum(known)


def _told(draws: Floats) -> tuple[float, float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(draws.mean()), float(low), float(high)


def _rising(level: Floats) -> list[str]:
    """Say when the days have a trend: Kendall's tau of the last four weeks with time (Mann 1945)."""
    from scipy.stats import kendalltau, theilslopes

    recent = level[-4 * DAYS :]
    if len(recent) < ENOUGH or not np.ptp(recent):
        return []
    tau = kendalltau(np.arange(len(recent)), recent)
    if not tau.pvalue < 1e-3:
        return []
    slope = theilslopes(recent, np.arange(len(recent)))[0] * DAYS / np.median(recent)
    if abs(slope) < _NOTABLE:
        return []
    bound = "a lower" if slope > 0 else "an upper"
    move = "climbs" if slope > 0 else "falls"
    return [f"the cost of a day {move} by {abs(slope):.0%} a week: if that goes on, the forecast is {bound} bound"]


def _row(now: pd.Timestamp | None, monthly: float) -> dict[str, Any]:
    numbers = ["spent_usd", "spent_share", "n", "run_rate_usd", "run_rate_low", "run_rate_high"]
    numbers += ["forecast_usd", "forecast_low", "forecast_high", "forecast_share", "over"]
    month = pd.NaT if now is None else now.floor("D").replace(day=1)
    return {"month": month, "budget_usd": monthly, **dict.fromkeys(numbers, math.nan), "n": 0}


def _no_days() -> pd.DataFrame:
    return _days(pd.DatetimeIndex([], tz="UTC"), np.array([]), None)


def _days(month: pd.DatetimeIndex, spent: Floats, paths: Floats | None) -> pd.DataFrame:
    """Give the days of the month: spent until today, then the middle of the drawn paths and their interval."""
    total = np.full((3, len(month)), np.nan)
    total[:, : len(spent)] = _running(spent)
    ahead = len(month) - len(spent)
    if paths is not None and ahead:
        total[0, len(spent) :] = paths[:, 1:].mean(axis=0)
        if len(paths) > 1:
            total[1:, len(spent) :] = np.quantile(paths[:, 1:], [0.025, 0.975], axis=0)
    cost = np.diff(total[0], prepend=0.0)
    cost[: len(spent)] = spent
    known = np.arange(len(month)) < len(spent)
    frame = pd.DataFrame({"day": month, "cost_usd": cost, "spent_usd": total[0], "low": total[1], "high": total[2]})
    return frame.astype(dict.fromkeys(("cost_usd", "spent_usd", "low", "high"), "Float64")).assign(forecast=~known)


def _passing(days: pd.DataFrame, monthly: float, paths: Floats | None = None, n: int = 0) -> pd.DataFrame:
    """Give the day on which each mark is passed."""
    rows = []
    for share in MARKS:
        usd = share * monthly
        row = {"share": share, "usd": usd, "date": pd.NaT, "low": pd.NaT, "high": pd.NaT, "state": "not known"}
        if len(days):
            spent = days["spent_usd"].to_numpy(dtype=float, na_value=np.nan)
            dates = days["day"]
            if (passed := np.flatnonzero(spent[:n] >= usd)).size:
                row |= dict.fromkeys(("date", "low", "high"), dates[passed[0]]) | {"state": "passed"}
            elif paths is not None:
                # Past the end of the month is a day later than all.
                when = n - 1 + np.where(paths[:, -1] >= usd, (paths >= usd).argmax(axis=1), paths.shape[1])
                ends = np.quantile(when, [0.5, 0.025, 0.975], method="closest_observation").astype(int)
                told = [dates[i] if i < len(dates) else pd.NaT for i in ends]
                row |= dict(zip(("date", "low", "high"), told if len(paths) > 1 else told[:1] * 3, strict=True))
                row["state"] = "not this month" if pd.isna(told[0]) else "expected"
                if len(paths) == 1:
                    row |= {"low": pd.NaT, "high": pd.NaT}
        rows.append(row)
    frame = pd.DataFrame(rows)
    times = {name: pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]") for name in _DATES}
    return frame.assign(**times).astype({"share": "Float64", "usd": "Float64", "state": "str"})


def _made(row: dict[str, Any], passing: pd.DataFrame, days: pd.DataFrame, notes: list[str]) -> Result:
    frame = pd.DataFrame([row])
    numbers = {name: "Float64" for name in frame if name not in ("month", "n")}
    frame["month"] = pd.to_datetime(frame["month"], utc=True).astype("datetime64[us, UTC]")
    frame = frame.astype({"n": "Int64", **numbers})

    def draw(_frame: pd.DataFrame) -> go.Figure:
        from .burn_up import burn_up

        return burn_up(days, passing)

    beside = {"passing": result(passing, draw, notes), "days": result(days, draw, notes)}
    return result(frame, draw, notes, beside)
