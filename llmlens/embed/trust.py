"""How far a map can be trusted: whether those that are near each other on it are so in truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from llmlens.errors import EmbeddingError

from .neighbours import BLOCK, nearest, unit
from .picture import usable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .encoder import Vectors

_ASKED = 2_000


class Trust(NamedTuple):
    """Both are from 0 to 1, 1 is best; NaN where too few points are there to tell.

    `trustworthiness` counts by how much strangers came between neighbours (Venna & Kaski 2001); `overlap` is the share
    of the `k` nearest on the map that are among the `k` nearest in truth. Both are means over `n` points.
    """

    trustworthiness: float
    overlap: float
    k: int
    n: int

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"trustworthiness {self.trustworthiness:.3f}, {self.overlap:.0%} of the {self.k} nearest are the true ones "
            f"(over {self.n:,} points)"
        )


def trust(vectors: Vectors, points: Vectors, *, k: int = 15, seed: int = 0, sample: int = _ASKED) -> Trust:
    """Compare the neighbours of points on a map (Euclidean) with those of their vectors (cosine).

    Rows without a vector are left out. Of more than `sample` points that many are drawn and asked about all others.
    """
    if len(vectors) != len(points):
        raise EmbeddingError(f"Expected a point for each of the {len(vectors):,} vectors; got {len(points):,}.")
    there = usable(vectors) & usable(points)
    high, low = unit(np.asarray(vectors[there], dtype=np.float32)), np.asarray(points[there], dtype=np.float32)
    count = len(high)
    k = min(k, (count - 1) // 2)
    if k < 1:
        return Trust(np.nan, np.nan, 0, count)
    asked = np.arange(count)
    if count > sample:
        asked = np.sort(np.random.default_rng(seed).choice(count, sample, replace=False))
    near = _others(nearest(low, k + 1, low[asked], metric="euclid").indices, asked)
    rank = np.empty(near.shape, dtype=np.int64)
    rows = max(BLOCK // count, 1)
    for first in range(0, len(asked), rows):
        block = slice(first, first + rows)
        similar = high[asked[block]] @ high.T
        similar[np.arange(len(similar)), asked[block]] = -np.inf
        for place in range(k):
            theirs = np.take_along_axis(similar, near[block, place, None], axis=1)
            rank[block, place] = 1 + np.count_nonzero(similar > theirs, axis=1)
    excess, shared = np.maximum(rank - k, 0).sum(), np.count_nonzero(rank <= k)
    worst = len(asked) * k * (2 * count - 3 * k - 1) / 2
    return Trust(float(1 - excess / worst), shared / (len(asked) * k), k, len(asked))


def _others(indices: NDArray[np.int64], asked: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take a point itself out of its nearest; one of several at the same place may stand for it."""
    itself = indices == asked[:, None]
    itself[~itself.any(axis=1), -1] = True
    others: NDArray[np.int64] = indices[~itself].reshape(len(indices), -1)
    return others
