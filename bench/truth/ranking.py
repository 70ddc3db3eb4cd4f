"""Ranking measures and rank-biased overlap against established implementations, on random runs.

    python bench/truth/ranking.py [--runs 1000] [--peers PYTHON]

scikit-learn's `ndcg_score` runs here; `--peers` is a Python that has `ranx` and `rbo` installed (they need other
versions of packages than llmlens does). Prints a markdown table of the largest differences.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from typing import Any

import numpy as np
from sklearn.metrics import ndcg_score

from llmlens.measure.retrieval.gains import Rankings
from llmlens.measure.retrieval.overlap import rank_biased_overlap

_METRICS = {"precision": "precision", "recall": "recall", "mrr": "mrr", "ndcg": "ndcg"}
_PEERS = """
import json, sys, warnings
warnings.simplefilter("ignore")
from ranx import Qrels, Run, evaluate
from rbo import RankingSimilarity
asked = json.load(sys.stdin)
found = {"metrics": [], "rbo": []}
for qrels, run, k in asked["runs"]:
    one = evaluate(Qrels({"q": qrels}), Run({"q": run}), [f"{m}@{k}" for m in ("precision", "recall", "mrr", "ndcg")])
    found["metrics"].append({name.split("@")[0]: float(value) for name, value in one.items()})
for a, b, p in asked["pairs"]:
    found["rbo"].append(float(RankingSimilarity(a, b).rbo_ext(p=p)))
json.dump(found, sys.stdout)
"""


def runs(count: int, random: np.random.Generator) -> list[tuple[dict[str, int], list[str], int]]:
    """Make judgements and rankings: the relevance of documents by name, a ranking, and k."""
    made: list[tuple[dict[str, int], list[str], int]] = []
    while len(made) < count:
        documents = [f"d{n}" for n in range(int(random.integers(2, 31)))]
        grades = random.integers(0, int(random.choice([2, 4])), len(documents))
        if grades.any():
            length = int(random.integers(1, len(documents) + 1))
            ranking = [str(each) for each in random.permutation(documents)[:length]]
            judged = {name: int(grade) for name, grade in zip(documents, grades, strict=True)}
            made.append((judged, ranking, int(random.integers(1, 16))))
    return made


def ours(judged: dict[str, int], ranking: list[str], k: int) -> dict[str, float]:
    gains = np.array([[float(judged[name]) for name in ranking]])
    missed = np.array([[float(grade) for name, grade in judged.items() if name not in ranking]])
    rankings = Rankings(gains, missed, k)
    found = {}
    for name in _METRICS:
        low, high = rankings.bounds(name)
        if low[0] != high[0]:
            raise AssertionError(f"{name}: bounds differ where all is judged")
        found[name] = float(low[0])
    return found


def by_sklearn(judged: dict[str, int], ranking: list[str], k: int) -> float:
    """Give the nDCG; what was not retrieved comes last, which is beyond k where the ranking is longer than k."""
    scores = {name: len(judged) - ranking.index(name) if name in ranking else 0 for name in judged}
    return float(ndcg_score([list(judged.values())], [[scores[name] for name in judged]], k=k, ignore_ties=True))


def pairs(count: int, random: np.random.Generator) -> list[tuple[list[int], list[int], float]]:
    """Make pairs of rankings of different length, and how much the top counts."""
    made = []
    for _ in range(count):
        pool = random.permutation(int(random.integers(2, 25)))
        a, b = (random.permutation(pool)[: int(random.integers(1, len(pool) + 1))].tolist() for _ in range(2))
        made.append((a, b, float(random.choice([0.5, 0.8, 0.9, 0.98]))))
    return made


def overlap(a: list[int], b: list[int], p: float) -> float:
    return float(rank_biased_overlap(np.array([a]), np.array([b]), p)[0])


def peers(python: str, asked: dict[str, Any]) -> dict[str, Any]:
    with_scores = [
        (judged, {name: float(len(ranking) - place) for place, name in enumerate(ranking)}, k)
        for judged, ranking, k in asked["runs"]
    ]
    given = json.dumps({"runs": with_scores, "pairs": asked["pairs"]})
    done = subprocess.run([python, "-c", _PEERS], input=given, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--peers", help="a Python with ranx and rbo")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    random = np.random.default_rng(0)
    asked: dict[str, Any] = {"runs": runs(chosen.runs, random), "pairs": pairs(chosen.runs, random)}
    mine = [ours(*run) for run in asked["runs"]]
    complete = [i for i, (judged, ranking, k) in enumerate(asked["runs"]) if len(ranking) >= min(k, len(judged))
                and len(judged) > 1]  # fmt: skip
    worst = max(abs(mine[i]["ndcg"] - by_sklearn(*asked["runs"][i])) for i in complete)
    print("| measure | against | runs | largest difference |\n|---|---|---|---|")
    print(f"| nDCG@k | scikit-learn ndcg_score | {len(complete):,} | {worst:.1e} |")
    if chosen.peers:
        found = peers(chosen.peers, asked)
        for name in _METRICS:
            worst = max(abs(m[name] - f[name]) for m, f in zip(mine, found["metrics"], strict=True))
            print(f"| {name}@k | ranx | {len(mine):,} | {worst:.1e} |")
        each = zip(asked["pairs"], found["rbo"], strict=True)
        worst = max(abs(overlap(*pair) - value) for pair, value in each)
        print(f"| RBO (extrapolated) | rbo | {len(asked['pairs']):,} | {worst:.1e} |")


if __name__ == "__main__":
    main()
