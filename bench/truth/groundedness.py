"""How well support tells answers with their own documents from answers with another question's.

    python bench/truth/groundedness.py [--seed 0]

From the sample dumps: sentences of answers beside the documents that were retrieved for them, and beside those of a
trace about something else, of the same feature. Prints the AUC of llmlens' support, of plain word overlap and of
embeddings that need no download, in all languages and in the documents' own. Sentences that say nothing of a document
("I couldn't find that") are in the set as they are in traffic.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

import llmlens as ll
from llmlens.embed.lexical import LexicalEncoder
from llmlens.measure.retrieval.sentences import sentences_of
from llmlens.measure.retrieval.support import Support
from llmlens.texts import text_rows

_ROOT = Path(__file__).resolve().parents[2]
_DUMPS = ("support_week", "model_change", "stale_index")
_ENGLISH = re.compile(r"\b(?:the|you|your|is|are|we|and|of|to|it|with|for)\b", re.IGNORECASE)


def answers(name: str) -> pd.DataFrame:
    """Give a row an answer with documents: text, feature, documents (a tuple of texts)."""
    traces = ll.read(_ROOT / f"data_samples/{name}.otlp.jsonl.gz")
    documents = traces.documents.merge(traces.spans[["trace_id", "span_id", "kind"]], on=["trace_id", "span_id"])
    documents = documents[(documents["kind"] == "retriever") & documents["content"].notna()]
    given = documents.groupby("trace_id")["content"].agg(tuple).rename("documents")
    return text_rows(traces, by="feature").merge(given, on="trace_id")[["text", "feature", "documents"]]


def swapped(rows: pd.DataFrame, random: np.random.Generator) -> list[tuple[str, ...]]:
    """Give each answer the documents of another one of its feature that shares none with it, where there is one."""
    found = []
    for feature, own in zip(rows["feature"], rows["documents"], strict=True):
        others = rows[rows["feature"] == feature]["documents"].to_numpy()
        tries = (others[i] for i in random.integers(len(others), size=50))
        found.append(next((other for other in tries if not set(other) & set(own)), ()))
    return found


def plain_overlap(sentence: str, document: str) -> float:
    words = set(re.findall(r"\w+", sentence.lower()))
    return len(words & set(re.findall(r"\w+", document.lower()))) / len(words)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    random = np.random.default_rng(parser.parse_args().seed)
    rows = pd.concat([answers(name) for name in _DUMPS], ignore_index=True).drop_duplicates("text")
    rows = rows.reset_index(drop=True)
    rows["swapped"] = swapped(rows, random)
    rows = rows[rows["swapped"].map(len) > 0].reset_index(drop=True)
    sentences = sentences_of(list(rows["text"]))
    texts = [str(each) for each in sentences["text"]]
    known = sorted({text for column in ("documents", "swapped") for each in rows[column] for text in each})
    places = {text: place for place, text in enumerate(known)}
    pairs = pd.DataFrame(
        [
            (sentence, places[text], label)
            for sentence, answer in enumerate(sentences["answer"])
            for label, column in ((1, "documents"), (0, "swapped"))
            for text in rows[column][answer]
        ],
        columns=["sentence", "document", "label"],
    )
    begun = time.process_time()
    pairs["llmlens"] = Support(texts, known).of(pairs["sentence"].to_numpy(), pairs["document"].to_numpy())
    support_s = time.process_time() - begun
    pairs["plain word overlap"] = [plain_overlap(texts[s], known[d]) for s, d in zip(pairs["sentence"],
                                   pairs["document"], strict=True)]  # fmt: skip
    begun = time.process_time()
    encoder = LexicalEncoder().fit(known)
    vectors = encoder.encode(texts), encoder.encode(known)
    pairs["embeddings (lexical)"] = np.einsum("ij,ij->i", vectors[0][pairs["sentence"]], vectors[1][pairs["document"]])
    lexical_s = time.process_time() - begun
    pairs["mean of both"] = (pairs["llmlens"] + pairs["embeddings (lexical)"]) / 2
    ways = ["llmlens", "plain word overlap", "embeddings (lexical)", "mean of both"]
    best = pairs.groupby(["sentence", "label"])[ways].max().reset_index()
    best["english"] = best["sentence"].map(lambda place: len(_ENGLISH.findall(texts[place])) >= 2)
    best["answer"] = best["sentence"].map(sentences["answer"])
    print("| AUC | n | " + " | ".join(ways) + " |\n|---|---|" + "---|" * len(ways))
    for name, part, key in (
        ("sentences, all languages", best, "sentence"),
        ("sentences, language of the documents", best[best["english"]], "sentence"),
        ("answers, language of the documents", best[best["english"]], "answer"),
    ):
        units = part.groupby([key, "label"])[ways].mean().reset_index()
        told = " | ".join(f"{roc_auc_score(units['label'], units[way]):.3f}" for way in ways)
        print(f"| {name} | {len(units) // 2:,} | {told} |")
    print(f"CPU: support {support_s:.2f} s, embeddings (lexical) {lexical_s:.2f} s for {len(pairs):,} pairs")


if __name__ == "__main__":
    main()
