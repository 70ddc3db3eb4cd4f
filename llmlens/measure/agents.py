"""How far agents go: steps, depth, fan-out, and what a trace with them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.schema import USAGE_KINDS
from llmlens.statistics.shares import wilson

from .asking import takes_traces
from .clocks import clock_notes
from .groups import keys_of, with_period
from .quantile_figures import by_of, quantile_bars, quantile_lines
from .shape import Result, columns_by, result
from .spread import spread
from .units import seconds_between, trace_units
from .usage import tokens_of, usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: A trace with spans so many levels below its root is deep.
DEEP = 8


@takes_traces
def agents(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Say how far traces with agents or tools go: their steps, depth, fan-out, time, tokens and cost.

    `by`: a column of spans or several (a trace is in the group that all its spans, else its root, say). `every`: a time
    bucket by the start of the trace, in UTC.

    One row a group, bucket and `measure`: `steps` (model calls and tool calls), `model_calls`, `tool_calls`, `depth`
    (levels below the root), `fan_out` (the most children of one span), `seconds`, `tokens`, `cost_usd`. Columns: those
    of `by`, `period` (with `every`), `measure`, `n` (traces), `mean`, `p50`, `p95`, `p99` each with `_low` and `_high`
    (see `llmlens.latency`), `max`; and for depth `over` (traces deeper than 8), `share_over` with its 95 % interval
    `low`, `high` (Wilson's). `.beside["deep"]` has those traces, the deepest first.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    import ibis

    names = columns_by(by, taken=("depth", "cost_usd"))
    keys = keys_of(names, every)
    spans = traces.table("spans")
    usage, model, tool = spans.kind.isin(USAGE_KINDS), spans.kind == "llm", spans.kind == "tool"
    units = trace_units(
        spans, names, model_calls=model.sum(), tool_calls=tool.sum(), depth=spans.depth.max(),
        tokens=tokens_of(spans).sum(where=usage), cost_usd=spans.cost_usd.sum(where=usage),
        agentic=(spans.kind.isin(["agent", "tool"])).any(),
    )  # fmt: skip
    below = spans.filter(spans.parent_id.notnull()).group_by(["trace_id", "parent_id"]).agg(children=ibis._.count())
    widest = below.group_by("trace_id").agg(fan_out=below.children.max())
    joined = units.left_join(widest, "trace_id").select(*units.columns, "fan_out")
    joined = with_period(joined.filter(joined.agentic), every)
    values = {
        "steps": joined.model_calls + joined.tool_calls, "model_calls": joined.model_calls,
        "tool_calls": joined.tool_calls, "depth": joined.depth, "fan_out": joined.fan_out.fill_null(0),
        "seconds": seconds_between(joined.start, joined.end), "tokens": joined.tokens, "cost_usd": joined.cost_usd,
    }  # fmt: skip
    frame = spread(traces, keys, {name: (joined, value) for name, value in values.items()})
    deep = traces.fetch(
        joined.filter(joined.depth > DEEP).select(*dict.fromkeys(["trace_id", *keys, "start", "depth", "tokens"]))
    )
    deep = deep.sort_values(["depth", "trace_id"], ascending=[False, True]).reset_index(drop=True)
    counted = traces.fetch(spans.agg(n=spans.trace_id.nunique()))["n"].iloc[0]
    agentic = frame.loc[frame["measure"] == "steps", "n"].sum()
    notes = [f"{counted - agentic:,} of {counted:,} traces have neither agents nor tools." if counted > agentic else ""]
    notes += [*clock_notes(traces), *(usage_notes(traces) if agentic else [])]
    return result(_with_deep(frame, deep, keys), _draw, notes, {"deep": deep})


def _with_deep(frame: pd.DataFrame, deep: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add the share of traces that are deep to the rows of depth."""
    import pandas as pd

    counts = deep.groupby(keys, dropna=False).size().rename("over").reset_index() if keys else None
    frame = frame.merge(counts, on=keys, how="left") if counts is not None else frame.assign(over=len(deep))
    frame["over"] = frame["over"].fillna(0).where(frame["measure"] == "depth").astype("Int64")
    shares = [
        (over / n, *wilson(over / n, n)) if not pd.isna(over) and n else (None, None, None)
        for over, n in zip(frame["over"], frame["n"], strict=True)
    ]
    for place, name in enumerate(("share_over", "low", "high")):
        frame[name] = pd.array([share[place] for share in shares], dtype="Float64")
    return frame


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "measure"), "measure"]
    shown = frame[frame["measure"].isin(["steps", "depth", "fan_out"])]
    if "period" in frame:
        return quantile_lines(shown, names, title="How far agents go (p95)", unit="")
    return quantile_bars(shown, names, title="How far agents go", unit="")
