"""The first right singular vectors of a matrix, by random projection (Halko, Martinsson & Tropp 2011).

A few lines, because importing scikit-learn for them takes longer than they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MORE = 10
_ITERATIONS = 2
#: Singular values that are below this share of the largest: float32 has some seven digits.
_ROUNDING = 1e-6


def directions_of(matrix: Any, count: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the `count` largest singular values and their directions, (count, columns), of a dense or sparse matrix.

    There are fewer where its rank is less. Each direction points to where its largest weight is, so that the same
    matrix and seed give the same.
    """
    from threadpoolctl import threadpool_limits

    width = min(count + _MORE, *matrix.shape)
    basis = np.random.default_rng(seed).normal(size=(matrix.shape[1], width)).astype(np.float32)
    with threadpool_limits(1):  # these products are so small that more threads wait for each other
        for _ in range(_ITERATIONS):
            basis = _orthonormal(matrix.T @ _orthonormal(matrix @ basis))
        projected = (matrix.T @ _orthonormal(matrix @ basis)).T
        strengths, turned = _of_gram(projected.T)
        directions = (turned / strengths).T @ projected
    strengths, directions = strengths[:count], directions[:count]
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return strengths.astype(np.float32), (directions * signs[:, None]).astype(np.float32)


def _orthonormal(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give an orthonormal basis of what the columns span."""
    lengths, axes = _of_gram(columns)
    return columns @ (axes / lengths).astype(np.float32)


def _of_gram(columns: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the singular values of a few long columns, largest first, and the right singular vectors as columns.

    Those that are rounding are left out. By the eigenvectors of the columns' products in double precision, which takes
    a tenth of the time of a QR or an SVD and is as exact where the columns are in single precision.
    """
    wide = columns.astype(np.float64)
    squares, axes = np.linalg.eigh(wide.T @ wide)
    kept = squares[::-1] > _ROUNDING**2 * squares.max(initial=0)
    return np.sqrt(squares[::-1][kept]), axes[:, ::-1][:, kept]
