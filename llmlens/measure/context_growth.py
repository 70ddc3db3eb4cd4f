"""How the context of model calls grows from step to step, and where it reaches the model's window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmlens.errors import SelectionError
from llmlens.ordering import earliest, latest

from .asking import takes_traces
from .groups import keys_of, with_period
from .quantile_figures import by_of, quantile_bars, quantile_lines
from .shape import Result, columns_by, result
from .spread import spread

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: So full a window is nearly full.
NEAR = 0.8
#: What a conversation has by itself.
_OF_TALKS = ("trace_id", "parent_id", "start", "provider")


@takes_traces
def context_growth(
    traces: Traces,
    by: str | Iterable[str] | None = None,
    every: str | None = None,
    *,
    windows: Mapping[str, int] | None = None,
) -> Result:
    """Say how fast the context of model calls grows from step to step, and how full the model's window gets.

    A conversation here is the model calls of one trace with the same parent and model, in order of time. `windows` are
    sizes in tokens by model, which win over those of genai-prices. `by`: a column of spans or several (of the first
    call), beside the model, which is always there. `every`: a time bucket by the first call, in UTC.

    One row a group, bucket, model and `measure`: `steps` (calls), `first` and `peak` (input tokens of the first call
    and of the largest), `growth` (input tokens more a step; of two calls or more), `share` (peak of the window);
    `first` and `growth` of conversations whose calls all have a time. Columns: those of `by`, `model`, `period` (with
    `every`), `measure`, `n` (conversations), `mean`, `p50`, `p95`, `p99` each with `_low` and `_high` (see
    `llmlens.latency`), `max`, `window` (tokens; NA where nobody knows it).

    `.beside["conversations"]` has those that fill 80 % of the window or would reach it within as many steps as they
    had, the fullest first, with `steps_left` until then at their own growth. Calls that fail because the context is too
    long say no tokens: `llmlens.errors` counts them. Raises `UnknownNameError` for a column, `SelectionError` for a
    period or a window that is none.
    """
    import ibis

    names = [name for name in columns_by(by, taken=("input_tokens",)) if name != "model"]
    if windows is not None and not isinstance(windows, Mapping):
        raise SelectionError(f"windows={windows!r}: expected tokens by model, such as {{'my-model': 32_000}}.")
    for model, size in (windows or {}).items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise SelectionError(
                f"windows= takes tokens by model, such as {{'my-model': 32_000}}; got {model!r}: {size!r}."
            )
    spans = traces.table("spans")
    calls = spans.filter((spans.kind == "llm") & spans.input_tokens.notnull())
    # A call without a time may have been the first and the last; the only one was.
    in_order = (calls.count() == 1) | (calls.start.count() == calls.count())
    talks = calls.group_by(["trace_id", "parent_id", "model"]).agg(
        start=calls.start.min(), provider=calls.provider.max(), steps=calls.count(), peak=calls.input_tokens.max(),
        first=ibis.ifelse(in_order, earliest(calls.input_tokens, calls.start, calls.span_id), None),
        last=ibis.ifelse(in_order, latest(calls.input_tokens, calls.start, calls.span_id), None),
        **{name: earliest(calls[name], calls.start, calls.span_id) for name in names if name not in _OF_TALKS},
    )  # fmt: skip
    known, missing = _windows(traces, windows or {})
    size = (
        ibis.cases(*((talks.model == model, tokens) for model, tokens in known.items()))
        if known
        else ibis.null("int64")
    )
    talks = with_period(talks.mutate(window=size), every)
    growth = ibis.ifelse(talks.steps > 1, (talks.last - talks.first) / (talks.steps - 1), None)
    talks = talks.mutate(growth=growth, share=talks.peak / talks.window)
    keys = ["model", *keys_of(names, every)] if not names else [*names, "model", *keys_of([], every)]
    frame = spread(traces, keys, {name: (talks, talks[name]) for name in ("steps", "first", "peak", "growth", "share")})
    frame["window"] = frame["model"].map(known).astype("Int64")
    left = (talks.window - talks.last) / talks.growth
    talks = talks.mutate(steps_left=ibis.ifelse(talks.growth > 0, ibis.greatest(left, 0), None))
    full = talks.filter((talks.share >= NEAR) | (talks.steps_left <= talks.steps))
    numbers = ("start", "steps", "first", "last", "peak", "growth", "window", "share", "steps_left")
    columns = dict.fromkeys(["trace_id", "parent_id", *keys, *numbers])
    fullest = traces.fetch(full.select(*columns).order_by([full.share.desc(), "trace_id", "parent_id"]).limit(1000))
    notes = [*_untold(traces), f"the window is not known of: {', '.join(missing)}" if missing else ""]
    return result(frame, _draw, notes, {"conversations": fullest})


def _untold(traces: Traces) -> list[str]:
    """Say how many model calls do not tell their context, or their place in a conversation."""
    spans = traces.table("spans")
    calls = spans.filter(spans.kind == "llm")
    silent = calls.input_tokens.isnull() & (calls.status != "error").fill_null(True)
    counted = calls.agg(n=calls.count(), silent=silent.sum(), timeless=calls.start.isnull().sum())
    n, *counts = traces.fetch_arrow(counted).to_pylist()[0].values()
    if not n:
        return ["There are no model calls."]
    texts = ("do not say how many tokens they read: left out.", "have no time: which was first is not known.")
    return [f"{count:,} of {n:,} model calls {text}" for count, text in zip(counts, texts, strict=True) if count]


def _windows(traces: Traces, own: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
    """Find the window of each model: name -> tokens, and the names that nobody knows."""
    from llmlens.read.prices.models import find_model

    spans = traces.table("spans")
    used = traces.fetch(
        spans.filter((spans.kind == "llm") & spans.model.notnull()).select("provider", "model").distinct()
    )
    known, names = dict(own), sorted(set(used["model"]))
    for provider, model in used.sort_values(["model", "provider"])[["provider", "model"]].to_numpy().tolist():
        found = find_model(provider if isinstance(provider, str) else None, model)
        if model not in known and found is not None and found.model.context_window:
            known[model] = int(found.model.context_window)
    return known, [name for name in names if name not in known]


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = by_of(frame, "measure")
    shown = frame[frame["measure"] == "peak"]
    if "period" in frame:
        return quantile_lines(shown, names, title="Largest context over time (p95)", unit="tokens")
    return quantile_bars(shown, names, title="Largest context", unit="tokens")
