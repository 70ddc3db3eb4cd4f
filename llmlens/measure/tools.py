"""Which tools fail, are called wrongly, or do not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.statistics.shares import wilson

from .asking import takes_traces
from .calls import tool_runs
from .estimates import quantile_columns
from .figures import lines
from .groups import keys_of, ordered, with_period
from .quantile_figures import by_of, share_bars
from .shape import Result, columns_by, result
from .tool_schemas import judge, offered

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: So many failures of a tool one after the other, within so many seconds, are a burst.
BURST, BURST_S = 3, 300

#: The quantiles of the seconds of a call.
QUANTILES = {"p50_s": 0.5, "p95_s": 0.95}


@takes_traces
def tools(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Say for each tool how often it is called, fails, gives nothing, and is called wrongly.

    `by`: a column of spans or several (of the span that ran the tool, else of the one that asked for it). `every`: a
    time bucket by the start of the call, in UTC.

    One row a group, bucket and tool, most called first: the columns of `by`, `period` (with `every`), `tool`, `n`
    (calls), `failed` (the span failed, or its result says so), `silent` (of those, the ones that only the result tells
    of), `share` (failed of n) with its 95 % interval `low`, `high` (Wilson's), `p50_s` and `p95_s` (seconds of a call;
    NA below 2 and 20), each with `_low` and `_high` (a 95 % interval between two of the values), `empty` (calls that
    went well and gave nothing: `[]`, `{"results": []}`, "no results found"), `told` (calls whose result is known),
    `bursts` (runs of failures, each one of three within five minutes, over all traces), `unknown` (calls of a tool that
    the model was not offered), `misused` (arguments that break the JSON schema the model was given), `checked` (calls
    whose schema is known).

    `.beside["failed"]` and `.beside["empty"]`: the calls that failed, and those that gave nothing, in order of time;
    `.beside["bursts"]`: when which tool failed again and again; `.beside["misuse"]`: calls with an unknown tool or
    arguments that do not fit, and why. Regular expressions and remote references of a schema are not followed.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    names = columns_by(by, taken=("span_id", "end", "duration_s", "status", "cost_usd"))
    keys = [*keys_of(names, every), "tool"]
    runs = with_period(tool_runs(traces, names), every)
    lists = offered(traces)
    of_call = lists.select("trace_id", "list", requested_by="span_id")
    runs = runs.left_join(of_call, ["trace_id", "requested_by"]).select(*runs.columns, "list")
    calls = traces.fetch(runs.order_by(["start", "trace_id", "span_id", "call_id"]))
    calls = calls.join(judge(calls, traces.fetch(lists.select("list", "tools").distinct())))
    bursts, within = _bursts(calls)
    calls["burst"] = within
    wrong = calls[(~calls["known"].fillna(value=True)) | (~calls["fits"].fillna(value=True))]
    columns = ["trace_id", "span_id", "requested_by", "tool", "arguments"]
    beside = {"bursts": bursts, "misuse": wrong[[*columns, "why"]].reset_index(drop=True)}
    for name in ("failed", "empty"):
        which = calls[name].fillna(value=False).astype(bool)
        beside[name] = calls.loc[which, ["start", *columns, *names]].reset_index(drop=True)
    return result(_finished(calls, keys, names), _draw, _notes(calls), beside)


def _notes(calls: pd.DataFrame) -> list[str]:
    ran = calls["executed"].astype(bool)
    counted = {
        "calls: not known which tools the model was offered.": calls["known"].isna(),
        "calls do not say what they gave: whether that was nothing is not known.": calls["empty"].isna(),
        "calls have no length: their times are not known.": ran & calls["duration_s"].isna(),
        "calls ended before they began (clocks that disagree): not in their seconds.": calls["duration_s"] < 0,
    }
    notes = [f"{int(which.sum()):,} of {len(calls):,} {text}" for text, which in counted.items() if which.any()]
    return notes if len(calls) else ["There are no calls of tools."]


def _bursts(calls: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[bool]]:
    """Find runs of failures of a tool, each within five minutes of two beside it; mark the first call of each run."""
    ran = calls[calls["executed"].astype(bool) & calls["start"].notna()].sort_values(["tool", "start"], kind="stable")
    tool, failed = ran["tool"].fillna("").to_numpy(), ran["failed"].to_numpy(bool)
    start = ran["start"].to_numpy("datetime64[us]").astype(np.int64)
    n, first = len(ran), BURST - 1
    close = np.zeros(n, np.bool_)
    if n > first:
        together = (tool[first:] == tool[:-first]) & (start[first:] - start[:-first] <= BURST_S * 1_000_000)
        for back in range(BURST):
            together &= failed[first - back : n - back]
        close[first:] = together
    # Neighbours belong together where three that are close hold both of them.
    linked, inside = close.copy(), close.copy()
    for back in range(1, BURST):
        inside[:-back] |= close[back:]
        if back < first:
            linked[:-back] |= close[back:]
    begins = inside & ~linked
    number = np.cumsum(begins)[inside]
    marked = pd.Series(False, index=calls.index)
    marked.loc[ran.index[begins]] = True
    grouped = ran[inside].groupby(number)
    found = grouped.agg(tool=("tool", "first"), start=("start", "min"), end=("start", "max"), failures=("tool", "size"),
                        traces=("trace_id", "nunique"))  # fmt: skip
    return found.sort_values(["failures", "start"], ascending=[False, True]).reset_index(drop=True), marked


def _finished(calls: pd.DataFrame, keys: list[str], names: list[str]) -> pd.DataFrame:
    flags = {"failed": calls["failed"], "silent": calls["silent"], "bursts": calls["burst"], "unknown": ~calls["known"],
             "misused": ~calls["fits"], "checked": calls["fits"].notna(), "empty": calls["empty"],
             "told": calls["empty"].notna()}  # fmt: skip
    counted = calls[keys].assign(**{name: flag.fillna(value=False).astype(int) for name, flag in flags.items()}, n=1)
    seconds = calls["duration_s"].to_numpy(float, na_value=np.nan)
    grouped = counted.groupby(keys, dropna=False, sort=False)
    frame = grouped.sum().reset_index()
    number = grouped.ngroup().to_numpy()
    members = np.split(seconds[np.argsort(number, kind="stable")], np.cumsum(np.bincount(number))[:-1])
    times = [values[values >= 0] for values in members[: len(frame)]]
    for name, level in QUANTILES.items():
        found = pd.DataFrame([quantile_columns(name, each, level) for each in times], columns=_ends(name))
        frame[_ends(name)] = found.to_numpy(float)
    hits, n = frame["failed"].to_numpy(float), frame["n"].to_numpy(float)
    bounds = [wilson(h / m, m) for h, m in zip(hits, n, strict=True)]
    frame["share"], frame["low"], frame["high"] = hits / n, [b[0] for b in bounds], [b[1] for b in bounds]
    timed = [column for name in QUANTILES for column in _ends(name)]
    frame = frame.astype({**dict.fromkeys(("n", *flags), "Int64"),
                          **dict.fromkeys(("share", "low", "high", *timed), "Float64")})  # fmt: skip
    order = [*keys, "n", "failed", "silent", "share", "low", "high", *timed, "empty", "told", "bursts", "unknown",
             "misused", "checked"]  # fmt: skip
    return ordered(frame[order], [*names, "tool"], n=False)


def _ends(name: str) -> list[str]:
    """Give the columns of a quantile: itself and the ends of its interval."""
    return [name, f"{name}_low", f"{name}_high"]


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = by_of(frame, "n")
    parts = [_shares(frame, "failed", "n")]
    if frame["empty"].any():
        parts.append(_shares(frame, "empty", "told"))
    shown = pd.concat(parts, ignore_index=True)
    if "period" in frame:
        return lines(
            shown, "period", "share", [*names, "came"], title="Calls of tools over time", unit="share of calls"
        )
    worst = shown[shown["share"] > 0] if (shown["share"] > 0).any() else shown
    worst = worst.sort_values("share", ascending=False, kind="stable").head(30)
    return share_bars(worst, [*names, "came"], title="Calls of tools that failed or gave nothing, as a share of calls")


def _shares(frame: pd.DataFrame, hits: str, of: str) -> pd.DataFrame:
    """Give the share of calls that came to `hits`, with its interval, and what it is called."""
    counts = frame[[hits, of]].to_numpy(float, na_value=0.0)
    share = [(h / n, *wilson(h / n, n)) if n else (float("nan"),) * 3 for h, n in counts]
    return (
        frame.assign(came=hits)
        .drop(columns=["share", "low", "high"])
        .join(pd.DataFrame(share, columns=["share", "low", "high"], index=frame.index))
    )
