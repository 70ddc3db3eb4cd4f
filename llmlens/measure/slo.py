"""Behavioural objectives: a share of answers must be good enough, and what is left of the rest is a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError, unknown

from .asking import takes_traces
from .burn import HOUR, LEAST, WINDOWS, Judged
from .condition import objective as parsed
from .estimates import interval_dtypes, share_columns
from .grouping import MARK, groups_in, marked, rows_of
from .interval_figures import intervals
from .score_rows import averaged, score_rows
from .shape import Result, bucket_end, columns_by, result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import plotly.graph_objects as go

    from llmlens.traces import Traces

    from .condition import Condition

_RATES = {
    name: dtype
    for window in WINDOWS
    for name, dtype in ({f"n_{window.name}": "Int64"} | interval_dtypes(f"burn_{window.name}")).items()
}
_MEASURED = {
    "n": "Int64", **interval_dtypes("good", "burn"), "at": "datetime64[us, UTC]", **_RATES, "alert": "str",
    **interval_dtypes("budget_left"), **dict.fromkeys(("runs_out", "runs_out_low", "runs_out_high"),
                                                      "datetime64[us, UTC]"),
}  # fmt: skip
_PERIOD = MARK + "period"
_NEVER = pd.Timedelta(days=3650)


@takes_traces
def slo(
    traces: Traces,
    objective: str,
    target: float = 0.95,
    every: str | None = None,
    *,
    by: str | Iterable[str] | None = None,
    days: float = 30,
) -> Result:
    """Say whether a behavioural objective is met, how quickly its error budget is spent, and until when it lasts.

    `objective`: the name of a score and what it must be, such as `"helpfulness >= 0.7"`, `"resolved == true"`,
    `"verdict == 'good'"`. `target`: the share of judged traces that must meet it. `days`: the period of the budget,
    which is `1 - target` of the traces judged in it; where fewer days are known, traffic goes on as it was. `every`,
    `by`: as everywhere; with `by` each group has a budget of its own.

    One row a group and bucket (without `every`, one for all): the columns of `by`, `period` (with `every`), `n` (traces
    judged, each once), `good` (the share that meets the objective), `burn` (the share that does not over the share that
    may: 1 spends the budget exactly in its period). Then, as it stood `at` the end of the bucket, or of the data:
    `n_1h`, `burn_1h`, the same over `6h` and `3d`; `alert` (`page` for a burn of 14.4 over 1 h or 6 over 6 h, `ticket`
    for 1 over 3 d, each also over the last twelfth of it, else `none`: Google's Site Reliability Workbook, chapter 5,
    table 5-8), `budget_left` of the last `days` (1 is untouched, below 0 overspent), `runs_out` (when it is or was
    spent; ahead, at the burn of the last three days; NaT when not within ten years). The shares, burns, `budget_left`
    and `runs_out` have `_low` and `_high`: 95 % intervals by Wilson's of the shares; the early date is `runs_out_low`.

    NA is what too few judgements say: less than 10 in a window. Scores of several sources under the name are averaged
    within a trace, and `.notes` says so.

    Raises `SelectionError` for an objective, a target or days that cannot be, `UnknownNameError` for a score or a
    column that does not exist.
    """
    name, condition = parsed(objective)
    budget = _budget(target, days)
    names = columns_by(by, taken=(*_MEASURED, "start", "end"))
    rows, uncounted = score_rows(traces, names, every)
    known = sorted(set(rows["name"]))
    if known and name not in known:
        what = "score"
        raise unknown(what, name, known)
    rows = rows[rows["name"] == name]
    rows = rows.assign(good=condition.met(rows))
    notes = [uncounted, *_notes(rows, name, condition, target)]
    rows = rows[rows["good"].notna() & rows["start"].notna()]
    keys = marked(names, every)
    units = averaged(rows, [*keys, "start"], ["good"])
    found = [
        group | row
        for group, members in groups_in(units, keys[: len(names)])
        for row in _rows(members, budget, every, units["start"].max())
    ]
    frame = rows_of(found, units, keys, _MEASURED)
    short = [window.name for window in WINDOWS if len(frame) and frame[f"n_{window.name}"].max() < LEAST]
    if short and len(rows):
        notes.append(f"Less than {LEAST} judgements in the last {', '.join(short)}: no burn over that.")
    return result(frame, _draw, notes)


@dataclass(frozen=True, slots=True)
class _Budget:
    allowed: float
    """The share of judgements that may fail."""
    days: float

    def state(self, judged: Judged, first: float, end: float) -> dict[str, Any]:
        """Say what is left at `end` of judgements that began at `first`, and until when."""
        length = self.days * 24 * HOUR
        known = min(end - first, length)
        spent = judged.burn(end - known, end)
        left, low, high = (1 - each * known / length for each in (spent.value, spent.high, spent.low))
        burn = judged.burn(end - WINDOWS[-1].hours * HOUR, end)
        if left > 0:
            dates = [end + left * length / each if each > 0 else np.inf for each in (burn.value, burn.high, burn.low)]
        else:
            gone = judged.spent(end - known, end, self.allowed * spent.n * length / known) if left <= 0 else np.nan
            dates = [gone] * 3
        return {
            "budget_left": left, "budget_left_low": low, "budget_left_high": high,
            **{f"runs_out{part}": _moment(date, end) for part, date in zip(("", "_low", "_high"), dates, strict=True)},
        }  # fmt: skip


def _budget(target: object, days: object) -> _Budget:
    if isinstance(target, bool) or not isinstance(target, float | int) or not 0 < target < 1:
        hint = f" {target} % is {target / 100:g}." if isinstance(target, int | float) and 1 < target < 100 else ""
        raise SelectionError(f"target={target!r}: expected a share between 0 and 1, such as 0.95.{hint}")
    if isinstance(days, bool) or not isinstance(days, float | int) or not 1 <= days <= 3650:
        raise SelectionError(f"days={days!r}: expected a number of days from 1 to 3650, such as 30.")
    return _Budget(1 - float(target), float(days))


def _notes(rows: pd.DataFrame, name: str, condition: Condition, target: float) -> list[str]:
    silent, timeless = int(rows["good"].isna().sum()), int(rows["start"].isna().sum())
    told = [str(source) for source in rows["source"].fillna("unknown").unique()]
    unreachable = [window.name for window in WINDOWS if window.threshold * (1 - target) >= 1]
    return [
        "" if len(rows) else f"There are no scores {name!r}: nothing is known of the objective.",
        f"{silent:,} of {len(rows):,} scores {name!r} cannot be compared ({condition}): left out." if silent else "",
        f"{timeless:,} of {len(rows):,} scores {name!r} are of traces without a time: left out." if timeless else "",
        f"{name}: scores of {', '.join(told)} are averaged within a trace." if len(told) > 1 else "",
        f"A target of {target:g} leaves so large a budget that no burn pages over {', '.join(unreachable)}."
        if unreachable
        else "",
    ]


def _rows(units: pd.DataFrame, budget: _Budget, every: str | None, latest: pd.Timestamp) -> Iterator[dict[str, Any]]:
    """Give a row a bucket of one group, each with how the budget stood at its end; all data ends at `latest`."""
    at = units["start"].astype("datetime64[us, UTC]").astype("int64").to_numpy()
    judged = Judged(np.asarray(at, dtype=np.int64), 1 - units["good"].to_numpy(), budget.allowed)
    last = latest.timestamp() * 1e6 + 1 if len(at) else np.nan
    for key, members in groups_in(units, [] if every is None else [_PERIOD]):
        end = last if every is None else min(last, bucket_end(key[_PERIOD], every).timestamp() * 1e6)
        n = len(members)
        good = share_columns("good", float(members["good"].sum()), n)
        row = key | {"n": n, "at": _moment(end, end)} | good
        for part, other in (("", ""), ("_low", "_high"), ("_high", "_low")):
            share = good[f"good{other}"]
            row[f"burn{part}"] = None if share is None else (1 - share) / budget.allowed
        for window in WINDOWS:
            rate = judged.burn(end - window.hours * HOUR, end) if n else None
            row[f"n_{window.name}"] = rate.n if rate else 0
            for part in ("value", "low", "high"):
                row[f"burn_{window.name}{'' if part == 'value' else '_' + part}"] = getattr(rate, part, None)
        yield row | ({"alert": judged.alert(end), **budget.state(judged, float(at.min()), end)} if n else {})


def _moment(at: float, end: float) -> pd.Timestamp | None:
    """Make a time of microseconds; none for what is beyond ten years from `end`."""
    if not np.isfinite(at) or at - end > _NEVER.total_seconds() * 1e6:
        return None
    return pd.Timestamp(int(at), unit="us", tz="UTC")


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    return intervals(frame, "good", names, title="Share that meets the objective", unit="share")
