"""Whether answers stand in what was retrieved for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.measure.asking import takes_traces
from llmlens.measure.estimates import interval_dtypes, mean_columns
from llmlens.measure.grouping import groups_in, marked, rows_of, trace_groups
from llmlens.measure.interval_figures import intervals
from llmlens.measure.shape import Result, columns_by, result
from llmlens.texts import text_rows

from .calls import documents_of
from .sentences import LEAST_WORDS, sentences_of
from .support import Support

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

    from llmlens.embed.encoder import Encoder
    from llmlens.traces import Traces

#: Below this share of its words and pairs a sentence is not supported by a document.
SUPPORTED = 0.3
_ESTIMATES = ("support", "unsupported", "context_used", "meaning")
_MEASURED = {"n": "Int64", "n_sentences": "Int64", **interval_dtypes(*_ESTIMATES)}
_SENTENCE = ["trace_id", "sentence", "text", "support", "meaning", "document_id", "rank"]


@takes_traces
def groundedness(
    traces: Traces,
    encoder: Encoder | None = None,
    by: str | Iterable[str] | None = None,
    every: str | None = None,
) -> Result:
    """Say how much of the answers is in the documents that were retrieved for them: a rate to watch, never a verdict.

    The support of a sentence is the share of its words and pairs of words, weighted by how rare they are, that one
    document of its trace has: the most that any of them has. Sentences of less than four words are left out. With an
    `encoder`, `meaning` is the cosine of its vector and the nearest document's, which also finds other words and, with
    a model of several languages, other languages.

    One row a group and bucket: the columns of `by` (a trace is in the group that all its spans, else its root, say),
    `period` (with `every`), `n` (answers with documents), `n_sentences`, and means over answers with `_low` and
    `_high`, a bootstrapped 95 % interval, NA below 10 answers: `support`, `unsupported` (the share of sentences below
    0.3), `context_used` (the share of documents that support a sentence best), `meaning`.

    `.beside["sentences"]` has each sentence with its support and the document that supports it best, the least
    supported first. Words alone do not tell a paraphrase from an invention, nor what the question itself said; an
    answer in another language than the documents has no support: compare groups and times of one kind. `.notes` counts
    the traces without documents or answer.

    Raises `UnknownNameError` for a column, `SelectionError` for a period, `EmbeddingError` for an encoder that fails.
    """
    names = columns_by(by, taken=(*_MEASURED, "start", "end"))
    keys = marked(names, every)
    groups = traces.fetch(trace_groups(traces, names, every))[["trace_id", *keys]]
    documents = documents_of(traces, "content")
    documents = documents[documents["content"].notna() & (documents["content"].str.strip() != "")]
    documents = documents.drop_duplicates(["trace_id", "content"])
    answers = text_rows(traces, "output")[["trace_id", "text"]]
    answered = answers[answers["trace_id"].isin(documents["trace_id"])].reset_index(drop=True)
    sentences = sentences_of([str(each) for each in answered["text"]])
    sentences["trace_id"] = sentences["answer"].map(answered["trace_id"]).astype("str")
    sentences, used = _supported(sentences, documents, encoder)
    units = _answers(sentences, used).merge(groups, on="trace_id")
    rows = [key | _described(group) for key, group in groups_in(units, keys)]
    short = len(answered) - len(units)
    notes = [
        "" if len(documents) else "No retriever or reranker span gave a document with a text.",
        "" if len(answers) else "No trace says what it answered.",
        f"{len(answers) - len(answered):,} of {len(answers):,} answers have no documents: left out."
        if len(answered) < len(answers)
        else "",
        f"{short:,} answers have no sentence of {LEAST_WORDS} words or more: left out." if short else "",
    ]
    worst = sentences.sort_values(["support", "trace_id", "sentence"], kind="stable")[_SENTENCE]
    return result(rows_of(rows, groups, keys, _MEASURED), _draw, notes, {"sentences": worst.reset_index(drop=True)})


def _supported(
    sentences: pd.DataFrame, documents: pd.DataFrame, encoder: Encoder | None
) -> tuple[pd.DataFrame, pd.Series[float]]:
    """Add to each sentence its support and best document; and give the share of its documents a trace used."""
    contents = documents["content"].astype("category")
    known = [str(each) for each in contents.cat.categories]
    rows = documents.assign(place=contents.cat.codes.astype(int))[["trace_id", "document_id", "rank", "place"]]
    pairs = sentences[["trace_id"]].assign(row=range(len(sentences))).merge(rows, on="trace_id")
    pairs["support"] = Support([str(each) for each in sentences["text"]], known).of(
        pairs["row"].to_numpy(), pairs["place"].to_numpy()
    )
    best = pairs.sort_values(["support", "rank"], ascending=[False, True], kind="stable").drop_duplicates("row")
    best = best.set_index("row").sort_index()
    found = sentences.assign(meaning=np.nan, **{name: best[name] for name in ("support", "document_id", "rank")})
    if encoder is not None:
        found["meaning"] = _meaning(found, known, pairs, encoder)
    supported = best[best["support"] >= SUPPORTED].drop_duplicates(["trace_id", "place"])
    n = rows.groupby("trace_id").size()
    return found, supported.groupby("trace_id").size().reindex(n.index, fill_value=0) / n


def _meaning(sentences: pd.DataFrame, known: list[str], pairs: pd.DataFrame, encoder: Encoder) -> pd.Series[float]:
    """Give the cosine of each sentence and the nearest of its documents."""
    from llmlens.embed.run import embed_texts

    vectors = [
        embed_texts(texts, encoder).astype(float) for texts in ([str(each) for each in sentences["text"]], known)
    ]
    lengths = [np.linalg.norm(each, axis=1, keepdims=True) for each in vectors]
    unit = [each / np.where(length > 0, length, np.nan) for each, length in zip(vectors, lengths, strict=True)]
    cosine = np.einsum("ij,ij->i", unit[0][pairs["row"]], unit[1][pairs["place"]])
    return pd.Series(cosine).groupby(pairs["row"].to_numpy()).max()


def _answers(sentences: pd.DataFrame, used: pd.Series[float]) -> pd.DataFrame:
    """Average over the sentences of each answer."""
    told = sentences.assign(unsupported=(sentences["support"] < SUPPORTED).astype(float)).groupby("trace_id")
    units = told[["support", "unsupported", "meaning"]].mean().assign(n_sentences=told.size())
    return units.join(used.rename("context_used")).reset_index()


def _described(group: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {"n": len(group), "n_sentences": int(group["n_sentences"].sum())}
    for name in _ESTIMATES:
        found |= mean_columns(name, group[name].dropna().to_numpy(dtype=float))
    return found


def _draw(frame: pd.DataFrame) -> go.Figure:
    names = list(frame.columns[: list(frame.columns).index("n")])
    shown = frame[frame["support"].notna()]
    return intervals(shown, "support", names, title="Support of answers in their documents", unit="share of words")
