"""How long calls and traces take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.schema import USAGE_KINDS

from .asking import takes_traces
from .clocks import clock_notes
from .quantile_figures import by_of, quantile_bars, quantile_lines
from .shape import Result, bucket, columns_by, result
from .spread import spread
from .units import seconds_between, trace_units

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir
    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces


@takes_traces
def latency(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Say how many seconds calls and traces take: p50, p95 and p99 with 95 % intervals.

    `by`: a column of spans or several; a trace is in the group that all its spans, else its root, say. `every`: a time
    bucket, such as `"1h"`, by the start in UTC.

    One row a group, bucket and `measure`: `trace` (first start to last end), `call` (llm, embedding and reranker
    spans), `ttft` (time to the first token of streamed answers), `tpot` (time per output token after the first: the
    seconds after the first token over the tokens after it, reasoning included). Columns: those of `by`, `period` (with
    `every`), `measure`, `n`, `mean`, `p50`, `p50_low`, `p50_high`, the same of `p95` and `p99`, `max`; all in seconds.

    A quantile needs 2, 20 and 100 values, else it is NA; so is an end of an interval that lies beyond all values.
    Spans that never ended, or ended before they began (clocks that disagree), have no duration; `.notes` counts them.

    Raises `UnknownNameError` for a column, `SelectionError` for a period that does not exist.
    """
    import ibis

    names = columns_by(by, taken=("duration_s", "ttft_s"))
    spans = traces.table("spans")
    calls = _keyed(spans.filter(spans.kind.isin(USAGE_KINDS)), every)
    units = _keyed(trace_units(spans, names), every)
    keys = [*names, *(["period"] if every is not None else [])]
    whole = seconds_between(units.start, units.end)
    first = _known(calls.ttft_s)
    after = ibis.ifelse(first <= calls.duration_s, calls.duration_s - first, None)
    per_token = ibis.ifelse(calls.output_tokens > 1, after / (calls.output_tokens - 1), None)
    frame = spread(
        traces,
        keys,
        {"trace": (units, whole), "call": (calls, _known(calls.duration_s)), "ttft": (calls, first),
         "tpot": (calls, per_token)},
    )  # fmt: skip
    return result(frame, _draw, [*clock_notes(traces), *_notes(traces, calls)])


def _keyed(table: ir.Table, every: str | None) -> ir.Table:
    return table if every is None else table.mutate(period=bucket(table.start, every))


def _known(seconds: ir.FloatingColumn) -> ir.FloatingValue:
    import ibis

    return ibis.ifelse(seconds >= 0, seconds, None)


def _notes(traces: Traces, calls: ir.Table) -> list[str]:
    counted = traces.fetch_arrow(
        calls.agg(
            calls=calls.count(),
            open=calls.duration_s.isnull().sum(),
            negative=(calls.duration_s < 0).sum(),
            untold=((calls.kind == "llm") & calls.ttft_s.isnull()).sum(),
            late=((calls.ttft_s > calls.duration_s) & (calls.duration_s >= 0)).sum(),
            tokenless=(calls.ttft_s.notnull() & calls.output_tokens.isnull()).sum(),
        )
    ).to_pylist()[0]
    texts = {
        "open": "calls never ended, or their times are not known: they have no duration.",
        "negative": "calls ended before they began (clocks that disagree): left out.",
        "untold": "model calls do not say when their first token came: they are not in ttft and tpot.",
        "late": "calls say that their first token came after their end: they are in ttft, not in tpot.",
        "tokenless": "calls do not say how many tokens they wrote: they are not in tpot.",
    }
    return [f"{counted[name]:,} of {counted['calls']:,} {text}" for name, text in texts.items() if counted[name]]


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "measure"), "measure"]
    if "period" in frame:
        return quantile_lines(frame, names, title="Latency over time (p95)", unit="s")
    return quantile_bars(frame, names, title="Latency", unit="s")
