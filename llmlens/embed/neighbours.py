"""The exact nearest neighbours, by matrix products in blocks.

A graph of approximate neighbours (such as NN-descent's) is compiled at first use, which takes longer than a product of
20,000 x 20,000; exact ones are also the same on each run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from .encoder import Vectors

Metric = Literal["cosine", "euclid"]

#: Similarities that are held at once: 64 MiB of float32.
BLOCK = 1 << 24
#: Columns whose best is taken together before the best are looked for.
_GROUP = 32


class Neighbours(NamedTuple):
    """For each query the nearest rows, nearest first: their numbers and distances, both (queries, k)."""

    indices: NDArray[np.int64]
    distances: NDArray[np.float32]


def nearest(
    reference: Vectors,
    k: int,
    queries: Vectors | None = None,
    *,
    metric: Metric = "cosine",
    progress: Callable[[float], object] | None = None,
) -> Neighbours:
    """Find the `k` rows of `reference` that are nearest to each of `queries`, ties by their order.

    Without queries each row is asked about the others, and is none of its own. Where fewer than `k` rows are there, all
    are given. Distances are 1 - cosine (1 for a row that is 0), or Euclidean. `progress` is told the share done.
    """
    own = queries is None
    points = np.ascontiguousarray(reference, dtype=np.float32)
    asked = points if queries is None else np.ascontiguousarray(queries, dtype=np.float32)
    if metric == "cosine":
        points = unit(points)
        asked = points if own else unit(asked)
    k = max(min(k, len(points) - own), 0)
    indices = np.zeros((len(asked), k), dtype=np.int64)
    distances = np.zeros((len(asked), k), dtype=np.float32)
    squares = np.einsum("ij,ij->i", points, points)
    rows = max(BLOCK // max(len(points), 1), 1)
    for first in range(0, len(asked) if k else 0, rows):
        block = asked[first : first + rows]
        closeness = block @ points.T
        if metric == "euclid":
            closeness -= squares / 2  # orders as the distance does: |q - p|^2 = |q|^2 - 2 (qp - |p|^2 / 2)
        if own:
            within = np.arange(len(block))
            closeness[within, first + within] = -np.inf
        best = _best(closeness, k)
        indices[first : first + rows] = best
        distances[first : first + rows] = _distances(block, np.take_along_axis(closeness, best, axis=1), metric)
        if progress is not None:
            progress(min(first + rows, len(asked)) / len(asked))
    return Neighbours(indices, distances)


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to length 1; those that are 0 stay so."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    scaled = vectors / np.where(largest > 0, largest, 1)  # so that no square overflows or vanishes
    length = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(scaled / np.where(length > 0, length, 1), dtype=np.float32)


def _distances(block: Vectors, closeness: Vectors, metric: Metric) -> Vectors:
    if metric == "cosine":
        return np.maximum(1 - closeness, 0)
    squares = np.einsum("ij,ij->i", block, block)[:, None]
    return np.asarray(np.sqrt(np.maximum(squares - 2 * closeness, 0)), dtype=np.float32)


def _best(closeness: Vectors, k: int) -> NDArray[np.int64]:
    """Give the columns of the `k` largest values of each row, largest first.

    The k-th largest of the groups' best is a floor that few values reach; only these are sorted.
    """
    rows, columns = closeness.shape
    groups = columns // _GROUP
    if groups <= k:
        return np.argsort(-closeness, axis=1, kind="stable")[:, :k]
    tops = closeness[:, : groups * _GROUP].reshape(rows, groups, _GROUP).max(axis=2)
    floor = np.partition(tops, groups - k, axis=1)[:, groups - k]
    row, column = np.divmod(np.flatnonzero(closeness >= floor[:, None]), columns)
    order = np.lexsort((column, -closeness[row, column], row))
    starts = np.searchsorted(row, np.arange(rows))
    best: NDArray[np.int64] = column[order[starts[:, None] + np.arange(k)]]
    return best
