"""Which agent hands over to which, how often, and what the one that takes over costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.frames import to_pandas
from llmlens.schema import USAGE_KINDS

from .asking import takes_traces
from .figures import bars, lines
from .groups import keys_of, numbered, ordered, with_period
from .quantile_figures import by_of
from .shape import Result, columns_by, result
from .span_arrays import SpanArrays, span_arrays
from .usage import usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from llmlens.traces import Traces


@takes_traces
def handoffs(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Count hand-offs between agents: who hands over to whom.

    An agent takes over from the agent above it in the tree; one without an agent above from the one of another name
    that ran before it in the trace. `by`: a column of spans or several (of the agent that takes over). `every`: a time
    bucket by its start, in UTC.

    One row a group, bucket and pair, most frequent first: the columns of `by`, `period` (with `every`), `from_agent`,
    `to_agent`, `n` (hand-offs), `traces`, `failed` (the agent that took over failed), `seconds` (mean, of the one
    that took over), `tokens` and `cost_usd` (in all, of its own model calls, without those of agents below; NA where
    none is known).

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    names = columns_by(by, taken=("agent_name",))
    keys = keys_of(names, every)
    fetched = dict.fromkeys(
        [*keys, "kind", "name", "agent_name", "status", "input_tokens", "output_tokens", "cost_usd"]
    )
    arrays = span_arrays(traces, with_period(traces.table("spans"), every), *fetched)
    rows = to_pandas(arrays.rows.select([*dict.fromkeys(["trace_id", *fetched])]))
    agent = rows["kind"].eq("agent").to_numpy(bool)
    called = rows["agent_name"].where(rows["agent_name"].notna(), rows["name"])
    above, source = _sources(arrays, agent, called)
    used = rows["kind"].isin(USAGE_KINDS).to_numpy(bool) & (above < len(rows))
    n = len(rows)
    spent = rows.loc[used, ["input_tokens", "output_tokens", "cost_usd"]].astype("Float64")
    tokens = _summed(above[used], spent[["input_tokens", "output_tokens"]].sum(axis=1, min_count=1), n)
    cost = _summed(above[used], spent["cost_usd"], n)
    taken = np.flatnonzero(source >= 0)
    pairs = rows.iloc[taken][list(dict.fromkeys(["trace_id", *keys]))].assign(
        from_agent=called.iloc[source[taken]].to_numpy(), to_agent=called.iloc[taken].to_numpy(),
        failed=rows["status"].iloc[taken].eq("error").to_numpy(float), tokens=tokens[taken],
        seconds=np.maximum(arrays.forest.end - arrays.forest.start, 0)[taken] / 1e6,
        cost_usd=cost[taken],
    )  # fmt: skip
    notes = arrays.notes if agent.any() else [*arrays.notes, "There are no agents."]
    return result(_counted(pairs, keys, names), _draw, [*notes, *(usage_notes(traces) if len(pairs) else [])])


def _sources(
    arrays: SpanArrays, agent: NDArray[np.bool_], called: pd.Series[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the nearest agent above each span (else its trace's node), and who each agent took over from (else -1)."""
    forest = arrays.forest
    n = len(agent)
    owner = np.where(np.append(agent, np.ones(forest.n_traces, np.bool_)), np.arange(n + forest.n_traces), forest.above)
    while (owner[owner] != owner).any():
        owner = owner[owner]
    above = owner[forest.above[:n]]
    source = np.where(agent & (above < n), above, -1)
    first = np.flatnonzero(agent & (above >= n))
    first = first[np.lexsort((first, forest.start[first], forest.trace[first]))]
    names = called.iloc[first].to_numpy()
    after = (forest.trace[first][1:] == forest.trace[first][:-1]) & (names[1:] != names[:-1])
    source[first[1:][after]] = first[:-1][after]
    return above, source


def _summed(groups: NDArray[np.int64], values: pd.Series[float], n: int) -> NDArray[np.float64]:
    """Sum the values of each of `n` groups; NaN where none is known."""
    known = np.bincount(groups, values.notna().to_numpy(float), n) > 0
    return np.where(known, np.bincount(groups, values.fillna(0).to_numpy(float), n), np.nan)


def _counted(pairs: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    group = [*keys, "from_agent", "to_agent"]
    numbers, frame = numbered(pairs, group)
    size = len(frame)
    frame["n"] = np.bincount(numbers, minlength=size)
    frame["traces"] = pairs.groupby(numbers)["trace_id"].nunique().to_numpy()
    for name in ("failed", "seconds", "tokens", "cost_usd"):
        frame[name] = _summed(numbers, pairs[name], size)
    frame["seconds"] = frame["seconds"] / frame["n"]
    whole = dict.fromkeys(("n", "traces", "failed", "tokens"), "Int64")
    frame = frame.astype({**whole, "seconds": "Float64", "cost_usd": "Float64"})
    return ordered(frame, [*names, "from_agent", "to_agent"], n=False)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = by_of(frame, "n")
    if "period" in frame:
        return lines(frame, "period", "n", names, title="Hand-offs over time", unit="hand-offs")
    return bars(frame.head(30), "n", names, title="Hand-offs between agents", unit="hand-offs")
