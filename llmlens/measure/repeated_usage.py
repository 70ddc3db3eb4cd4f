"""Spans that repeat the usage of those below them: agents that sum up their calls, clients that wrap clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from llmlens.schema import USAGE_KINDS

if TYPE_CHECKING:
    import numpy.typing as npt

    from llmlens.traces import Traces

    Floats: TypeAlias = npt.NDArray[np.float64]
    Integers: TypeAlias = npt.NDArray[np.int64]

#: Sums that differ by less agree: a token for rounding, a thousandth for what was cut.
_TOKEN, _RELATIVE = 1.0, 1e-3


def repeated_usage(traces: Traces, names: list[str]) -> pd.DataFrame:
    """Give the spans that report usage or cost and have others below them that do: a row a span.

    The columns are trace_id, span_id, `names`, `call` (whether the span is itself one that counts), `repeats` (it says
    what those right below it say in sum: input and output tokens, or the cost where tokens are not told), `tokens` and
    `effect` (USD that a sum over all spans has too much; NA where nothing tells).
    """
    wanted = ("trace_id", "span_id", "parent_id", "kind", "input_tokens", "output_tokens", "cost_usd")
    spans = traces.table("spans")
    frame = traces.fetch(spans.select(*dict.fromkeys((*wanted, *names))))
    tokens = frame[["input_tokens", "output_tokens"]].to_numpy(dtype=float, na_value=np.nan)
    cost = frame["cost_usd"].to_numpy(dtype=float, na_value=np.nan)
    says = ~np.isnan(tokens).all(axis=1) | ~np.isnan(cost)
    above = _nearest_above(_parents(frame), says)
    below = np.flatnonzero(says & (above >= 0))
    count = np.bincount(above[below], minlength=len(frame))
    sums = [
        np.bincount(above[below], np.nan_to_num(values[below]), len(frame)).astype(float)
        for values in (*tokens.T, cost)
    ]
    own = np.nan_to_num(tokens)
    told = own.sum(axis=1) + sums[0] + sums[1] > 0
    same_tokens = _agree(own[:, 0], sums[0], _TOKEN) & _agree(own[:, 1], sums[1], _TOKEN)
    same_cost = (np.nan_to_num(cost) > 0) & _agree(np.nan_to_num(cost), sums[2], 0.0)
    repeats = np.where(told, same_tokens & (own.sum(axis=1) > 0), same_cost)
    found = frame.assign(
        call=frame["kind"].isin(USAGE_KINDS), repeats=repeats, tokens=own.sum(axis=1),
        effect=np.where(np.isnan(cost), np.where(sums[2] > 0, sums[2], np.nan), cost),
    )[(count > 0) & says]  # fmt: skip
    kept: pd.DataFrame = found[
        list(dict.fromkeys(["trace_id", "span_id", *names, "call", "repeats", "tokens", "effect"]))
    ]
    return kept


def _agree(one: Floats, other: Floats, least: float) -> npt.NDArray[np.bool_]:
    agree: npt.NDArray[np.bool_] = np.abs(one - other) <= np.maximum(least, _RELATIVE * other)
    return agree


def _parents(frame: pd.DataFrame) -> Integers:
    """Give the row of each span's parent; -1 where it has none."""
    own = pd.Index(frame["trace_id"] + "\x1f" + frame["span_id"])
    asked = frame["trace_id"] + "\x1f" + frame["parent_id"].fillna("\x1f")
    found: Integers = own.get_indexer(pd.Index(asked)).astype(np.int64)
    found[found == np.arange(len(frame))] = -1
    return found


def _nearest_above(parents: Integers, says: npt.NDArray[np.bool_]) -> Integers:
    """Give the nearest span above each that says what it used; -1 where there is none, or only a cycle."""
    above = parents.copy()
    for _ in range(len(parents)):
        silent = above >= 0
        silent[silent] = ~says[above[silent]]
        if not silent.any():
            break
        above[silent] = parents[above[silent]]
        if (above == np.arange(len(parents)))[silent].any():  # a cycle of silent spans
            above[silent & (above == np.arange(len(parents)))] = -1
    return above
