"""What model calls used, and what they do not say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS

from .currencies import currency_note
from .shape import plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from llmlens.traces import Traces

#: So many models without a known cost are named.
_NAMED = 3


def tokens_of(spans: ir.Table) -> ir.IntegerValue:
    """Give the tokens of each span, those read and those written; NA where it tells neither."""
    import ibis

    return ibis.coalesce(spans.input_tokens + spans.output_tokens, spans.input_tokens, spans.output_tokens)


def usage_notes(traces: Traces, *, tokens: bool = True) -> list[str]:
    """Say what sums over model calls lack: calls at all, their `tokens`, their cost, the currency it is in.

    A call that failed is not expected to say how many tokens it used.
    """
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS))
    untold = tokens_of(calls).isnull() & (calls.status != "error").fill_null(True)
    counted = calls.agg(n=calls.count(), untold=untold.sum(), unpriced=unpriced(calls).sum())
    n, silent, unknown = traces.fetch_arrow(counted).to_pylist()[0].values()
    if not n:
        return ["There are no model calls."]
    notes = [f"{silent:,} of {n:,} model calls do not say how many tokens they used."] if tokens and silent else []
    if unknown:
        notes.append(f"{unknown:,} of {n:,} model calls have no known cost ({_of_models(traces, calls)}): in no sum.")
    return [*notes, currency_note(traces)]


def _of_models(traces: Traces, calls: ir.Table) -> str:
    """Name the models of calls without a known cost, those with the most first."""
    import ibis

    unknown = calls.filter(unpriced(calls))
    counted = unknown.group_by("model").agg(n=unknown.count()).order_by([ibis.desc("n"), "model"])
    models = traces.fetch(counted.limit(_NAMED + 1))
    named = [f"{plain(model)} {n:,}" for model, n in zip(models["model"], models["n"], strict=True)]
    return ", ".join([*named[:_NAMED], *(["…"] if len(named) > _NAMED else [])])
