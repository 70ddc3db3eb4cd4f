"""Texts in documents that read like instructions to the model: what a person should look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.arguments import check_count
from llmlens.measure.asking import takes_traces
from llmlens.measure.figures import bars
from llmlens.measure.shape import Result, result

from .calls import calls_of, documents_of
from .signs import SIGNS, Sign

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from llmlens.traces import Traces


_MEASURED = {
    "document_id": "str", "suspicion": "Float64", "signs": "str", "excerpt": "str", "n": "Int64", "traces": "Int64",
    "first_seen": "datetime64[us, UTC]", "example": "str",
}  # fmt: skip
_AROUND = 100


@takes_traces
def instructions_in_documents(traces: Traces, most: int = 50) -> Result:
    """Rank retrieved documents by how much they read like instructions to the model, for a person to read.

    A document may carry a prompt injection (Greshake et al. 2023, arXiv:2302.12173). No rule tells one from a text
    about prompts, or from a manual full of orders, and one in other words is not found at all: this is an order to read
    in, and says nothing of what it leaves out.

    One row a text that shows a sign, at most `most`: `document_id`, `suspicion` (the weights of its signs, each times
    how rare the sign is among the documents; it has no unit and no threshold), `signs`, `excerpt` (around the first of
    the heaviest sign), `n` (calls that gave it), `traces`, `first_seen`, `example` (a trace). The signs are
    `llmlens.measure.retrieval.signs.SIGNS`, a list to append to.

    Raises `SelectionError` for a `most` that is no number.
    """
    check_count("most", most, "how many documents to show")
    documents = documents_of(traces, "content")
    documents = documents[documents["content"].notna() & (documents["content"].str.strip() != "")]
    starts = calls_of(traces, [], None)[["trace_id", "span_id", "start"]]
    documents = documents.merge(starts, on=["trace_id", "span_id"]).sort_values("start", kind="stable")
    texts = documents.groupby(["document_id", "content"], dropna=False, sort=False).agg(
        n=("rank", "size"), traces=("trace_id", "nunique"), first_seen=("start", "min"), example=("trace_id", "first")
    )
    texts = texts.reset_index()
    shown = np.array([[sign.find(str(text)) is not None for sign in SIGNS] for text in texts["content"]], dtype=bool)
    shown = shown.reshape(len(texts), len(SIGNS))
    rarity = np.log((1 + len(texts)) / (1 + shown.sum(axis=0))) + 1
    weights = np.array([sign.weight for sign in SIGNS]) * rarity
    texts["suspicion"] = shown @ weights
    kept = texts[texts["suspicion"] > 0].sort_values("suspicion", ascending=False, kind="stable").head(most)
    kept = kept.assign(
        signs=[", ".join(dict.fromkeys(SIGNS[i].name for i in np.flatnonzero(shown[row]))) for row in kept.index],
        excerpt=[
            _excerpt(str(text), SIGNS[int(np.argmax(shown[row] * weights))])
            for row, text in zip(kept.index, kept["content"], strict=True)
        ],
    )
    notes = [
        f"{int(timeless):,} documents were given by calls without a time: not known when they were first seen."
        if (timeless := documents["start"].isna().sum())
        else "",
        f"{len(kept):,} of {len(texts):,} different texts show a sign; read them: none is called an attack."
        if len(texts)
        else "No retriever or reranker span gave a document with a text.",
    ]
    frame = kept.reindex(columns=list(_MEASURED)).astype(_MEASURED).reset_index(drop=True)
    return result(frame, _draw, notes)


def _excerpt(text: str, sign: Sign) -> str:
    match = sign.find(text)
    if match is None:
        return ""
    first, last = max(0, match.start() - _AROUND), match.end() + _AROUND
    return ("…" if first else "") + text[first:last].strip() + ("…" if last < len(text) else "")


def _draw(frame: pd.DataFrame) -> go.Figure:
    return bars(frame, "suspicion", ["document_id"], title="Documents to read first", unit="suspicion, without a unit")
