"""`cost_change`: why the bill is another one, to the cent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError
from llmlens.keyed import keyed
from llmlens.measure.shape import Result, columns_by, result

from .call_costs import call_costs
from .cost_factors import FACTORS, effects
from .selections import as_traces

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.read.prices import UserPrices
    from llmlens.traces import Traces

_COSTS = ("cost_before", "cost_after", "change", *FACTORS)
#: Fewer calls do not tell how long they went on.
_MIN_CALLS = 10
_COUNTS = ("calls_before", "calls_after", "unpriced_before", "unpriced_after")


class CostChange(Result):
    """A row a group; `.total` is their sum, and what `.plot()` draws."""

    _metadata = ["_figure", "_total"]  # noqa: RUF012  # the name and form that pandas asks for
    _total: Result | None = None

    @property
    def _constructor(self) -> type[CostChange]:
        return CostChange

    @property
    def total(self) -> Result:
        """One row with the sums over all groups."""
        if self._total is None:
            raise SelectionError("This frame was made from a cost change by an operation that lost its total.")
        return self._total


@explains_arguments
def cost_change(
    before: Traces,
    after: Traces,
    by: str | Iterable[str] | None = ("feature", "model"),
    *,
    per: str | None = None,
    prices: UserPrices = None,
) -> CostChange:
    """Split the difference in cost of two selections into what it comes from, without a rest.

    `by`: the columns of spans that make the groups. `per`: compare costs per length of time, such as `"1D"`, for
    periods of different length; a period is taken to last from its first to its last call and one gap between calls
    longer. `prices`: prices of your own for models without a list price, as for the readers.

    One row a group, the largest change first: the columns of `by`, `cost_before`, `cost_after`, `change` (all in USD,
    of calls whose cost is known) and what that comes from, which sums to it: `volume` (more calls), `mix` (calls of
    other groups), `input_tokens` and `output_tokens` (a call), `cache` (the share of input read from or written to the
    provider's cache), `price` (what was paid per token, and per call where that is charged), `unpriced` (other calls
    have a known cost). Then `calls_before`,
    `calls_after` (model calls, but for those that failed before they used anything), `unpriced_before`,
    `unpriced_after` (calls of unknown cost) and `note`.

    A group's cost is the product calls * share of the group * share priced * (input tokens * price of the cache's mix
    + output tokens * price + price of a call). Each factor's share is its Shapley value, the average over all orders in
    which the factors could have changed (Shapley 1953; Shorrocks 2013), so none is preferred. What a group that is new
    or gone has no value of (its tokens, prices) is taken not to have changed: all its cost is volume and mix. Prices
    are those paid: a call's cost is shared among its kinds of token by list price, else every token costs the same.

    Raises `UnknownNameError` for a column, `SelectionError` for what makes no comparison.
    """
    sides = [as_traces(before, "cost_change", "before"), as_traces(after, "cost_change", "after")]
    names = columns_by(by, taken=(*_COSTS, *_COUNTS, "note", "cost_usd"))
    length = _check_per(per)
    costs = [call_costs(keyed(side, names), names, prices) for side in sides]
    scales = (1.0, 1.0) if length is None else (length / _duration(costs[0]), length / _duration(costs[1]))
    groups = _together(costs, names)
    frame = _split(groups, scales)
    frame["note"] = [_note(row) for _, row in groups.iterrows()]
    frame = pd.concat([groups[names], frame], axis=1)
    order = (-frame["change"].abs()).to_numpy().argsort(kind="stable")
    frame = _typed(frame.iloc[order].reset_index(drop=True))
    made = CostChange(frame)
    object.__setattr__(made, "_total", result(_total(frame, groups, scales), _draw_total))
    object.__setattr__(made, "_figure", _draw)
    return made


def _check_per(per: str | None) -> float | None:
    """Give the seconds of `per`; raise `SelectionError` for what is no length of time."""
    if per is None:
        return None
    try:
        length = pd.Timedelta(per if isinstance(per, str) else "NaT").total_seconds()
    except ValueError:
        length = np.nan
    if not length > 0:
        raise SelectionError(f"per={per!r} is not a length of time. Expected a number and a unit: '1D', '1h', '7D'.")
    return length


def _duration(costs: pd.DataFrame) -> float:
    """Give how long the calls of a side went on, in seconds; NaN when that cannot be told."""
    if costs.empty:
        return np.nan
    calls = int(costs["calls"].sum())
    length = (costs["last"].max() - costs["first"].min()).total_seconds()
    # n calls leave n - 1 gaps; half of one before the first and half of one after the last belong to the period.
    return length * calls / (calls - 1) if calls >= _MIN_CALLS and length > 0 else np.nan


def _together(costs: list[pd.DataFrame], names: list[str]) -> pd.DataFrame:
    """Give the groups of both sides, columns with `_before` and `_after`; what a side does not have is 0."""
    numbers = [column for column in costs[0].columns if column not in (*names, "first", "last")]
    sided = [
        each[[*names, *numbers]].rename(columns={column: f"{column}_{side}" for column in numbers})
        for each, side in zip(costs, ("before", "after"), strict=True)
    ]
    both = pd.concat(sided, ignore_index=True)
    if names:
        return both.groupby(names, dropna=False, as_index=False).sum()
    return both.sum().to_frame().T if len(both) else both


def _split(groups: pd.DataFrame, scales: tuple[float, float]) -> pd.DataFrame:
    """Give the costs of each group, and what made the difference."""
    names = [str(column).removesuffix("_before") for column in groups.columns if str(column).endswith("_before")]
    before, after = (
        {name: groups[f"{name}_{side}"].to_numpy(dtype=float) for name in names} for side in ("before", "after")
    )
    made = {"cost_before": before["cost"] * scales[0], "cost_after": after["cost"] * scales[1]}
    made["change"] = made["cost_after"] - made["cost_before"]
    for name, effect in zip(FACTORS, effects(before, after, scales), strict=True):
        made[name] = np.where(np.isfinite(made["change"]), effect + 0.0, np.nan)  # 0.0 instead of -0.0
    calls, unpriced = ([side["calls"] - less * side["priced"] for side in (before, after)] for less in (0, 1))
    return pd.DataFrame(made | dict(zip(_COUNTS, [*calls, *unpriced], strict=True)))


def _note(row: pd.Series[Any]) -> str:
    notes = []
    if not row["calls_before"] or not row["calls_after"]:
        notes.append("gone" if row["calls_before"] else "new")
    guessed = sum(row[f"priced_{side}"] - row[f"list_priced_{side}"] for side in ("before", "after"))
    if guessed:
        notes.append(f"no list price for {int(guessed):,} calls: each of their tokens taken to cost the same")
    return "; ".join(notes)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = dict.fromkeys(_COSTS, "Float64") | dict.fromkeys(_COUNTS, "Int64")
    return frame.astype({name: dtype for name, dtype in {**numbers, "note": "str"}.items() if name in frame})


def _total(frame: pd.DataFrame, groups: pd.DataFrame, scales: tuple[float, float]) -> pd.DataFrame:
    """Sum the groups, and say what is not in the sum."""
    sums: dict[str, Any] = {name: frame[name].sum(min_count=1) for name in _COSTS}
    sums |= {name: int(frame[name].sum()) for name in _COUNTS}
    notes = []
    for side, scale in zip(("before", "after"), scales, strict=True):
        if not groups[f"calls_{side}"].sum():
            notes.append(f"{side} has no model calls")
        elif not np.isfinite(scale):
            notes.append(f"the calls of {side} do not tell how long it lasted: leave per= out")
        elif unknown := sums[f"unpriced_{side}"]:
            notes.append(f"{side}: {unknown:,} calls of unknown cost")
    return _typed(pd.DataFrame([{**sums, "note": "; ".join(notes)}]))


def _draw(frame: pd.DataFrame) -> go.Figure:
    return _draw_total(pd.DataFrame([{name: frame[name].sum() for name in _COSTS}]))


def _draw_total(frame: pd.DataFrame) -> go.Figure:
    from .waterfall import waterfall

    return waterfall(frame.iloc[0], list(FACTORS))
