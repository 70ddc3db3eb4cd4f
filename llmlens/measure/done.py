"""When a trace counts as done: a user's rule, as an expression, a score, a function or a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from llmlens.errors import LlmlensError, SelectionError, unknown
from llmlens.schema import SPANS, TRACES
from llmlens.traces import Traces

from .condition import objective

if TYPE_CHECKING:
    from collections.abc import Callable

#: What `done=` takes.
Rule: TypeAlias = "str | Traces | Callable[[pd.DataFrame], Any]"


def done_traces(traces: Traces, rule: Rule) -> tuple[pd.Series[Any], str]:
    """Say of each trace whether it is done, by trace id: 1, 0, or NA where nobody judged; and a note, or "".

    An expression as for `where` is met or not. A score ("resolved >= 1") is met when the mean of the trace's judgements
    meets it, and a trace without such a score is not judged. A function gets the `traces` table and gives true, false
    or NA for each row. Of `Traces`, those in them are done.

    Raises `UnknownNameError` or `SelectionError` for a rule that cannot be understood.
    """
    ids = traces.trace_ids
    if isinstance(rule, Traces):
        return _among(ids, rule.trace_ids), ""
    if isinstance(rule, str):
        return (
            _of_score(traces, ids, rule) if _is_score(traces, rule) else (_among(ids, traces.where(rule).trace_ids), "")
        )
    if callable(rule):
        return _called(traces, rule).reindex(ids), ""
    raise SelectionError(
        f"done={rule!r} is no rule. Expected an expression for where(), a score such as 'resolved >= 1', "
        "a function of the frame traces.traces, or Traces."
    )


def _among(ids: list[str], chosen: list[str]) -> pd.Series[Any]:
    members = set(chosen)
    return pd.Series([each in members for each in ids], index=ids, dtype=bool).astype("Float64")


def _is_score(traces: Traces, rule: str) -> bool:
    """Say whether a rule speaks of a score; raise for one that speaks of neither a score nor a column."""
    try:
        name, _ = objective(rule)
    except LlmlensError:
        return False
    if name in SPANS.names or name in TRACES.names or name.startswith(("trace.", "span.", "metadata.")):
        return False
    scores = traces.table("scores")
    names = traces.fetch_arrow(scores.select("name").distinct()).column(0).to_pylist()
    stored = {str(each) for each in names}
    if name not in stored and stored:
        what = "score, or column of traces:"
        raise unknown(what, name, {*stored, *TRACES.names, *SPANS.names})
    return True


def _of_score(traces: Traces, ids: list[str], rule: str) -> tuple[pd.Series[Any], str]:
    name, condition = objective(rule)
    scores = traces.table("scores")
    found = traces.fetch(scores.filter((scores.name == name) & scores.trace_id.notnull()))
    met = condition.met(found).groupby(found["trace_id"]).mean() if len(found) else pd.Series(dtype=float)
    done = (met >= 0.5).astype("Float64").where(met.notna()).reindex(ids)
    missing = int(done.isna().sum())
    note = f"{missing:,} of {len(ids):,} traces have no score {name!r}: they are in no cost per goal" if missing else ""
    return done, note


def _called(traces: Traces, rule: Callable[[pd.DataFrame], Any]) -> pd.Series[Any]:
    frame = traces.traces
    given = rule(frame)
    try:
        said = pd.Series(given, index=None if isinstance(given, pd.Series) else frame.index).reindex(frame.index)
        values = said.astype("boolean").astype("Float64")
    except (TypeError, ValueError) as error:
        raise SelectionError(
            f"done: the function gave {type(given).__name__}, expected true or false for each row of the frame: {error}"
        ) from error
    return values.set_axis(frame["trace_id"].tolist())
