"""What other tools ask of two windows of outputs, on the same draws, with the embedding that needs no download.

- mean distance: Euclidean distance of the mean embeddings (Phoenix, Evidently `distance`), judged by permutation, which
  is kinder than the fixed thresholds that are shipped.
- MMD: maximum mean discrepancy with a Gaussian kernel at the median distance (Gretton et al. 2012), by permutation.
- model AUC: a logistic regression that tells the windows apart, drifted above 0.55 (Evidently's `model`, as shipped).
- ratio: the share of components of the embedding whose normalised Wasserstein distance is above 0.1, drifted above 0.2
  (Evidently's `ratio`, as shipped).
- length: the two-sample Kolmogorov-Smirnov test of the lengths.

Where a Python with Evidently is named, its own methods decide on the same vectors too: see evidently_peer.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.truth.evidently_peer import Evidently
from llmlens.embed.lexical import LexicalEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from bench.truth.change_streams import Draw

Vectors = npt.NDArray[np.float32]
_TIMES = 199
_LEVEL = 0.05
_AUC = 0.55
_RATIO, _MOVED = 0.2, 0.1
_EVIDENTLY: list[Evidently] = []


def use_evidently(python: Path | None) -> None:
    """Ask Evidently too, in a process of its own for each that draws."""
    if python is not None:
        _EVIDENTLY.append(Evidently(python))


def judged(draw: Draw, seed: int) -> dict[str, bool]:
    """Say which peer alarms."""
    from scipy.stats import ks_2samp

    texts = [*draw.before["text"], *draw.after["text"]]
    # Fitted on both: a space made of one window alone tells it from any other, whatever the texts.
    vectors = LexicalEncoder(seed=seed).fit([str(t) for t in texts]).encode([str(t) for t in texts])
    after = np.arange(len(texts)) >= len(draw.before)
    lengths = np.array([len(str(text)) for text in texts])
    found = {
        "mean distance": _mean_distance(vectors, after, seed) <= _LEVEL,
        "MMD": _mmd(vectors, after, seed) <= _LEVEL,
        "model AUC > 0.55": _auc(vectors, after, seed) > _AUC,
        "ratio > 0.2": _ratio(vectors, after) > _RATIO,
        "length, KS": bool(ks_2samp(lengths[~after], lengths[after]).pvalue <= _LEVEL),
    }
    for evidently in _EVIDENTLY:
        found |= evidently.judged(vectors[~after], vectors[after])
    return found


def _labels(after: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    return np.vstack([after, rng.permuted(np.tile(after, (_TIMES, 1)), axis=1)]).astype(float)


def _p(statistic: npt.NDArray[np.float64]) -> float:
    return float((statistic >= statistic[0] * (1 - 1e-9)).mean())


def _mean_distance(vectors: Vectors, after: npt.NDArray[np.bool_], seed: int) -> float:
    labels = _labels(after, seed)
    n_after, total = after.sum(), vectors.sum(axis=0)
    means = labels @ vectors
    return _p(np.linalg.norm(means / n_after - (total - means) / (len(after) - n_after), axis=1))


def _mmd(vectors: Vectors, after: npt.NDArray[np.bool_], seed: int) -> float:
    squared = np.maximum(2 - 2 * vectors @ vectors.T, 0)
    kernel = np.exp(-squared / np.median(squared[squared > 0]))
    np.fill_diagonal(kernel, 0)
    labels = _labels(after, seed)
    sign = labels / after.sum() - (1 - labels) / (~after).sum()
    return _p(np.einsum("ij,ij->i", sign @ kernel, sign))


def _auc(vectors: Vectors, after: npt.NDArray[np.bool_], seed: int) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split

    learn, judge = train_test_split(np.arange(len(after)), test_size=0.5, random_state=seed, stratify=after)
    model = LogisticRegression(max_iter=500).fit(vectors[learn], after[learn])
    return float(roc_auc_score(after[judge], model.predict_proba(vectors[judge])[:, 1]))


def _ratio(vectors: Vectors, after: npt.NDArray[np.bool_]) -> float:
    from scipy.stats import wasserstein_distance

    before, now = vectors[~after], vectors[after]
    spread = np.maximum(before.std(axis=0), 0.001)
    moved = [wasserstein_distance(before[:, k], now[:, k]) / spread[k] >= _MOVED for k in range(vectors.shape[1])]
    return float(np.mean(moved))
