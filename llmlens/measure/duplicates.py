"""`duplicates`: what was asked before, and what a cache of answers would have saved."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError
from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS
from llmlens.statistics.shares import wilson
from llmlens.texts import text_rows

from .asking import takes_traces
from .figures import bars, lines
from .near_duplicates import earlier_like, normalised
from .shape import Result, buckets, columns_by, result
from .usage import tokens_of, usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.traces import Traces

    from .near_duplicates import Integers

_COUNTS = ("n", "exact", "near", "saved_calls", "saved_tokens", "n_unpriced")
_NUMBERS = ("share", "low", "high", "cost_usd", "saved_usd", "saved_share")
_ORDER = ("n", "exact", "near", "share", "low", "high", "saved_calls", "saved_tokens", "cost_usd", "saved_usd")
_COLUMNS = (*_ORDER, "saved_share", "n_unpriced")


@takes_traces
def duplicates(
    traces: Traces,
    by: str | Iterable[str] | None = "feature",
    every: str | None = None,
    *,
    threshold: float = 0.85,
    seed: int = 0,
) -> Result:
    """Count the requests that were made before, and what answering them from a cache would have saved.

    A request is what the user said to a trace. It repeats an earlier one of its group `by` exactly when they agree but
    for case, spaces and punctuation, nearly when at least `threshold` of their runs of four characters (Jaccard) is
    common to both, see `llmlens.measure.near_duplicates`. With `every`, a request counts in the period it came in,
    whenever the earlier one was made.

    One row a group and period, the largest saving first: the columns of `by`, `period`, `n` (requests), `exact`,
    `near`, `share` of both with `low` and `high` (Wilson, 95 %), `saved_calls` and `saved_tokens` (input and output, of
    the model calls of their traces), `cost_usd` (of all requests), `saved_usd`, `saved_share`, `n_unpriced` (calls of
    repeats whose cost is not known, which no saving counts). `.beside["repeated"]` has the requests that came
    again, the dearest first: the columns of `by`, `text` (of the first), `n`, `exact`, `near`, `saved_usd`, `trace_id`
    (of the first), `again` (of the last).

    It is the most that a cache could save: whether an old answer will do is not for the words to say. "Up to 250" and
    "up to 450" are near, and "yes" means something else every time; read `.beside["repeated"]` before building one.

    Raises `UnknownNameError` for a column, `SelectionError` for a threshold that is none.
    """
    names = columns_by(by, taken=(*_COLUMNS, "trace_id", "span_id", "start", "text", "prompt", "period"))
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or not 0 < threshold <= 1:
        raise SelectionError(f"threshold={threshold!r} is not a similarity: expected more than 0 and at most 1.")
    requests = text_rows(traces, "input", by=names)
    usage = _usage(traces).reindex(requests["trace_id"].to_numpy(object)).set_axis(requests.index)
    requests = pd.concat([requests, usage], axis=1)
    requests["original"], requests["exact"] = _originals(requests, names, float(threshold), seed)
    requests["again"] = requests["original"] >= 0
    requests["near"] = requests["again"] & ~requests["exact"]
    requests = requests.fillna({"calls": 0, "unpriced": 0})
    silent = len(traces) - len(requests)
    notes = [f"{silent:,} of {len(traces):,} traces do not say what they were asked"] if silent else []
    notes += usage_notes(traces)
    keys = list(names)
    if every is not None:
        requests["period"] = buckets(requests["start"], every)
        keys.append("period")
    frame = _grouped(requests, keys)
    repeated = result(_repeated(requests, names), _draw_repeated, notes)
    return result(frame, _draw, notes, {"repeated": repeated})


def _usage(traces: Traces) -> pd.DataFrame:
    """Sum what the model calls of each trace used."""
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS)).mutate(unknown=unpriced)
    tokens = tokens_of(calls)
    summed = calls.group_by("trace_id").agg(
        calls=calls.count(), tokens=tokens.sum(), cost=calls.cost_usd.sum(), unpriced=calls.unknown.sum()
    )
    return traces.fetch(summed).set_index("trace_id")


def _originals(
    requests: pd.DataFrame, names: list[str], threshold: float, seed: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Give the number of the request that each repeats (-1 for none), and whether it does so exactly."""
    if requests.empty:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    texts = pd.Series(normalised(requests["text"].tolist()), index=requests.index)
    groups = requests.groupby(names, dropna=False).ngroup() if names else pd.Series(0, index=requests.index)
    keys = pd.MultiIndex.from_arrays([groups, texts])
    codes, _ = pd.factorize(keys)
    first: Integers = np.flatnonzero(~pd.Series(codes).duplicated()).astype(np.int64)
    numbers: Integers = groups.to_numpy(dtype=np.int64)[first].astype(np.int64)
    like = earlier_like(texts.iloc[first].tolist(), numbers, threshold, seed)
    exact = np.ones(len(requests), dtype=bool)
    exact[first] = False
    original = first[codes]
    original[first] = np.where(like >= 0, first[like], -1)
    return original, exact


def _grouped(requests: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Sum up to groups, and add shares and their intervals."""
    again = requests["again"]
    parts = requests[keys].assign(
        n=1, exact=requests["exact"].astype(int), near=requests["near"].astype(int), cost_usd=requests["cost"],
        saved_calls=requests["calls"].where(again, 0), saved_tokens=requests["tokens"].where(again),
        saved_usd=requests["cost"].where(again), n_unpriced=requests["unpriced"].where(again, 0),
    )  # fmt: skip
    sums = [*_COUNTS, "cost_usd", "saved_usd"]
    if keys:
        frame = parts.groupby(keys, dropna=False)[sums].sum(min_count=1).reset_index()
    else:
        frame = parts[sums].sum(min_count=1).to_frame().T
        frame["n"] = len(parts)
    repeats = (frame["exact"] + frame["near"]).fillna(0)
    # Where nothing repeats nothing is saved, whatever is known of tokens and cost.
    frame.loc[(frame["n"] > 0) & (repeats == 0), ["saved_tokens", "saved_usd"]] = 0
    n = frame["n"].where(frame["n"] > 0)
    frame["share"] = repeats / n
    bounds = [wilson(r / k, k) if k else (np.nan, np.nan) for r, k in zip(repeats, frame["n"], strict=True)]
    frame["low"], frame["high"] = zip(*bounds, strict=True) if bounds else ([], [])
    frame["saved_share"] = frame["saved_usd"] / frame["cost_usd"].where(frame["cost_usd"] > 0)
    frame = frame.astype(dict.fromkeys(_COUNTS, "Int64") | dict.fromkeys(_NUMBERS, "Float64"))
    order = ["period"] if "period" in keys else []
    frame = frame.sort_values([*order, "saved_usd"], ascending=[True] * len(order) + [False], kind="stable")
    return frame[[*keys, *_COLUMNS]].reset_index(drop=True)


def _repeated(requests: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Give a row a request that came again, with those that repeat one of its repeats."""
    root = np.where(requests["original"] >= 0, requests["original"], np.arange(len(requests)))
    while len(root) and (root[root] != root).any():  # an original is before its repeats, so this ends
        root = root[root]
    grouped = requests.assign(root=root, saved=requests["cost"].where(requests["again"])).groupby("root")
    frame = grouped.agg(
        **{name: (name, "first") for name in names}, text=("text", "first"), n=("text", "size"),
        exact=("exact", "sum"), near=("near", "sum"), saved_usd=("saved", "sum"),
        trace_id=("trace_id", "first"), again=("trace_id", "last"),
    )  # fmt: skip
    return frame[frame["n"] > 1].sort_values(["saved_usd", "n"], ascending=False, kind="stable").reset_index(drop=True)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    if "period" in names:
        names.remove("period")
        return lines(frame, "period", "saved_usd", names, title="What repeated requests cost", unit="USD")
    return bars(frame, "saved_usd", names, title="What repeated requests cost", unit="USD")


def _draw_repeated(frame: pd.DataFrame) -> go.Figure:
    return bars(frame.head(20), "saved_usd", ["text"], title="Requests that came again", unit="USD")
