"""`cost_per_goal`: what a trace, a session or a user costs, and what it costs to get one thing done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.errors import UnknownArgumentError, nearest
from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS
from llmlens.statistics.ratios import ratio_of_sums
from llmlens.statistics.shares import wilson

from .asking import takes_traces
from .done import done_traces
from .figures import bars, lines
from .shape import Result, bucket, columns_by, result
from .usage import usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.traces import Traces

    from .done import Rule

#: What is paid for -> the column that tells one from another.
UNITS = {"trace": "trace_id", "session": "session_id", "user": "user_id"}
_COUNTS = ("n", "n_judged", "n_done", "n_unpriced")
_NUMBERS = (
    "cost_usd",
    "cost_per_unit",
    "cost_per_unit_low",
    "cost_per_unit_high",
    "done_share",
    "done_share_low",
    "done_share_high",
)
_GOAL = ("cost_per_done", "cost_per_done_low", "cost_per_done_high")
_COLUMNS = ("n", *_NUMBERS[:4], "n_judged", "n_done", *_NUMBERS[4:], *_GOAL, "n_unpriced")
#: Fewer units do not tell how sure a mean is.
_LEAST = 10


@takes_traces
def cost_per_goal(
    traces: Traces,
    done: Rule | None = None,
    by: str | Iterable[str] | None = None,
    every: str | None = None,
    *,
    per: str = "trace",
    seed: int = 0,
) -> Result:
    """Say what a trace, a session or a user costs, and what one costs that got done what was asked.

    `done`: when a trace counts as done: an expression as for `where` ("status == 'ok'"), a score and what it must be
    ("resolved >= 1"; traces without it are not judged), a function of the frame `traces.traces` that gives true, false
    or NA for each row, or `Traces`. `per`: trace, session or user; a session or user has as many done as its traces.
    `by` and `every` as for `llmlens.cost`: a unit counts in each group that it has model calls in, with those.

    One row a group and period, the most expensive first: the columns of `by`, `period`, `n` (units of known cost),
    `cost_usd` (of those), `cost_per_unit` with `cost_per_unit_low` and `_high`, `n_judged` (traces that the rule says
    something of), `n_done`, `done_share` with `done_share_low` and `_high` (Wilson), `cost_per_done` with
    `cost_per_done_low` and `_high`, `n_unpriced` (units left out: the cost of a call is not known).

    The cost of a thing done is all that was paid for the judged traces over those done: what failed is paid, too.
    Intervals are 95 %, bootstraps of whole units (`llmlens.statistics.ratios`); with less than ten units, and with
    nothing done, there is NA. Traces without a model call are no units.

    >>> ll.cost_per_goal(traces, done="resolved >= 1", by="feature")  # doctest: +SKIP

    Raises `UnknownNameError` for a column or score, `SelectionError` for a rule, `UnknownArgumentError` for a unit.
    """
    names = columns_by(by, taken=(*_COLUMNS, "trace_id", "span_id", "start"))
    if per not in UNITS:
        raise UnknownArgumentError(f"per={per!r} is not one of {', '.join(UNITS)}.{nearest(str(per), UNITS)}")
    judged, note = (None, "") if done is None else done_traces(traces, done)
    keys = [*names, *(["period"] if every is not None else [])]
    rows = _paid(traces, names, every, UNITS[per])
    without = int(rows["unit"].isna().sum())
    notes = ["no rule: nothing is said of what is done" if done is None else note]
    notes.append(f"{without:,} traces belong to no {per}: left out" if without else "")
    if judged is not None and not (judged == 1).any():
        notes.append("the rule matches no trace: there is no cost per goal")
    notes += usage_notes(traces, tokens=False)
    rows = rows[rows["unit"].notna()]
    rows["done"] = judged.reindex(rows["trace_id"]).to_numpy() if judged is not None else pd.NA
    random = np.random.default_rng(seed)
    groups = [group for _, group in rows.groupby(keys, dropna=False)] if keys else [rows]
    frame = pd.DataFrame([_group(group, random) for group in groups], columns=list(_COLUMNS))
    frame = frame.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys((*_NUMBERS, *_GOAL), "Float64"))
    if keys:  # the first row of each group has its keys, as they are typed
        heads = pd.concat([rows.iloc[:0], *(group.iloc[:1] for group in groups)])[keys]
        frame = pd.concat([heads.reset_index(drop=True), frame], axis=1)
    order = ["period"] if every is not None else []
    frame = frame.sort_values([*order, "cost_usd"], ascending=[True] * len(order) + [False], kind="stable")
    return result(frame.reset_index(drop=True), _draw, notes)


def _paid(traces: Traces, names: list[str], every: str | None, unit: str) -> pd.DataFrame:
    """Give a row a trace and group: `unit`, `cost`, `unknown` (calls of unknown cost)."""
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS))
    started = traces._selection.rollup().select("trace_id", began="start")  # noqa: SLF001  # without its texts
    keyed = calls.mutate(unit=calls[unit], unknown=unpriced(calls)).inner_join(started, "trace_id")
    if every is not None:
        keyed = keyed.mutate(period=bucket(keyed.began, every))
    keys = ["trace_id", "unit", *names, *(["period"] if every is not None else [])]
    summed = keyed.group_by(keys).agg(cost=keyed.cost_usd.sum().fill_null(0.0), unknown=keyed.unknown.sum())
    return traces.fetch(summed.order_by(keys))


def _group(rows: pd.DataFrame, random: np.random.Generator) -> dict[str, Any]:
    """Estimate for the traces of one group."""
    known = rows.assign(judged=rows["done"].notna(), unknown=rows["unknown"].fillna(0))
    known["judged_cost"] = known["cost"].where(known["judged"], 0.0)
    known["done"] = known["done"].fillna(0)
    sums = ["cost", "unknown", "judged", "judged_cost", "done"]
    units = known.groupby("unit", sort=True)[sums].sum().astype(float)
    whole = units[units["unknown"] == 0]
    cost, of_judged, done = (whole[name].to_numpy() for name in ("cost", "judged_cost", "done"))
    per_unit = ratio_of_sums(cost, np.ones(len(cost)), random)
    per_done = ratio_of_sums(of_judged, done, random)
    n_judged, n_done = whole["judged"].sum(), done.sum()
    share = wilson(n_done / n_judged, n_judged) if n_judged else (None, None)
    found = {
        "n": len(whole), "cost_usd": cost.sum() if len(whole) else None, "cost_per_unit": per_unit.value,
        "cost_per_unit_low": per_unit.low, "cost_per_unit_high": per_unit.high, "n_judged": n_judged, "n_done": n_done,
        "done_share": n_done / n_judged if n_judged else None, "done_share_low": share[0], "done_share_high": share[1],
        "cost_per_done": per_done.value, "cost_per_done_low": per_done.low, "cost_per_done_high": per_done.high,
        "n_unpriced": len(units) - len(whole),
    }  # fmt: skip
    unsure = [name for name in (*_NUMBERS, *_GOAL) if name.startswith("cost_") and name.endswith(("_low", "_high"))]
    if len(whole) < _LEAST:
        found |= dict.fromkeys(unsure)
    return {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in found.items()}


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    goal = "cost_per_done" if frame["cost_per_done"].notna().any() else "cost_per_unit"
    title = "Cost of one done" if goal == "cost_per_done" else "Cost of one"
    if "period" in names:
        names.remove("period")
        return lines(frame, "period", goal, names, title=title, unit="USD")
    return bars(frame, goal, names, title=title, unit="USD")
