"""A row a trace: what is measured of it, what it was asked, and the stratum that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.schema import SPANS, TRACES, USAGE_KINDS
from llmlens.texts import text_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

_OF_TRACE = frozenset(TRACES.names) & frozenset(SPANS.names)


def observations(traces: Traces, strata: list[str]) -> pd.DataFrame:
    """Give a row a trace, by its id: the columns of `traces` but its texts, and those that follow.

    `ttft_s` is the mean over the trace's model calls, `output_chars` the length of what was answered, `prompt` the
    normalised text that was asked with the feature it was asked of (NA where it is not known): what recurs is the same
    task. `stratum` is a tuple of the columns `strata`: the trace's own where it has such a column, else that of its
    first model call that has one.
    """
    spans, rollup = traces.table("spans"), traces.table("traces").drop("input", "output")
    of_calls = [name for name in strata if name not in _OF_TRACE]
    joined = rollup.left_join(_of_calls(spans, of_calls), "trace_id")
    columns = {name: joined[f"call_{name}"] for name in of_calls}
    columns |= {f"stratum_{name}": joined[name] for name in strata if name in _OF_TRACE}
    columns |= {f"stratum_{name}": joined[f"call_{name}"] for name in of_calls}
    kept = [joined[name] for name in rollup.columns]
    found = traces.fetch(joined.select(*kept, "ttft_s", **{k: v for k, v in columns.items() if "stratum" in k}))
    said = text_rows(traces, "output")
    found = found.merge(
        said.assign(output_chars=said["text"].str.len())[["trace_id", "prompt", "output_chars"]],
        on="trace_id",
        how="left",
    )
    found["prompt"] = _task(found)
    found["stratum"] = _tuples(found[[f"stratum_{name}" for name in strata]])
    return found.drop(columns=[f"stratum_{name}" for name in strata]).set_index("trace_id").sort_index()


def _of_calls(spans: ir.Table, columns: list[str]) -> ir.Table:
    """Give what is said of a trace's model calls: the mean time to the first token, the first value of each column."""
    calls = spans.filter(spans.kind.isin(USAGE_KINDS))
    return calls.group_by("trace_id").agg(
        ttft_s=calls.ttft_s.mean(),
        **{
            f"call_{name}": calls[name].first(where=calls[name].notnull(), order_by=[calls.start, calls.span_id])
            for name in columns
        },
    )


def _task(traces: pd.DataFrame) -> pd.Series[str]:
    """Write what was asked without differences of case and spacing, with the feature it was asked of."""
    said = traces["prompt"].str.strip().str.casefold().str.replace(r"\s+", " ", regex=True)
    return (traces["feature"].fillna("") + "\n" + said).where(said.notna() & (said != ""))


def _tuples(frame: pd.DataFrame) -> pd.Series[Any]:
    """Give each row as a tuple, None for NA."""
    import pandas as pd

    plain = frame.astype(object).where(frame.notna(), None)
    return pd.Series(list(plain.itertuples(index=False, name=None)), index=frame.index, dtype=object)
