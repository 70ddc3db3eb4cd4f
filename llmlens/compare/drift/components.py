"""Columns of any number and scale -> a few directions in which outputs of the same stratum differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .strata import centred

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ITERATIONS = 3
_MORE = 10


def normal_scores(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace each value by the normal quantile of its rank, ties by their mean rank; columns that do not vary go.

    Van der Waerden (1952). Lengths and counts have long tails, and one answer of 10 MB must not decide.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    if not len(columns):
        return np.zeros((0, 0))
    scores = ndtri((rankdata(columns, axis=0) - 0.5) / len(columns))
    spread = scores.std(axis=0)
    varied = spread > 1e-6
    return np.asarray(scores[:, varied] / spread[varied], dtype=float)


def directions(matrix: Any, strata: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float64]:
    """Give the leading principal directions (columns x at most `count`) of a sparse matrix, centred within strata.

    By randomised subspace iteration, which never makes the centred matrix dense: Halko, Martinsson and Tropp (2011).
    """
    rows, terms = matrix.shape
    count = min(count, rows, terms)
    if not count or not matrix.nnz:
        return np.zeros((terms, 0))
    basis = np.random.default_rng(seed).standard_normal((terms, min(count + _MORE, rows, terms)))
    for _ in range(_ITERATIONS):
        within, _ = np.linalg.qr(centred(matrix @ basis, strata))
        basis = matrix.T @ centred(within, strata)
    basis, _ = np.linalg.qr(basis)
    _, strengths, turned = np.linalg.svd(centred(matrix @ basis, strata), full_matrices=False)
    kept = strengths[:count] > 1e-8 * max(strengths[0], 1e-300)
    return np.asarray(basis @ turned[:count][kept].T, dtype=float)


def components(matrix: Any, strata: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float64]:
    """Give the leading principal components (rows x at most `count`) of a sparse matrix, centred within strata."""
    return centred(matrix @ directions(matrix, strata, count, seed), strata)
