"""Which documents are retrieved more, less, or no longer, between two windows; and how rankings moved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.errors import SelectionError
from llmlens.measure.asking import takes_traces
from llmlens.measure.interval_figures import intervals
from llmlens.measure.shape import Result, result
from llmlens.statistics.intervals import mean_interval
from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.statistics.shares import difference_of_shares

from .calls import KINDS, calls_of, documents_of, queries_of
from .overlap import rank_biased_overlap

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from llmlens.traces import Traces

_CALL = ["trace_id", "span_id"]
#: A document that this share of calls gives, whatever they ask, is always retrieved.
_ALWAYS = 0.5
#: Of a repeated query so many of the latest rankings before, and the earliest after, are compared.
_PER_QUERY = 3
_MEASURED = {
    "document_id": "str", "change": "str", "n_before": "Int64", "n_after": "Int64",
    **dict.fromkeys(("share_before", "share_after", "difference", "difference_low", "difference_high", "p", "q",
                     "rank_before", "rank_after"), "Float64"),
    **dict.fromkeys(("updated_before", "updated_after"), "datetime64[us, UTC]"),
}  # fmt: skip


@takes_traces
def document_changes(
    before: Traces,
    after: Traces,
    *,
    catalogue: Iterable[str] | None = None,
    kind: str = "retriever",
    p: float = 0.9,
) -> Result:
    """Compare what two windows retrieve: documents that enter and leave, and how alike the rankings are.

    `kind`: the spans that are looked at, retriever or reranker. `catalogue`: ids of all documents there are, so that
    those which are never retrieved can be named. `p`: of rank-biased overlap, see below.

    One row a document, those that changed most first: `document_id`, `change` (entered, left or stayed), `n_before` and
    `n_after` (calls that gave it), `share_before` and `share_after` (of the calls), `difference` with its 95 %
    interval (Miettinen and Nurminen), `p` and `q` (Benjamini-Hochberg over the documents), `rank_before` and
    `rank_after` (mean), `updated_before` and `updated_after` (its last update, as the last call says). Documents
    without an id do not count.

    `.beside["overlap"]` has the rank-biased overlap of rankings (`rank_biased_overlap`, Webber et al. 2010; 1 is the
    same): of queries that came in both windows, mean and 95 % interval; the same of repetitions within `before`, which
    is how alike rankings are when nothing changed; and of all documents in the order of how often they are given.
    `.beside["queries"]` has it for each query, the least alike first. `.beside["hubs"]` are documents that half of all
    calls or more give, `.beside["never"]` those of the catalogue that neither window gave.

    Raises `SelectionError` for an argument that cannot be.
    """
    if kind not in KINDS:
        raise SelectionError(f"kind={kind!r}: expected one of {', '.join(KINDS)}.")
    if not isinstance(p, float) or not 0 < p < 1:
        raise SelectionError(f"p={p!r}: expected a number between 0 and 1; 0.9 puts 86 % of the weight on ten ranks.")
    if catalogue is not None and (isinstance(catalogue, str) or not isinstance(catalogue, Iterable)):
        raise SelectionError(f"catalogue={catalogue!r}: expected the ids of documents, such as ['faq-1', 'faq-2'].")
    sides = [_side(each, kind) for each in (before, after)]
    n = [len(calls) for calls, _ in sides]
    frame = _compared([documents for _, documents in sides], n)
    overlap, queries = _overlaps(sides, frame, p)
    shares = frame[["share_before", "share_after"]].max(axis=1)
    seen = set(frame["document_id"])
    never = pd.DataFrame({"document_id": [each for each in dict.fromkeys(catalogue or ()) if each not in seen]})
    notes = [
        *(f"No {kind} spans {side}." for side, count in zip(("before", "after"), n, strict=True) if not count),
        *(
            f"No {kind} span {side} says what it gave: nothing was found, or nothing recorded."
            for side, count, (_, documents) in zip(("before", "after"), n, sides, strict=True)
            if count and not len(documents)
        ),
        *(_updated_later(documents, side) for side, (_, documents) in zip(("before", "after"), sides, strict=True)),
        "" if len(queries) else "No query came in both windows: the rankings of the same question are not compared.",
        "" if catalogue is not None else "Without catalogue= documents that are never retrieved are not known.",
    ]
    beside = {"overlap": overlap, "queries": queries, "hubs": frame[(shares >= _ALWAYS).fillna(False)], "never": never}
    return result(frame, _draw, notes, {name: pd.DataFrame(each) for name, each in beside.items()})


def _side(traces: Traces, kind: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the calls with their query and their documents, each once."""
    calls = calls_of(traces, [], None)
    calls = calls[calls["kind"] == kind].merge(queries_of(traces), on=_CALL, how="left")
    documents = documents_of(traces, "updated_at").merge(calls[[*_CALL, "start"]], on=_CALL)
    documents = documents.sort_values(["start", *_CALL, "rank"], kind="stable")
    documents = documents[documents["document_id"].notna()]
    return calls, documents.drop_duplicates([*_CALL, "document_id"])


def _updated_later(documents: pd.DataFrame, side: str) -> str:
    """Say how many documents of a window are said to be newer than the call that gave them."""
    n = int((documents["updated_at"] > documents["start"]).sum())
    return f"{n:,} documents {side} were updated after they were retrieved (clocks that disagree)." if n else ""


def _compared(sides: list[pd.DataFrame], n: list[int]) -> pd.DataFrame:
    of_side = [
        each.groupby("document_id").agg(n=("rank", "size"), rank=("rank", "mean"), updated=("updated_at", "last"))
        for each in sides
    ]
    frame = of_side[0].add_suffix("_before").join(of_side[1].add_suffix("_after"), how="outer").reset_index()
    counts = frame[["n_before", "n_after"]].fillna(0).astype(int)
    frame[["n_before", "n_after"]] = counts
    frame["change"] = np.where(counts["n_before"] == 0, "entered", np.where(counts["n_after"] == 0, "left", "stayed"))
    for side, calls in zip(("before", "after"), n, strict=True):
        frame[f"share_{side}"] = counts[f"n_{side}"] / calls if calls else np.nan
    if all(n):
        found = [
            difference_of_shares((a / n[0], n[0]), (b / n[1], n[1]))
            for a, b in counts.itertuples(index=False, name=None)
        ]
        for column, attribute in (("difference", "value"), ("difference_low", "low"), ("difference_high", "high"),
                                  ("p", "p")):  # fmt: skip
            frame[column] = [getattr(each, attribute) for each in found]
        frame["q"] = benjamini_hochberg(frame["p"])
    frame = frame.reindex(columns=list(_MEASURED)).astype(_MEASURED)
    order = frame["difference"].abs().fillna(0).sort_values(ascending=False, kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def _overlaps(
    sides: list[tuple[pd.DataFrame, pd.DataFrame]], frame: pd.DataFrame, p: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    codes = pd.Series(range(len(frame)), index=frame["document_id"])
    rankings = [_rankings(calls, documents, codes) for calls, documents in sides]
    before, after = rankings[0].groupby("query").tail(_PER_QUERY), rankings[1].groupby("query").head(_PER_QUERY)
    across = before.merge(after, on="query", suffixes=("_a", "_b"))
    within = before.merge(before, on="query", suffixes=("_a", "_b"))
    within = within[within["place_a"] < within["place_b"]]
    for pairs in (across, within):
        pairs["overlap"] = rank_biased_overlap(_array(pairs["ranking_a"]), _array(pairs["ranking_b"]), p)
    queries = across.groupby("query")["overlap"].mean()
    alike = within.groupby("query")["overlap"].mean()
    rows: list[dict[str, Any]] = []
    for name, values in (("the same query, before and after", queries), ("the same query, within before", alike)):
        told = mean_interval(values.to_numpy(dtype=float))
        rows.append({"of": name, "n": len(values), "overlap": told.value, "low": told.low, "high": told.high})
    by_use = []
    for n in ("n_before", "n_after"):
        given = frame[frame[n] > 0].sort_values(n, ascending=False, kind="stable")
        by_use.append(np.array([[codes[each] for each in given["document_id"]]], dtype=np.int64))
    whole = rank_biased_overlap(by_use[0], by_use[1], p)[0] if all(each.size for each in by_use) else np.nan
    rows.append({"of": "all documents, by how often they are given", "n": len(frame), "overlap": whole})
    found = queries.rename("overlap").to_frame().join(alike.rename("overlap_within_before")).reset_index()
    for side, ranked in zip(("before", "after"), rankings, strict=True):
        found[f"n_{side}"] = found["query"].map(ranked["query"].value_counts()).astype("Int64")
    overlap = pd.DataFrame(rows, columns=["of", "n", "overlap", "low", "high"])
    return overlap, found.sort_values(["overlap", "query"], kind="stable").reset_index(drop=True)


def _rankings(calls: pd.DataFrame, documents: pd.DataFrame, codes: pd.Series[int]) -> pd.DataFrame:
    """Give a row a call with a query: place (in time), query, ranking (codes of documents, maybe none)."""
    coded = documents.assign(code=documents["document_id"].map(codes)).sort_values("rank", kind="stable")
    ranked = coded.groupby(_CALL)["code"].agg(list).rename("ranking").reset_index()
    found = calls[calls["query"].notna()].merge(ranked, on=_CALL, how="left").sort_values("start", kind="stable")
    found["ranking"] = [each if isinstance(each, list) else [] for each in found["ranking"]]
    return found.assign(place=range(len(found)))[["place", "query", "ranking"]]


def _array(rankings: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    width = max(map(len, rankings), default=0)
    rows = [[*each, *[-1] * (width - len(each))] for each in rankings]
    return np.array(rows, dtype=np.int64).reshape(len(rows), width)


def _draw(frame: pd.DataFrame) -> go.Figure:
    shown = frame[frame["difference"].notna()].head(40).assign(n=1)
    return intervals(shown, "difference", ["document_id"], title="Documents, after less before", unit="share of calls")
