"""How long a map takes with nothing cached and nothing compiled, how far it can be trusted, beside plain umap-learn.

    python bench/embed.py --sizes 10000 50000

Texts of 300 words about 60 topics are made by a seed. Each line is a process of its own, whose caches (llmlens' and
numba's) are empty, except where it says "from cache". Imports count. `DriftMap` is the widget over saved traces, timed
from the call on; that the traces are opened and their messages read is before. The peer is scikit-learn's TF-IDF and
truncated SVD and umap-learn with its own neighbours. The floor is to split the texts into words and to multiply the
sample with all, which any exact map does. Seconds are by the clock; CPU is that of all threads. Neither counts trust.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_WORDS, _TOPICS, _VOCABULARY, _OWN = 300, 60, 20_000, 200
_LIMIT, _DIMENSIONS = 20_000, 100


def main() -> None:
    """Print a line for each size and way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_WAYS[given.one[0]](Path(given.one[1]))))
        return
    print(f"{'texts':>6} {'what':<24} {'vectors':>9} {'picture':>9} {'UMAP':>9} {'CPU':>7}  trustworthiness, overlap")
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            texts = Path(folder) / "texts.json"
            texts.write_text(json.dumps(make_texts(size, given.seed)))
            save_traces(json.loads(texts.read_text()), Path(folder) / "traces")
            for title, way, caches in (
                ("DriftMap", "drift_map", "map"),
                ("DriftMap, from cache", "drift_map", "map"),
                ("vectors and map", "llmlens", "ours"),
                ("the same, from cache", "llmlens", "ours"),
                ("plain umap-learn", "plain", "theirs"),
                ("floor", "floor", "none"),
            ):
                print(f"{size:>6} {title:<24} {one(way, texts, Path(folder) / caches)}", flush=True)


def save_traces(texts: list[str], folder: Path) -> None:
    """Save each text as what a model answered in a trace of its own, over two weeks."""
    import pandas as pd

    import llmlens as ll

    numbers = range(len(texts))
    start = pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta([n * 14 * 86_400 / len(texts) for n in numbers], "s")
    spans = pd.DataFrame({"trace_id": [f"{n:032x}" for n in numbers], "span_id": [f"{n:016x}" for n in numbers]})
    contents = spans.assign(output=texts, input=[f"question {n % 500}" for n in numbers])
    spans = spans.assign(name="answer", kind="llm", status="ok", depth=0, start=start, end=start, model="gpt-4o")
    spans["feature"] = [f"feature {n % 5}" for n in numbers]
    ll.Traces.from_frames({"spans": spans, "contents": contents}).save(folder)


def one(way: str, texts: Path, caches: Path) -> str:
    """Run one way in a process, and write what it says of itself."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(caches / "numba"), "LLMLENS_CACHE": str(caches / "vectors")}
    command = [sys.executable, __file__, "--one", way, str(texts)]
    said = json.loads(subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout)
    seconds = " ".join(f"{said[key]:>7.1f} s" if key in said else f"{'':>9}" for key in ("vectors", "picture", "umap"))
    return f"{seconds} {said['cpu']:>5.1f} s  {said.get('trust', '')}"


def make_texts(count: int, seed: int) -> list[str]:
    """Make texts: each word is of the text's topic with 30 %, else of the language; frequent ones are more frequent."""
    import numpy as np

    random = np.random.default_rng(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    words = np.array(["".join(random.choice(syllables, random.integers(1, 5))) for _ in range(_VOCABULARY)])
    frequency = 1 / (np.arange(_VOCABULARY) + 2.7)
    below = np.cumsum(frequency / frequency.sum())
    topics = random.integers(_VOCABULARY, size=(_TOPICS, _OWN))
    texts = []
    for topic in random.integers(_TOPICS, size=count):
        places = np.searchsorted(below, random.random(_WORDS)).clip(0, _VOCABULARY - 1)
        own = random.random(_WORDS) < 0.3
        places[own] = topics[topic, (random.random(own.sum()) ** 2 * _OWN).astype(int)]
        texts.append(" ".join(words[places]))
    return texts


def drift_map(file: Path) -> dict[str, object]:
    """Show the widget, until the map is there; what comes after it is not waited for."""
    import threading

    import llmlens as ll

    traces = ll.open(file.parent / "traces")
    traces.table("messages")
    clock = _Clock()
    shown = ll.DriftMap(traces, before="2026-11-08")
    pictures = [threading.Event(), threading.Event()]

    def look(progress: dict[str, int]) -> None:
        for event in pictures[: progress["picture"]]:
            event.set()

    shown.observe(lambda change: look(change["new"]), "progress")
    look(shown.progress)
    for event, name in zip(pictures, ("picture", "umap"), strict=True):
        event.wait()
        clock.lap(name)
    shown.close()
    return clock.said


def llmlens(file: Path) -> dict[str, object]:
    """Embed, show principal components, and project."""
    texts = json.loads(file.read_text())
    clock = _Clock()
    from llmlens.embed import LexicalEncoder, Projection, embed_texts, trust

    vectors = embed_texts(texts, LexicalEncoder(_DIMENSIONS).fit(texts), progress=False)
    clock.lap("vectors")
    Projection.preview(vectors)
    clock.lap("picture")
    points = Projection.fit(vectors, limit=_LIMIT).points
    clock.lap("umap")
    return clock.said | {"trust": str(trust(vectors, points))}


def plain(file: Path) -> dict[str, object]:
    """Do the same with scikit-learn and umap-learn as they come."""
    texts = json.loads(file.read_text())
    clock = _Clock()
    import umap
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    terms = TfidfVectorizer(ngram_range=(1, 2), max_features=20_000, sublinear_tf=True).fit_transform(texts)
    vectors = TruncatedSVD(_DIMENSIONS, random_state=0).fit_transform(terms).astype("float32")
    clock.lap("vectors")
    points = umap.UMAP(metric="cosine", random_state=0, n_jobs=1).fit_transform(vectors)
    clock.lap("umap")
    from llmlens.embed import trust

    return clock.said | {"trust": str(trust(vectors, points))}


def floor(file: Path) -> dict[str, object]:
    """Do what cannot be left out."""
    texts = json.loads(file.read_text())
    clock = _Clock()
    import numpy as np

    sum(len(text.split()) for text in texts)
    clock.lap("vectors")
    vectors = np.random.default_rng(0).normal(size=(len(texts), _DIMENSIONS)).astype(np.float32)
    for first in range(0, min(len(texts), _LIMIT), 500):
        vectors[first : first + 500] @ vectors.T
    clock.lap("umap")
    return clock.said


class _Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self.began, self.cpu = time.perf_counter(), time.process_time()
        self.said: dict[str, object] = {}

    def lap(self, name: str) -> None:
        self.said[name] = time.perf_counter() - self.began
        self.said["cpu"] = time.process_time() - self.cpu


_WAYS = {"drift_map": drift_map, "llmlens": llmlens, "plain": plain, "floor": floor}

if __name__ == "__main__":
    main()
