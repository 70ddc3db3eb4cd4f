"""Spans that repeat the usage of those below them: agents that sum up their calls, clients that wrap clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from llmlens.frames import to_pandas
from llmlens.schema import USAGE_KINDS

from .span_arrays import codes_of, parents_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from llmlens.traces import Traces

    Floats: TypeAlias = npt.NDArray[np.float64]
    Integers: TypeAlias = npt.NDArray[np.int64]

_USED = ("input_tokens", "output_tokens", "cost_usd")
#: Sums that differ by less agree: a token for rounding, a thousandth for what was cut.
_TOKEN, _RELATIVE = 1.0, 1e-3


def repeated_usage(traces: Traces, names: list[str]) -> pd.DataFrame:
    """Give the spans that report usage or cost and have others below them that do: a row a span.

    The columns are trace_id, span_id, `names`, `call` (whether the span is itself one that counts), `repeats` (it says
    what those right below it say in sum: input and output tokens, or the cost where tokens are not told), `tokens` and
    `effect` (USD that a sum over all spans has too much; NA where nothing tells).
    """
    wanted = ("trace_id", "span_id", "parent_id", "depth", "kind", *_USED)
    rows = traces.fetch_arrow(traces.table("spans").select(*dict.fromkeys((*wanted, *names))))
    given, gave, cost = (rows[name].cast("float64").to_numpy() for name in _USED)
    tokens = np.column_stack((given, gave))
    says = ~np.isnan(tokens).all(axis=1) | ~np.isnan(cost)
    above = _nearest_above(parents_of(rows, codes_of(rows["trace_id"])[1]), says)
    below = np.flatnonzero(says & (above >= 0))
    count = np.bincount(above[below], minlength=len(rows))
    sums = [
        np.bincount(above[below], np.nan_to_num(values[below]), len(rows)).astype(float) for values in (*tokens.T, cost)
    ]
    own = np.nan_to_num(tokens)
    told = own.sum(axis=1) + sums[0] + sums[1] > 0
    same_tokens = _agree(own[:, 0], sums[0], _TOKEN) & _agree(own[:, 1], sums[1], _TOKEN)
    same_cost = (np.nan_to_num(cost) > 0) & _agree(np.nan_to_num(cost), sums[2], 0.0)
    repeats = np.where(told, same_tokens & (own.sum(axis=1) > 0), same_cost)
    kept = (count > 0) & says
    known = to_pandas(rows.select([*dict.fromkeys(("trace_id", "span_id", *names, "kind"))]).filter(kept))
    effect = np.where(np.isnan(cost), np.where(sums[2] > 0, sums[2], np.nan), cost)
    found = known.assign(
        call=known["kind"].isin(USAGE_KINDS).to_numpy(),
        repeats=repeats[kept],
        tokens=own.sum(axis=1)[kept],
        effect=effect[kept],
    )
    return found[[*dict.fromkeys(("trace_id", "span_id", *names)), "call", "repeats", "tokens", "effect"]]


def _agree(one: Floats, other: Floats, least: float) -> npt.NDArray[np.bool_]:
    agree: npt.NDArray[np.bool_] = np.abs(one - other) <= np.maximum(least, _RELATIVE * other)
    return agree


def _nearest_above(parents: Integers, says: npt.NDArray[np.bool_]) -> Integers:
    """Give the nearest span above each that says what it used; -1 where there is none."""
    above = parents.copy()
    while True:
        silent = np.flatnonzero(above >= 0)
        silent = silent[~says[above[silent]]]
        if not len(silent):
            return above
        above[silent] = parents[above[silent]]
