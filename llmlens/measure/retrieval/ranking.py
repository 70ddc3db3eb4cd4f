"""How good rankings of documents are, by what is known of their relevance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from llmlens.arguments import check_count
from llmlens.errors import SelectionError
from llmlens.measure.asking import takes_traces
from llmlens.measure.grouping import groups_in, marked, rows_of
from llmlens.measure.interval_figures import intervals
from llmlens.measure.shape import Result, columns_by, result
from llmlens.statistics.intervals import mean_interval

from .calls import calls_of, documents_of, metadata_values, normalised, queries_of
from .gains import METRICS, Rankings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: What says how relevant documents are: see `ranking`.
Relevance: TypeAlias = "pd.DataFrame | str | Callable[[pd.DataFrame], pd.Series[Any]]"

_CALL = ["trace_id", "span_id"]
_KEYS = ("trace_id", "span_id", "query", "document_id")
_NUMBERS = ("judged", "value", "value_low", "value_high", "least", "most")
_MEASURED = {"k": "Int64", "n": "Int64", **dict.fromkeys(_NUMBERS, "Float64")}


@takes_traces
def ranking(
    traces: Traces, relevance: Relevance, k: int = 5, by: str | Iterable[str] | None = None, every: str | None = None
) -> Result:
    """Say how good the rankings of retriever and reranker spans are: precision, recall, MRR and nDCG at `k`.

    `relevance`: 0 for irrelevant, more for relevant; NA where nobody judged. Either a DataFrame with `document_id`,
    `relevance` (or `value`, as judges' scores have it) and any of `trace_id`, `span_id` and `query` (what the call was
    asked): documents that are judged there and were not retrieved count as missed. Or a key of the documents' metadata,
    such as `"metadata.relevant"`. Or a function of `traces.documents` that gives a number a row.

    One row a group, bucket, `kind` and `metric`: the columns of `by` (of spans), `period` (with `every`), `kind`,
    `metric`, `k`, `n` (calls that gave something and have a relevant document, or may have), `judged` (share of the
    documents within k), `least` and `most` (the mean if what nobody judged turns out as bad, or as good, as it can),
    `value` (the mean, where the two agree; else NA), `value_low` and `value_high` (a 95 % interval, bootstrapped over
    calls, around both).

    nDCG is that of Järvelin and Kekäläinen (2002), recall is of the relevant documents that are known. A document that
    is twice in a ranking counts at its better rank. Raises `SelectionError` for a relevance or k that cannot be,
    `UnknownNameError` for a column.
    """
    check_count("k", k, "how many ranks to look at")
    names = columns_by(by, taken=("kind", "metric", *_MEASURED))
    calls = calls_of(traces, names, every)
    documents, missed = _judged(traces, relevance)
    documents = documents[documents["document_id"].notna() | documents["relevance"].notna()]
    twice = documents.duplicated([*_CALL, "document_id"]) & documents["document_id"].notna()
    documents = documents[~twice]
    kept = calls.merge(documents[_CALL].drop_duplicates(), on=_CALL).reset_index(drop=True)
    gains, lost = _matrix(kept, documents, np.nan, -1.0), _matrix(kept, missed, 0.0, 0.0)
    rankings = Rankings(gains, lost, k)
    shown = (gains[:, :k] != -1).sum(axis=1)
    kept["shown"], kept["told"] = shown, shown - np.isnan(gains[:, :k]).sum(axis=1)
    bounds = {metric: rankings.bounds(metric) for metric in METRICS}
    keys = [*marked(names, every), "kind"]
    rows = [
        {**key, "metric": metric, "k": k} | _described(group, *(bound[group.index] for bound in bounds[metric]))
        for key, group in groups_in(kept, keys)
        for metric in METRICS
    ]
    frame = rows_of(rows, kept, keys, {"metric": "str", **_MEASURED})
    unjudged = int(kept["shown"].sum() - kept["told"].sum())
    notes = [
        "" if len(kept) else "No retriever or reranker span gave a document.",
        f"{unjudged:,} of {int(kept['shown'].sum()):,} documents within k={k} were not judged: least and most are what "
        "the measures are if they are irrelevant or relevant." if unjudged else "",
        f"{int(twice.sum()):,} documents came twice in a ranking: the better rank counts." if twice.any() else "",
    ]  # fmt: skip
    return result(frame, _draw, notes)


def _judged(traces: Traces, relevance: Relevance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the documents with their relevance, and those that were judged for a call and not retrieved."""
    nothing = pd.DataFrame({"trace_id": [], "span_id": [], "relevance": []})
    if isinstance(relevance, pd.DataFrame):
        return _joined(traces, relevance)
    if isinstance(relevance, str) and relevance.startswith("metadata."):
        documents = documents_of(traces, "metadata")
        told = metadata_values(documents["metadata"], relevance.removeprefix("metadata."))
        told = told.replace({"true": "1", "false": "0"})
        return documents.assign(relevance=_numbers(pd.to_numeric(told, errors="coerce"))), nothing
    if callable(relevance):
        documents = documents_of(traces, "content", "metadata", "updated_at")
        given = _numbers(relevance(documents))
        if len(given) != len(documents):
            raise SelectionError(f"relevance gave {len(given):,} numbers for {len(documents):,} documents.")
        return documents.assign(relevance=given), nothing
    raise SelectionError(
        f"relevance is {type(relevance).__name__}: expected a DataFrame with document_id and relevance, a key such as "
        "'metadata.relevant', or a function of the documents."
    )


def _joined(traces: Traces, told: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    told = told.rename(columns={"value": "relevance"}) if "relevance" not in told else told
    on = [name for name in _KEYS if name in told]
    if "document_id" not in on or "relevance" not in told:
        raise SelectionError(
            f"relevance needs the columns document_id and relevance (or value); it has {', '.join(map(str, told))}."
        )
    told = told[[*on, "relevance"]].assign(relevance=_numbers(told["relevance"])).dropna(subset=on)
    told = told.astype(dict.fromkeys(on, "str"))
    documents = documents_of(traces)
    if "query" in on:
        told = told.assign(query=normalised(told["query"]))
        documents = documents.merge(queries_of(traces), on=_CALL, how="left")
    told = told.groupby(on)["relevance"].mean().reset_index()
    of_call = [name for name in on if name != "document_id"]
    missed = pd.DataFrame({"trace_id": [], "span_id": [], "relevance": []})
    if of_call:
        calls = documents[list(dict.fromkeys([*_CALL, *of_call]))].drop_duplicates().merge(told, on=of_call)
        retrieved = documents[[*_CALL, "document_id"]].drop_duplicates().assign(retrieved=True)
        missed = calls.merge(retrieved, on=[*_CALL, "document_id"], how="left")
        missed = missed[missed["retrieved"].isna()]
    return documents.merge(told, on=on, how="left"), missed


def _numbers(values: object) -> pd.Series[float]:
    try:
        made = pd.Series(values).astype("Float64").astype(float)
    except (TypeError, ValueError):
        raise SelectionError("relevance must be numbers: 0 is irrelevant, more is relevant, NA unknown.") from None
    if (made < 0).any():
        raise SelectionError(f"relevance must be 0 or more; got {made.min():g}.")
    return pd.Series(made)


def _matrix(calls: pd.DataFrame, rows: pd.DataFrame, unknown: float, end: float) -> np.ndarray[Any, Any]:
    """Give calls x documents in their order: the relevance, `unknown` where it is NA, `end` beyond the last one."""
    place = pd.Series(range(len(calls)), index=pd.MultiIndex.from_frame(calls[_CALL]))
    row = place.reindex(pd.MultiIndex.from_frame(rows[_CALL])).to_numpy()
    kept = ~np.isnan(row.astype(float))
    row, values = row[kept].astype(int), rows["relevance"].to_numpy(dtype=float)[kept]
    column = pd.Series(row).groupby(row).cumcount().to_numpy()
    made = np.full((len(calls), int(column.max(initial=-1)) + 1), end)
    made[row, column] = np.where(np.isnan(values), unknown, values)
    return made


def _described(group: pd.DataFrame, least: Any, most: Any) -> dict[str, Any]:
    told = ~np.isnan(least)
    least, most = least[told], most[told]
    shown = int(group["shown"].sum())
    found: dict[str, Any] = {"n": len(least), "judged": group["told"].sum() / shown if shown else None}
    if not len(least):
        return found
    low, high = mean_interval(least), mean_interval(most)
    # All the same at an end of the scale: it cannot be further out.
    ends = max(low.low, 0.0) if low.value > 0 else 0.0, min(high.high, 1.0) if high.value < 1 else 1.0
    found |= {"least": low.value, "most": high.value, "value_low": ends[0], "value_high": ends[1]}
    return found | {"value": low.value if bool((least == most).all()) else None}


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("k")])
    middle = frame.assign(value=frame["value"].fillna((frame["least"] + frame["most"]) / 2))
    return intervals(middle[middle["value"].notna()], "value", names, title="Rankings", unit="from 0 to 1")
