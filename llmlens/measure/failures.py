"""What went wrong, by class: at the provider, in the application, in the answer; what was tried again, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.schema import USAGE_KINDS
from llmlens.statistics.shares import wilson

from . import error_rules
from .asking import takes_traces
from .clocks import clock_notes
from .figures import lines
from .groups import keys_of, ordered, with_period
from .quantile_figures import by_of, share_bars
from .shape import Result, columns_by, result
from .signs import signs, silent_answers
from .usage import usage_notes

if TYPE_CHECKING:
    from collections.abc import Iterable

    import ibis.expr.types as ir
    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces

_ID = ["trace_id", "span_id"]
#: The same step begun again within so many seconds after it failed is another try.
AGAIN_S = 60


@takes_traces
def errors(
    traces: Traces,
    by: str | Iterable[str] | None = None,
    every: str | None = None,
    *,
    rules: pd.DataFrame | None = None,
) -> Result:
    """Count what went wrong, by class, with the share of traces it met.

    Families: `provider` (rate limit, timeout, unavailable, 5xx), `application` (bad request, context overflow, output
    not parsed, unknown tool, bad arguments, not allowed), `semantic` (refusal, empty, cut by length, wrong language,
    fallback answer: the span says that all went well) and `other`. What decides is a table of rules, in order:
    `.beside["rules"]` shows the one that was used, with how often each fitted; `rules=` takes another one, such as
    `llmlens.rules([("provider", "maintenance", "error", "maintenance")])`. A span counts once, and one that failed
    because a span below it failed does not count.

    `by`: a column of spans or several. `every`: a time bucket by the start of the span, in UTC.

    One row a group, bucket and class, most traces first: the columns of `by`, `period` (with `every`), `family`,
    `error`, `spans`, `traces` (that it met), `n` (traces of the group in the bucket), `share` (traces of n) with its
    95 % interval `low`, `high` (Wilson's), `retried` (spans whose step was begun again within a minute, under the same
    parent), `recovered` (of those, the next try went well), `lost_s` (seconds of retried tries and until the next),
    `lost_usd` (cost of the retried tries; NA when none is known).

    `.beside["examples"]` has a message and a trace of each class. `.notes` says what the rules could not see. Answers
    are read by their words: a refusal in words that no rule has is not found. Raises `UnknownNameError` or
    `SelectionError` for a column, a period or a rule that does not exist.
    """
    names = columns_by(by, taken=("status", "error_type"))
    table = error_rules.rules() if rules is None else error_rules.checked(rules)
    keys = keys_of(names, every)
    found = _classified(traces, table)
    found = with_period(_with_tries(traces, found), every)
    columns = dict.fromkeys((*keys, *_ID, "start", "rule", "sign", "retried", "next_ok", "lost_s", "cost_usd"))
    rows = traces.fetch(found.select(*columns).order_by(["start", *_ID]))
    spans = with_period(traces.table("spans"), every)
    n = spans.trace_id.nunique()
    totals = traces.fetch(spans.group_by(keys).agg(n=n) if keys else spans.agg(n=n))
    for name in ("family", "error"):
        rows[name] = table[name].reindex(rows["rule"].to_numpy(int)).to_numpy()
    beside = {"rules": _used(rows, table), "examples": _examples(rows)}
    frame = _finished(rows, totals, names, keys)
    lost = [*clock_notes(traces), *usage_notes(traces, tokens=False)] if len(frame) else []
    return result(frame, _draw, [*_notes(traces, table), *lost], beside)


def _classified(traces: Traces, table: pd.DataFrame) -> ir.Table:
    """Give the spans that a rule fits, with the number of the rule, the family and the error."""
    import ibis

    given = signs(traces, set(table["field"]))
    branches = []
    for number, rule in enumerate(table.itertuples(index=False)):
        sign = given[str(rule.field)]
        fits = sign.re_search("(?i)" + str(rule.pattern)) if rule.pattern else sign.notnull()
        branches.append((fits.fill_null(False), number))
    first = ibis.cases(*branches) if branches else ibis.null("int64")
    found = given.mutate(rule=first, sign=given.error.coalesce(given.answer, given.finish_reason))
    return found.filter(found.rule.notnull())


def _with_tries(traces: Traces, found: ir.Table) -> ir.Table:
    """Add whether the step was begun again, whether that went well, and the seconds lost."""
    import ibis

    spans = traces.table("spans")
    steps = spans.filter(spans.kind.isin([*USAGE_KINDS, "tool"]))
    steps = steps.semi_join(steps.filter(steps.status == "error"), "trace_id")  # few traces have steps that failed
    same = ibis.window(group_by=["trace_id", "parent_id", "kind", "name"], order_by=["start", "span_id"])
    tries = steps.mutate(next_start=steps.start.lead().over(same), next_status=steps.status.lead().over(same))
    tries = tries.filter(tries.status == "error").select(*_ID, "next_start", "next_status")
    joined = found.left_join(tries, _ID)
    pause = joined.next_start.delta(joined.end.coalesce(joined.start), unit="microsecond") / 1e6
    again = ibis.ifelse(joined.start.notnull(), pause.between(0, AGAIN_S).fill_null(False), None)
    return joined.select(
        *[joined[c] for c in found.columns],
        retried=again,
        next_ok=(joined.next_status != "error").fill_null(False),
        lost_s=joined.duration_s.fill_null(0.0).clip(lower=0) + pause,
    )


def _finished(rows: pd.DataFrame, totals: pd.DataFrame, names: list[str], keys: list[str]) -> pd.DataFrame:
    known, tried = rows["retried"].notna(), rows["retried"].fillna(value=False).astype(bool)
    rows = rows.assign(
        retried=tried.astype("Int64").where(known),
        recovered=(tried & rows["next_ok"].astype(bool)).astype("Int64").where(known),
        lost_s=rows["lost_s"].where(tried, 0.0).where(known),
        lost_usd=rows["cost_usd"].where(tried),
    )
    grouped = rows.groupby([*keys, "family", "error"], dropna=False, sort=False)
    frame = grouped.agg(spans=("span_id", "size"), traces=("trace_id", "nunique")).reset_index()
    for name in ("retried", "recovered", "lost_s", "lost_usd"):
        frame[name] = grouped[name].sum(min_count=1).to_numpy()
    frame = frame.merge(totals, on=keys, how="left") if keys else frame.assign(n=int(totals["n"].iloc[0]))
    n, hits = frame["n"].to_numpy(float, na_value=np.nan), frame["traces"].to_numpy(float)
    bounds = [wilson(h / m, m) for h, m in zip(hits, n, strict=True)]
    frame["share"], frame["low"], frame["high"] = hits / n, [b[0] for b in bounds], [b[1] for b in bounds]
    floats = dict.fromkeys(("share", "low", "high", "lost_s", "lost_usd"), "Float64")
    counts = dict.fromkeys(("spans", "traces", "n", "retried", "recovered"), "Int64")
    frame = frame.astype({"family": "str", "error": "str", **floats, **counts})
    columns = [*keys, "family", "error", "spans", "traces", "n", "share", "low", "high", "retried", "recovered"]
    return ordered(frame[[*columns, "lost_s", "lost_usd"]], [*names, "family", "error"], traces=False, spans=False)


def _used(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Give the rules with how many spans each was the first to fit."""
    return table.assign(spans=np.bincount(rows["rule"].to_numpy(int), minlength=len(table))[: len(table)])


def _examples(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the first span of each class."""
    first = rows.drop_duplicates(["family", "error"])
    return first[["family", "error", "sign", *_ID]].reset_index(drop=True)


def _notes(traces: Traces, table: pd.DataFrame) -> list[str]:
    spans = traces.table("spans")
    llm = spans.kind == "llm"
    seen = traces.fetch_arrow(
        spans.agg(calls=llm.sum(), unsaid=(llm & spans.finish_reason.isnull() & (spans.status != "error")).sum(),
                  statusless=spans.status.isnull().sum(), all=spans.count())
    ).to_pylist()[0]  # fmt: skip
    notes = []
    if seen["unsaid"] and "finish_reason" in set(table["field"]):
        notes.append(f"{seen['unsaid']:,} of {seen['calls']:,} model calls do not say why they ended.")
    if silent := silent_answers(traces, set(table["field"])):
        notes.append(f"{silent:,} of {seen['calls']:,} model calls do not say what they answered.")
    if seen["statusless"]:
        notes.append(f"{seen['statusless']:,} of {seen['all']:,} spans have no status.")
    return notes if seen["all"] else ["There are no spans."]


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = [*by_of(frame, "family"), "error"]
    if "period" in frame:
        return lines(frame, "period", "share", names, title="Errors over time", unit="share of traces")
    return share_bars(frame.head(30), names, title="Errors, as a share of traces")
