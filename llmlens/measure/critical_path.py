"""What users wait for: the critical path of each trace, by kind of work and by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .asking import takes_traces
from .figures import bars, lines
from .groups import keys_of, numbered, ordered, with_period
from .quantile_figures import by_of, share_bars
from .shape import Result, columns_by, result
from .span_arrays import SpanArrays, span_arrays, texts_of
from .units import trace_units

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from llmlens.traces import Traces

    _Seconds: TypeAlias = NDArray[np.float64]

#: Kind of a span -> what its time is spent on; all other kinds are own code.
WORK = {"llm": "model", "tool": "tools", "retriever": "retrieval", "embedding": "retrieval", "reranker": "retrieval"}
PARTS = ("model", "tools", "retrieval", "own code")
#: Kinds that say nothing of the work: such a span (an HTTP request, say) does the work of the one it is in.
_VAGUE = ("span", "event")
#: Below so many traces the interval of a share is not given.
_ENOUGH = 10


@takes_traces
def critical_path(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Share the wait for a trace out to the model, tools, retrieval and own code.

    The critical path of a trace is what its end waited for, followed backwards: the span that ended last, before it the
    one that ended last before that began, and so on down the tree. Time that runs beside it does not count; when no
    span below is waited for, the span itself is. So the parts add up to the trace, from its first start to its last
    end, and a step that is made quicker saves no more than its part. (CRISP: Zhang et al. 2022, USENIX ATC.)

    `by`: a column of spans or several, such as `"feature"` or `"trace_id"` (a trace is in the group that all its spans,
    else its root, say). `every`: a time bucket by the start, in UTC.

    Four rows a group and bucket: the columns of `by`, `period` (with `every`), `part` (`model`: llm; `tools`: tool;
    `retrieval`: retriever, embedding, reranker; `own code`: all else; a plain span counts as what it is in), `n`
    (traces), `wait_s` (the part's mean seconds on the path), `self_s` (mean seconds of spans without their children,
    on the path or beside it), `share` of the wait with its 95 % interval `low`, `high` (a ratio of sums over traces;
    NA below ten of them). Traces without length have no share. `.notes` says which spans could not be placed.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    import pandas as pd

    names = columns_by(by, taken=("duration_s",))
    spans = traces.table("spans")
    arrays = span_arrays(traces, spans, "kind")
    wait, own = _by_part(arrays)
    keys = keys_of(names, every)
    units = traces.fetch(with_period(trace_units(spans, names), every).select(*dict.fromkeys(["trace_id", *keys])))
    place = pd.Index(units["trace_id"]).get_indexer(pd.Index(arrays.trace_ids.to_pandas()))
    numbers, groups = numbered(units.iloc[place], keys)
    frame = _shares(numbers, groups, wait, own)
    return result(frame, _draw, arrays.notes)


@takes_traces
def self_time(traces: Traces, by: str | Iterable[str] = "name", every: str | None = None) -> Result:
    """Say which steps the time goes to: the seconds of spans without their children, and what of it is waited for.

    `by`: columns of spans, such as `["kind", "name"]`, or `["trace_id", "span_id"]` for each span. `every`: a time
    bucket by the start of the span, in UTC.

    One row a group and bucket, most waited for first: the columns of `by`, `period` (with `every`), `n` (spans),
    `traces`, `self_s` (seconds of the spans in which none of their children ran), `wait_s` (those on the critical
    path, see `critical_path`), `share` (of the wait of all that the result speaks of, or of its period).

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    import pandas as pd

    from llmlens.frames import to_pandas

    names = columns_by(by, taken=("duration_s",))
    keys = keys_of(names, every)
    arrays = span_arrays(traces, with_period(traces.table("spans"), every), *keys)
    forest = arrays.forest
    n = len(forest.parent)
    numbers, made = numbered(to_pandas(arrays.rows.select(keys or ["trace_id"])), keys)
    size = len(made)
    pairs = np.unique(numbers * max(forest.n_traces, 1) + forest.trace) // max(forest.n_traces, 1)
    made["n"], made["traces"] = np.bincount(numbers, minlength=size), np.bincount(pairs, minlength=size)
    for name, micros in (("self_s", forest.self_time), ("wait_s", forest.path_time)):
        made[name] = np.bincount(numbers, micros[:n] / 1e6, size)
    together = made["period"] if every is not None else pd.Series(0, index=made.index)
    total = made.groupby(together, dropna=False)["wait_s"].transform("sum")
    made["share"] = made["wait_s"] / total.where(total > 0)
    made = made.astype({"n": "Int64", "traces": "Int64", **dict.fromkeys(("self_s", "wait_s", "share"), "Float64")})
    return result(ordered(made, names, wait_s=False, self_s=False), _draw_steps, arrays.notes)


def _by_part(arrays: SpanArrays) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give seconds on the path, and seconds of self time, a row a trace and a column a part."""
    forest = arrays.forest
    n, n_traces = len(forest.parent), forest.n_traces
    kinds, codes = texts_of(arrays.rows, "kind")
    part_of = np.array([PARTS.index(WORK.get(kind or "", "own code")) for kind in kinds] + [PARTS.index("own code")])
    vague = np.array([kind in _VAGUE for kind in kinds] + [False])[codes]
    owner = np.append(np.where(vague, forest.above[:n], np.arange(n)), forest.above[n:])
    while (owner[owner] != owner).any():
        owner = owner[owner]
    part = np.append(part_of[codes], np.full(n_traces, PARTS.index("own code")))[owner]
    trace = np.append(forest.trace, np.arange(n_traces))
    cell, size = trace * len(PARTS) + part, n_traces * len(PARTS)

    def summed(micros: NDArray[np.int64]) -> NDArray[np.float64]:
        seconds = np.bincount(cell, micros / 1e6, size).astype(np.float64)
        return seconds.reshape(n_traces, len(PARTS))

    return summed(forest.path_time), summed(np.append(forest.self_time[:n], np.zeros(n_traces, np.int64)))


def _shares(numbers: NDArray[np.int64], groups: pd.DataFrame, wait: _Seconds, own: _Seconds) -> pd.DataFrame:
    """Give the rows of the result, four a group.

    The interval of a share is that of a ratio of sums over traces: Cochran (1977), Sampling techniques, chapter 6.
    """
    import pandas as pd

    from llmlens.statistics.estimate import Z

    size = len(groups)

    def summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(numbers, values, size).astype(np.float64)

    whole, n = wait.sum(axis=1), np.bincount(numbers, minlength=size)
    total, squares = summed(whole), summed(whole**2)
    parts = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for place, part in enumerate(PARTS):
            spent, each = summed(wait[:, place]), wait[:, place]
            share = np.where(total > 0, spent / total, np.nan)
            # The sum of squares of what a trace's part has more than the share of the trace.
            more = summed(each**2) - 2 * share * summed(each * whole) + share**2 * squares
            half = np.where(n >= _ENOUGH, Z * np.sqrt(np.maximum(more, 0) * n / (n - 1)) / total, np.nan)
            numbers_of = {"n": n, "wait_s": spent / n, "self_s": summed(own[:, place]) / n, "share": share}
            ends = {"low": (share - half).clip(0, 1), "high": (share + half).clip(0, 1)}
            parts.append(groups.assign(part=part, _place=place, **numbers_of, **ends))
    frame = pd.concat(parts, ignore_index=True)
    types = {"part": "str", "n": "Int64", **dict.fromkeys(("wait_s", "self_s", "share", "low", "high"), "Float64")}
    names = [name for name in groups.columns if name != "period"]
    frame = ordered(frame.astype(types), [*names, "_place"], n=False)
    return frame.drop(columns="_place")


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "part"), "part"]
    if "period" in frame:
        return lines(frame, "period", "wait_s", names, title="What traces wait for", unit="s a trace")
    return share_bars(frame, names, title="What traces wait for")


def _draw_steps(frame: pd.DataFrame) -> go.Figure:
    names = by_of(frame, "n")
    if "period" in frame:
        return lines(frame, "period", "wait_s", names, title="What traces wait for", unit="s")
    return bars(frame.head(30), "wait_s", names, title="What traces wait for", unit="s")
