"""The first right singular vectors of a matrix, by random projection (Halko, Martinsson & Tropp 2011).

Ten lines, because importing scikit-learn for them takes longer than they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MORE = 10
_ITERATIONS = 2


def directions_of(matrix: Any, count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the `count` largest singular values and their directions, (count, columns), of a dense or sparse matrix.

    Each direction points to where its largest weight is, so that the same matrix and seed give the same.
    """
    from threadpoolctl import threadpool_limits

    width = min(count + _MORE, *matrix.shape)
    basis = np.random.default_rng(seed).normal(size=(matrix.shape[1], width)).astype(np.float32)
    with threadpool_limits(1):  # these products are so small that more threads wait for each other
        for _ in range(_ITERATIONS):
            basis, _ = np.linalg.qr(matrix.T @ np.linalg.qr(matrix @ basis)[0])
        projected = np.linalg.qr(matrix @ basis)[0].T @ matrix
        _, strengths, directions = np.linalg.svd(projected, full_matrices=False)
    strengths, directions = strengths[:count], directions[:count]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return strengths.astype(np.float32), (directions * signs[:, None]).astype(np.float32)
