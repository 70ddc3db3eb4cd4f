"""Agents that go round in circles: the same call again and again, cycles of tools, cycles of agents; what they cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from llmlens.statistics.shares import wilson

from .asking import takes_traces
from .calls import canonical, distinct, tool_runs, words
from .clocks import clock_notes
from .figures import lines
from .groups import keys_of, ordered, with_period
from .quantile_figures import by_of, share_bars
from .repeats import LONGEST, Repeat, repeats
from .shape import Result, columns_by, result
from .units import trace_units
from .usage import tokens_of, usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from llmlens.traces import Traces

    from .repeats import Same

    Integers: TypeAlias = NDArray[np.int64]

#: Arguments are alike that share so much of their words (Jaccard), where the outcome was the same too.
ALIKE = 0.5
_FOUND = ("trace_id", "pattern", "what", "calls", "rounds", "start", "end", "failed", "tokens", "seconds", "cost_usd")


@takes_traces
def loops(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Find agents that go round in circles, and what the rounds after the first one cost.

    Patterns: `identical` (a tool is called three times or more in a row with the same arguments, whatever other tools
    run in between), `near-identical` (with arguments that differ in spelling, or that share half of their words and had
    the same outcome), `cycle` (two to four different calls in turn, A-B-A-B-A-B, three rounds or more) and `agents`
    (two to four agents that hand over to each other in turn, three rounds or more). A call whose outcome is another
    than before is no repeat, and none whose result says that there is something to wait for ("pending", "running").

    `by`: a column of spans or several (a trace is in the group that all its spans, else its root, say). `every`: a time
    bucket by the start of the trace, in UTC.

    One row a group, bucket and pattern, most traces first: the columns of `by`, `period` (with `every`), `pattern`,
    `loops`, `traces` (with one), `n` (traces in all), `share` with its 95 % interval `low`, `high` (Wilson's), and what
    was spent after the first round: `calls`, `tokens` and `cost_usd` (of the model calls that asked for them) and
    `seconds` (of both). `.beside["loops"]` has a row a loop: where, what, how often, from when to when.

    A loop is waste, not always the cause of a failure. Raises `UnknownNameError` for a column, `SelectionError` for a
    period that does not exist.
    """
    import pandas as pd

    names = columns_by(by, taken=("cost_usd",))
    keys = keys_of(names, every)
    runs = tool_runs(traces)
    calls = traces.fetch(runs.order_by(["trace_id", "start", "span_id", "call_id"]))
    found = pd.concat([loops_of_calls(calls), _loops_of_agents(traces)], ignore_index=True)
    units = with_period(trace_units(traces.table("spans"), names), every)
    groups = traces.fetch(units.select(*dict.fromkeys(["trace_id", *keys])))
    notes = ["" if len(calls) else "There are no calls of tools."]
    notes += [*clock_notes(traces), *usage_notes(traces)] if len(found) else []
    if len(calls) and calls["requested_by"].isna().any():
        unasked = int(calls["requested_by"].isna().sum())
        notes.append(
            f"{unasked:,} of {len(calls):,} calls: not known who asked, so their tokens and cost do not count."
        )
    return result(_finished(found, groups, names, keys), _draw, notes, {"loops": found})


def loops_of_calls(calls: pd.DataFrame) -> pd.DataFrame:
    """Find the loops in calls of tools, ordered by trace and time: a row a loop."""
    trace, _ = distinct(calls["trace_id"])
    tool, tools = distinct(calls["tool"])
    same, exact = _same(calls, tool)
    free = np.ones(len(calls), np.bool_)
    cycles = repeats(trace, same, range(2, LONGEST + 1), free)
    by_tool = np.lexsort((np.arange(len(calls)), tool, trace))
    family = trace[by_tool] * (len(tools) + 1) + tool[by_tool]
    left = free[by_tool]
    runs = repeats(family, lambda a, b: same(by_tool[a], by_tool[b]), range(1, 2), left)
    found = [*cycles, *(Repeat(by_tool[run.steps], 1) for run in runs)]
    patterns = [
        "cycle" if each.period > 1 else "identical" if len(set(exact[each.steps].tolist())) == 1 else "near-identical"
        for each in found
    ]
    return _rows(calls, found, patterns, [tools[i] for i in tool])


def _same(calls: pd.DataFrame, tool: Integers) -> tuple[Same, Integers]:
    """Make what says which calls are the same, and number the arguments."""
    given, texts = distinct(calls["arguments"])
    written = [canonical(text) for text in texts]
    spelled = {text: place for place, text in enumerate(dict.fromkeys(written))}
    exact = np.array([spelled[text] for text in written], np.int64)[given] if len(given) else given
    plain = ["".join(c for c in text.casefold() if c.isalnum()) for text in written]
    spoken = {text: place for place, text in enumerate(dict.fromkeys(plain))}
    loose = np.array([spoken[text] for text in plain], np.int64)[given] if len(given) else given
    said = [words(text) for text in written]
    outcome = calls["outcome"].to_numpy(np.int64, na_value=0)
    told = calls["outcome"].notna().to_numpy()
    failed, waiting = calls["failed"].to_numpy(bool), calls["waiting"].to_numpy(bool)

    def alike(a: int, b: int) -> bool:
        one, other = said[given[a]], said[given[b]]
        return bool(one | other) and len(one & other) >= ALIKE * len(one | other)

    def same(a: Integers, b: Integers) -> NDArray[np.bool_]:
        equal = (outcome[a] == outcome[b]) & told[a] & told[b]
        unchanged = equal | ~told[a] | ~told[b] | (failed[a] & failed[b])
        candidates = (tool[a] == tool[b]) & ~waiting[b]
        again: NDArray[np.bool_] = candidates & (loose[a] == loose[b]) & unchanged
        near = np.flatnonzero(candidates & ~again & equal)
        again[near] = [alike(int(a[i]), int(b[i])) for i in near]
        return again

    return same, exact


def _rows(calls: pd.DataFrame, found: list[Repeat], patterns: list[str], tools: list[str]) -> pd.DataFrame:
    """Describe each loop; what was spent is that of the rounds after the first."""
    import pandas as pd

    rows = []
    for each, pattern in zip(found, patterns, strict=True):
        inside, again = calls.iloc[each.steps], calls.iloc[each.again]
        asked = again[again["requested_by"].notna()].drop_duplicates("requested_by")
        seconds = pd.concat([again["duration_s"], asked["asked_s"]])
        rows.append({
            "trace_id": inside["trace_id"].iloc[0], "pattern": pattern,
            "what": " → ".join(tools[i] for i in each.steps[: each.period]), "calls": len(again),
            "rounds": len(inside) / each.period, "start": inside["start"].min(), "end": inside["end"].max(),
            "failed": int(inside["failed"].sum()), "tokens": asked["tokens"].sum(min_count=1),
            "seconds": seconds[seconds >= 0].sum(min_count=1), "cost_usd": asked["cost_usd"].sum(min_count=1),
        })  # fmt: skip
    return _typed(pd.DataFrame(rows, columns=list(_FOUND), dtype=object))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    times = dict.fromkeys(("start", "end"), "datetime64[us, UTC]")
    whole = dict.fromkeys(("calls", "failed", "tokens"), "Int64")
    texts = dict.fromkeys(("trace_id", "pattern", "what"), "str")
    return frame.astype({**texts, **times, **whole, **dict.fromkeys(("rounds", "seconds", "cost_usd"), "Float64")})


def _loops_of_agents(traces: Traces) -> pd.DataFrame:
    """Find agents that hand over to each other in turn: a row a loop."""
    import pandas as pd

    spans = traces.table("spans")
    agents = spans.filter(spans.kind == "agent")
    agents = agents.mutate(
        agent=agents.agent_name.coalesce(agents.name), failed=(agents.status == "error").fill_null(False)
    )
    columns = ["trace_id", "span_id", "agent", "start", "end", "failed"]
    rows = traces.fetch(agents.select(*columns).order_by(["trace_id", "start", "span_id"]))
    trace, _ = distinct(rows["trace_id"])
    agent, called = distinct(rows["agent"])
    found = repeats(trace, lambda a, b: agent[a] == agent[b], range(2, LONGEST + 1), np.ones(len(rows), np.bool_))
    if not found:
        return _typed(pd.DataFrame(columns=list(_FOUND)))
    ids = sorted({rows["trace_id"].iloc[each.steps[0]] for each in found})
    used = spans.filter(spans.kind.isin(["llm", "embedding", "reranker"]) & spans.trace_id.isin(ids))
    used = used.select("trace_id", "start", "cost_usd", tokens=tokens_of(used))
    models = {str(key): group for key, group in traces.fetch(used).groupby("trace_id")}
    made = []
    for each in found:
        inside = rows.iloc[each.steps]
        since, until = rows["start"].iloc[each.again[0]], inside["end"].max()
        spent = models.get(inside["trace_id"].iloc[0], pd.DataFrame(columns=used.columns))
        spent = spent[(spent["start"] >= since) & (spent["start"] <= until)]
        made.append({
            "trace_id": inside["trace_id"].iloc[0], "pattern": "agents",
            "what": " → ".join(called[agent[i]] for i in each.steps[: each.period]), "calls": len(each.again),
            "rounds": len(inside) / each.period, "start": inside["start"].min(), "end": until,
            "failed": int(inside["failed"].sum()), "tokens": spent["tokens"].sum(min_count=1),
            "seconds": (until - since).total_seconds(), "cost_usd": spent["cost_usd"].sum(min_count=1),
        })  # fmt: skip
    return _typed(pd.DataFrame(made, columns=list(_FOUND), dtype=object))


def _finished(found: pd.DataFrame, groups: pd.DataFrame, names: list[str], keys: list[str]) -> pd.DataFrame:
    columns = ["trace_id", "pattern", "calls", "tokens", "seconds", "cost_usd"]
    joined = found[columns].merge(groups, on="trace_id", how="left") if keys else found[columns]
    joined = joined.loc[:, ~joined.columns.duplicated()]
    grouped = joined.groupby([*keys, "pattern"], dropna=False, sort=False)
    frame = grouped.agg(loops=("calls", "size"), calls=("calls", "sum")).reset_index()
    frame.insert(len(keys) + 2, "traces", grouped["trace_id"].nunique().to_numpy())
    for name in ("tokens", "seconds", "cost_usd"):
        frame[name] = grouped[name].sum(min_count=1).to_numpy()
    if keys:
        totals = groups.groupby(keys, dropna=False).size().rename("n").reset_index()
        frame = frame.merge(totals, on=keys, how="left")
    else:
        frame["n"] = len(groups)
    hits, n = frame["traces"].to_numpy(float), frame["n"].to_numpy(float)
    bounds = [wilson(h / m, m) for h, m in zip(hits, n, strict=True)]
    frame["share"], frame["low"], frame["high"] = hits / n, [b[0] for b in bounds], [b[1] for b in bounds]
    frame = frame.astype({**dict.fromkeys(("loops", "traces", "n", "calls", "tokens"), "Int64"),
                          **dict.fromkeys(("share", "low", "high", "seconds", "cost_usd"), "Float64")})  # fmt: skip
    order = [*keys, "pattern", "loops", "traces", "n", "share", "low", "high", "calls", "tokens", "seconds", "cost_usd"]
    return ordered(frame[order], [*names, "pattern"], traces=False, loops=False)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "pattern"), "pattern"]
    if "period" in frame:
        return lines(frame, "period", "share", names, title="Loops over time", unit="share of traces")
    return share_bars(frame, names, title="Loops, as a share of traces")
