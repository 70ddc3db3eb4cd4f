"""Spans -> one row a trace, one row a session: Ibis expressions, so that they run where the spans are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import SESSIONS, TRACES, USAGE_KINDS

if TYPE_CHECKING:
    import ibis.expr.types as ir


def trace_rollup(spans: ir.Table, trace_info: ir.Table) -> ir.Table:
    """Roll spans up to traces: the columns of the `traces` table but the texts of the root.

    The root is the earliest of the spans at depth 0.
    """
    import ibis

    root = spans.depth == 0
    usage = spans.kind.isin(USAGE_KINDS)

    def of_root(column: ir.Column) -> ir.Scalar:
        return column.first(where=root, order_by=[spans.start, spans.span_id])

    end = ibis.greatest(spans.start.max(), spans.end.max())
    failed = ((spans.status == "error") & (root | usage)).any()
    rolled = spans.group_by("trace_id").agg(
        session_id=spans.session_id.max(),
        user_id=spans.user_id.max(),
        root_name=of_root(spans.name),
        feature=ibis.coalesce(of_root(spans.feature), spans.feature.min()),
        service=of_root(spans.service),
        environment=ibis.coalesce(of_root(spans.environment), spans.environment.max()),
        release=ibis.coalesce(of_root(spans.release), spans.release.max()),
        start=spans.start.min(),
        duration_s=_seconds_between(spans.start.min(), end),
        status=ibis.ifelse(failed, "error", of_root(spans.status)),
        n_spans=spans.count(),
        n_llm_calls=_times(spans.kind == "llm"),
        n_tool_calls=_times(spans.kind == "tool"),
        n_errors=_times(spans.status == "error"),
        max_depth=spans.depth.max(),
        input_tokens=spans.input_tokens.sum(where=usage),
        cache_read_tokens=spans.cache_read_tokens.sum(where=usage),
        output_tokens=spans.output_tokens.sum(where=usage),
        cost_usd=spans.cost_usd.sum(where=usage),
        n_unpriced=_times(unpriced(spans)),
    )
    named = rolled.left_join(trace_info.select("trace_id", "url", trace_name=trace_info.name), "trace_id")
    named = named.mutate(name=ibis.coalesce(named.trace_name, named.root_name))
    return named.select(*[c for c in TRACES.names if c not in ("input", "output")])


def session_rollup(traces: ir.Table) -> ir.Table:
    """Roll traces up to sessions; traces without a session are left out."""
    traces = traces.filter(traces.session_id.notnull())
    end = traces.start + (traces.duration_s.fill_null(0) * 1_000_000).round().cast("int64").as_interval("us")
    rolled = traces.group_by("session_id").agg(
        user_id=traces.user_id.max(),
        n_traces=traces.count(),
        n_llm_calls=traces.n_llm_calls.sum(),
        n_errors=traces.n_errors.sum(),
        start=traces.start.min(),
        end=end.max(),
        input_tokens=traces.input_tokens.sum(),
        output_tokens=traces.output_tokens.sum(),
        cost_usd=traces.cost_usd.sum(),
    )
    return rolled.mutate(duration_s=_seconds_between(rolled.start, rolled.end)).select(*SESSIONS.names)


def unpriced(spans: ir.Table) -> ir.BooleanValue:
    """Say which spans are calls at a cost nobody knows: they used tokens, or went well without saying how many."""
    tokens = spans.input_tokens.notnull() | spans.output_tokens.notnull()
    used = (spans.usage_source != "missing").fill_null(tokens)
    went_well = spans.status.isin(["ok", "unset"]).fill_null(False)
    return spans.kind.isin(USAGE_KINDS) & (used | went_well) & spans.cost_usd.isnull()


def _times(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.sum().fill_null(0)


def _seconds_between(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.FloatingValue:
    return end.delta(start, unit="microsecond") / 1e6
