"""`cost_anomalies`: the days on which a feature cost what it never costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError
from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS
from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.statistics.robust import qn_scale

from .asking import takes_traces
from .currencies import currency_note
from .figures import marked_lines
from .rhythm import ENOUGH, medians_of_others
from .shape import Result, bucket, columns_by, result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    import plotly.graph_objects as go

    from llmlens.statistics.robust import Floats
    from llmlens.traces import Traces

_NUMBERS = ("cost_usd", "cost_per_call", "expected", "low", "high", "change", "p", "q")
_COLUMNS = ("period", "measure", "n", "value", *_NUMBERS[2:], "anomaly", "effect_usd")
#: Fewer periods do not tell what is usual.
_LEAST = 8
_LEVEL = 0.05
#: Periods on either side that tell the level a period is compared with.
_NEAR = 7


@takes_traces
def cost_anomalies(traces: Traces, by: str | Iterable[str] | None = "feature", every: str = "1D") -> Result:
    """Find the periods in which a slice cost more or less than it usually does.

    `by`: the columns of spans that make the slices. `every`: the length of a period, such as `"1D"` or `"6h"`; the
    first and the last are left out where the data may begin or end within them.

    One row a slice, period and `measure` (`cost_usd`, all it spent; `cost_per_call`, which shows a change of a slice
    whose number of calls varies): the columns of `by`, `period`, `measure`, `n` (calls of known cost), `value`,
    `expected`, `low` and `high` (what 95 % of usual periods are within), `change` (value / expected - 1), `p`, `q` (p
    corrected over all rows, Benjamini-Hochberg), `anomaly` (q <= 0.05), `effect_usd` (what the period cost beyond the
    expected). Anomalies come first, the surest on top; all others follow by time.

    A period's logarithm is compared with the median of the seven on either side, and with what its weekday has beside
    its neighbours (with `every="1D"` and two weeks or more), both without the period itself. What is left is measured
    in units of its sampling error, that of a sum of so many calls, and of the spread of the other periods (Qn, see
    `llmlens.statistics.robust`), by Student's t. A steady rise is therefore no anomaly; `llmlens.budget` and
    `llmlens.cost_change` are about that.

    With less than eight periods of a slice, p and what follows are NA. Calls of unknown cost are left out and counted
    in `notes`. Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    names = columns_by(by, taken=(*_COLUMNS, *_NUMBERS, "start"))
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS) & spans.start.notnull())
    if not isinstance(every, str):
        raise SelectionError(f"every={every!r} is not a period. Expected a number and a unit: '1D'.")
    keyed = calls.mutate(period=bucket(calls.start, every), unknown=unpriced(calls))
    sums = {
        "n": keyed.cost_usd.count(),
        "cost": keyed.cost_usd.sum(),
        "squares": (keyed.cost_usd * keyed.cost_usd).sum(),
        "unknown": keyed.unknown.sum(),
        "first": keyed.start.min(),
        "last": keyed.start.max(),
    }
    found = traces.fetch(keyed.group_by([*names, "period"]).agg(**sums))
    unknown = int(found["unknown"].fillna(0).sum())
    notes = [
        "" if len(found) else "no model calls with a time",
        f"{unknown:,} calls of unknown cost are left out" if unknown else "",
    ]
    notes.append(currency_note(traces))
    grid = _whole_periods(found, every)
    daily = len(grid) > 1 and grid[1] - grid[0] == pd.Timedelta(days=1)
    notes.append("" if len(grid) >= _LEAST else f"{len(grid)} whole periods are too few: {_LEAST} are needed")
    if daily and _LEAST <= len(grid) < ENOUGH:
        notes.append("less than two weeks: the rhythm of the week is not taken out")
    parts = [
        _slice(rows.set_index("period").reindex(grid), dict(zip(names, _tuple(key), strict=True)), daily=daily)
        for key, rows in (found.groupby(names, dropna=False) if names else [((), found)])
    ]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*names, *_COLUMNS])
    frame = frame[frame["n"] > 0].reset_index(drop=True)
    return result(_finished(frame, found, names), _draw, notes)


def _tuple(key: object) -> tuple[object, ...]:
    return key if isinstance(key, tuple) else (key,)


def _whole_periods(found: pd.DataFrame, every: str) -> pd.DatetimeIndex:
    """Give all periods from the first to the last, without those at the ends that are only seen in part.

    An end is seen in part when it lacks more than the longest silence in between has been: a tenth of a period at
    least, as nights are silent.
    """
    if found.empty:
        return pd.DatetimeIndex([], tz="UTC")
    starts = pd.DatetimeIndex(sorted(found["period"].unique()))
    if len(starts) < 2:
        return starts
    length = np.diff(starts.to_numpy()).min()
    by_period = found.groupby("period")
    grid = (
        starts
        if every.strip().lstrip("0123456789 ") in ("M", "month", "ME", "MS")
        else (pd.date_range(starts[0], starts[-1], freq=pd.Timedelta(length)))
    )
    first, last = by_period["first"].min(), by_period["last"].max()
    late = (first - first.index).to_numpy() / length
    early = 1 - (last - last.index).to_numpy() / length
    usual_late, usual_early = (max(0.1, float(np.quantile(each, 0.9))) for each in (late[1:], early[:-1]))
    return grid[int(late[0] > usual_late) : len(grid) - int(early[-1] > usual_early)]


def _slice(rows: pd.DataFrame, keys: dict[str, object], *, daily: bool) -> pd.DataFrame:
    """Give the rows of one slice, both measures."""
    n, cost = (rows[name].fillna(0).to_numpy(dtype=float) for name in ("n", "cost"))
    mean = np.divide(cost, n, out=np.full(len(n), np.nan), where=n > 0)
    squares = rows["squares"].fillna(0).to_numpy(dtype=float)
    # How much calls differ: the median over periods, as an odd period must not hide itself.
    spread = np.divide(squares * n, cost**2, out=np.full(len(n), np.nan), where=cost > 0) - 1
    several = np.maximum(spread[n > 1], 0)
    varied = float(np.nanmedian(several)) if np.isfinite(several).any() else 0.0
    weekdays = pd.DatetimeIndex(rows.index).day_of_week.to_numpy() if daily and len(rows) >= ENOUGH else None
    parts = []
    for measure, values, variance in (("cost_usd", cost, 1 + varied), ("cost_per_call", mean, varied)):
        error = np.sqrt(np.divide(variance, n, out=np.full(len(n), np.nan), where=n > 0))
        told = _unusual(values, error, weekdays)
        effect = (values - told["expected"]) * (1 if measure == "cost_usd" else n)
        named = {**keys, "period": rows.index, "measure": measure, "n": n.astype(int), "value": values}
        parts.append(pd.DataFrame({**named, **told, "effect_usd": effect}, index=range(len(rows))))
    return pd.concat(parts, ignore_index=True)


def _unusual(values: Floats, error: Floats, weekdays: npt.NDArray[np.int64] | None) -> dict[str, Floats]:
    """Say what was expected of each value of a series, and how unlikely it is to be as far from that by chance."""
    from scipy.stats import t

    logs = np.log(values, out=np.full(len(values), np.nan), where=values > 0)
    places = np.arange(len(values))
    near = np.abs(places[:, None] - places[None, :]) <= _NEAR
    if weekdays is None:
        centre, _ = medians_of_others(logs, near)
    else:
        centre = _with_rhythm(logs, near, weekdays)
    scaled = (logs - centre) / np.maximum(error, 1e-3)
    known = np.isfinite(scaled)
    nothing = np.full(len(values), np.nan)
    if known.sum() < _LEAST:
        return {"expected": np.exp(centre), "low": nothing, "high": nothing, "change": nothing, "p": nothing}
    scale = max(1.0, qn_scale(scaled[known]))
    # Qn is 82 % efficient: it knows the spread like so many values would.
    freedom = 0.82 * (known.sum() - 1)
    width = t.ppf(0.975, freedom) * scale * error
    expected = np.exp(centre)
    return {
        "expected": expected,
        "low": expected * np.exp(-width),
        "high": expected * np.exp(width),
        "change": np.where(np.isnan(values), np.nan, values / expected - 1),
        "p": 2 * t.sf(np.abs(scaled) / scale, freedom),
    }


def _with_rhythm(logs: Floats, near: npt.NDArray[np.bool_], weekdays: npt.NDArray[np.int64]) -> Floats:
    """Expect the level of the days around plus what the same weekday had beside its own neighbours."""
    same = weekdays[:, None] == weekdays[None, :]
    rhythm = np.zeros(len(logs))
    for _ in range(3):  # the level depends on the rhythm and the rhythm on the level: this settles at once
        level, _n = medians_of_others(logs - rhythm, near)
        of_weekday, count = medians_of_others(logs - level, same)
        others, _m = medians_of_others(logs - level, np.ones_like(same))
        # Few weeks tell little of a weekday: its median is drawn towards that of all days.
        trust = count / (count + 0.5)
        rhythm = np.nan_to_num(np.where(count > 0, trust * of_weekday + (1 - trust) * others, 0.0))
    return level + rhythm


def _finished(frame: pd.DataFrame, found: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    frame["q"] = benjamini_hochberg(frame["p"].to_numpy(dtype=float))
    frame["anomaly"] = (frame["q"] <= _LEVEL).astype("boolean").where(frame["q"].notna())
    types: dict[str, Any] = {name: found[name].dtype for name in [*names, "period"]}
    types |= dict.fromkeys(("value", *_NUMBERS[2:], "effect_usd"), "Float64") | {"n": "Int64", "measure": "str"}
    frame = frame.astype(types)
    order = np.lexsort((frame["period"], frame["q"].fillna(1).where(frame["anomaly"].fillna(value=False), 2)))
    return frame.iloc[order][[*names, *_COLUMNS]].reset_index(drop=True)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("period")])
    spent = frame[frame["measure"] == "cost_usd"]
    odd = frame.loc[frame["anomaly"].fillna(value=False), [*names, "period"]].drop_duplicates()
    marks = spent.merge(odd, on=[*names, "period"]) if len(odd) else spent.iloc[:0]
    return marked_lines(spent, marks, "period", "value", names, title="Cost and its anomalies", unit="USD")
