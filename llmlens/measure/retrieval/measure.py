"""What retrieval gives: scores, ranks, ages of documents, and calls that find nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.keyed import keyed
from llmlens.measure.asking import takes_traces
from llmlens.measure.estimates import interval_dtypes, mean_columns, quantile_columns, share_columns
from llmlens.measure.grouping import MARK, groups_in, marked, rows_of
from llmlens.measure.interval_figures import intervals
from llmlens.measure.shape import Result, columns_by, result

from .calls import METADATA, calls_of, check_names, document_columns, documents_of, metadata_values, timeless

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.traces import Traces

_ESTIMATES = ("empty", "documents", "top_score", "score_p5", "score_p50", "score_p95", "mean_rank", "age_days_p50",
              "age_days_p95")  # fmt: skip
_MEASURED = {"n": "Int64", "n_documents": "Int64", "n_dated": "Int64", **interval_dtypes(*_ESTIMATES)}


@partial(takes_traces, keys=False)
def retrieval(traces: Traces, by: str | Iterable[str] | None = None, every: str | None = None) -> Result:
    """Describe what retriever and reranker spans gave: how much, with which scores, how old.

    `by`: columns of spans, and of documents: `document_id`, `rank` or a key of their metadata, such as
    `"metadata.topic"` (where no document has it, of the metadata of spans). `every`: a time bucket by the start of the
    call.

    One row a group, bucket and `kind` (retriever or reranker, whose scores are not comparable): the columns of `by`,
    `period` (with `every`), `kind`, `n` (calls), `n_documents`, `n_dated` (documents that say when they were updated),
    `empty` (share of calls that gave nothing), `documents` (mean a call), `top_score` (mean of the best document's),
    `score_p5`, `score_p50`, `score_p95`, `mean_rank`, `age_days_p50` and `age_days_p95` (from the last update of a
    document to the call, in days). Each estimate has `_low` and `_high`, a 95 % interval: Wilson's of the share,
    bootstrapped for means, between order statistics for quantiles; documents of one call are taken for independent.

    With a column of documents, `n` are the calls that gave such a document, and `empty` is NA. Too few are NA: below 10
    for the interval of a mean, 20 for P5 and P95. Raises `UnknownNameError` for a column, `SelectionError` for a period
    that does not exist.
    """
    of_spans, of_documents = document_columns(traces, by)
    check_names(of_spans)
    names = columns_by(of_spans, taken=("kind", *_MEASURED))
    traces = keyed(traces, names)
    calls = calls_of(traces, names, every)
    documents = documents_of(traces, "updated_at", *(["metadata"] if any("." in n for n in of_documents) else []))
    for name in of_documents:
        documents[MARK + name] = (
            metadata_values(documents["metadata"], name.removeprefix(METADATA)) if "." in name else documents[name]
        )
    joined = calls.merge(documents, on=["trace_id", "span_id"], how="inner" if of_documents else "left")
    joined["age"] = (joined["start"] - joined["updated_at"]).dt.total_seconds() / 86_400
    ahead = int((joined["age"] < 0).sum())
    joined["age"] = joined["age"].where(joined["age"] >= 0)
    keys = [*marked(names, None), *marked(of_documents, None), *marked([], every), "kind"]
    rows = [key | _described(group, whole=not of_documents) for key, group in groups_in(joined, keys)]
    notes = [
        "" if len(calls) else "There are no retriever or reranker spans.",
        ""
        if len(documents) or not len(calls)
        else "No call says what it gave: nothing was found, or nothing recorded.",
        timeless(calls),
        f"{ahead:,} documents were updated after they were retrieved (clocks that disagree): no age." if ahead else "",
        "No document says when it was updated." if len(documents) and not documents["updated_at"].notna().any() else "",
        "No document has a score." if len(documents) and not documents["score"].notna().any() else "",
    ]
    return result(rows_of(rows, joined, keys, _MEASURED), _draw, notes)


def _described(group: pd.DataFrame, *, whole: bool) -> dict[str, Any]:
    """Describe the calls of a group; `whole` when all documents of these calls are in it."""
    given = group[group["rank"].notna()]
    counts = given.groupby(["trace_id", "span_id"]).size().to_numpy(dtype=float)
    calls = len(group[["trace_id", "span_id"]].drop_duplicates())
    score, age = _numbers(given["score"]), _numbers(given["age"])
    found: dict[str, Any] = {"n": calls, "n_documents": len(given), "n_dated": int(given["updated_at"].notna().sum())}
    if whole:
        found |= share_columns("empty", calls - len(counts), calls)
        counts = pd.Series(counts).reindex(range(calls), fill_value=0).to_numpy()
    found |= mean_columns("documents", np.asarray(counts, dtype=float))
    found |= mean_columns("top_score", _numbers(given.loc[given["rank"] == 1, "score"]))
    found |= mean_columns("mean_rank", _numbers(given["rank"]))
    for name, values, level in (("score_p5", score, 0.05), ("score_p50", score, 0.5), ("score_p95", score, 0.95),
                                ("age_days_p50", age, 0.5), ("age_days_p95", age, 0.95)):  # fmt: skip
        found |= quantile_columns(name, values, level)
    return found


def _numbers(column: pd.Series[Any]) -> Any:
    return column.dropna().to_numpy(dtype=float)


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    value = "score_p50" if "rank" in names else "top_score"
    return intervals(frame[frame[value].notna()], value, names, title="Score of the best document", unit="score")
