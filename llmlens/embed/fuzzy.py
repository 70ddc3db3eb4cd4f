"""The fuzzy graph of neighbours that UMAP lays out: McInnes, Healy & Melville 2018, sections 3.1 and 4.1.

The same as `umap.umap_.fuzzy_simplicial_set`, which takes some seconds to compile in each process and runs in parallel
regions of numba: where numba has only threads of its own, two threads that enter such regions at once end the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import coo_matrix

    from .encoder import Vectors
    from .neighbours import Neighbours

_HALVINGS = 64
_LEAST = 1e-3


def memberships(distances: Vectors) -> Vectors:
    """Give how much a point belongs to each of its neighbours, 1 for the nearest; both (points, k), nearest first.

    exp(-(d - rho) / sigma): rho is the distance of the nearest that is elsewhere, sigma is such that the memberships
    sum to log2(k + 1), k neighbours and the point itself.
    """
    if not distances.size:
        return np.ones_like(distances)
    apart = np.where(distances > 0, distances, np.inf).min(axis=1, initial=np.inf)
    rho = np.where(np.isfinite(apart), apart, 0.0)[:, None]
    beyond = np.maximum(distances.astype(np.float64) - rho, 0)
    wanted = np.log2(distances.shape[1] + 1)
    low, high = np.zeros((len(beyond), 1)), np.full((len(beyond), 1), np.inf)
    sigma = np.ones((len(beyond), 1))
    for _ in range(_HALVINGS):
        too_much = np.exp(-beyond / sigma).sum(axis=1, keepdims=True) > wanted
        high, low = np.where(too_much, sigma, high), np.where(too_much, low, sigma)
        sigma = np.where(np.isinf(high), sigma * 2, (low + high) / 2)
    count = distances.shape[1] + 1
    mean = np.where(rho > 0, distances.sum(axis=1, keepdims=True) / count, distances.sum() / (count * len(beyond)))
    sigma = np.maximum(sigma, _LEAST * mean)
    return np.exp(-beyond / np.where(sigma > 0, sigma, 1)).astype(np.float32)


def fuzzy_graph(neighbours: Neighbours) -> coo_matrix:
    """Join the memberships of both directions, a + b - ab: a symmetric matrix, points x points."""
    from scipy.sparse import coo_matrix

    count, k = neighbours.indices.shape
    rows = np.repeat(np.arange(count), k)
    values = memberships(neighbours.distances).ravel()
    graph = coo_matrix((values, (rows, neighbours.indices.ravel())), shape=(count, count)).tocsr()
    turned = graph.T.tocsr()
    return (graph + turned - graph.multiply(turned)).tocoo()
