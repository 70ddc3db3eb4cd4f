"""Vectors -> groups of them that lie close together, and outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.embed.neighbours import nearest, unit
from llmlens.embed.picture import usable
from llmlens.embed.sampling import stratified

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from llmlens.embed.encoder import Vectors

    Labels = NDArray[np.int64]

OUTLIER = -1
#: Groups are looked for among so many points at most; the others join them.
LIMIT = 10_000
#: In more dimensions all distances are nearly alike (Beyer et al. 1999).
_DIMENSIONS = 20
#: A group has at least a fiftieth of the points, and between so many.
_SHARE, _FEWEST, _MOST = 50, 5, 100
_COMPANY = 5  # neighbours that make a point dense
#: The radius of a group is that within which so many of its members have these neighbours.
_RADIUS = 0.95
#: A group with more than this part of the variance of all points is none.
_WIDE = 0.5
#: Equal texts are at one place, where density has no bound: they are moved apart by this share of the spread.
_JITTER = 1e-3


def groups(vectors: Vectors, *, seed: int = 0, limit: int = LIMIT) -> Labels:
    """Give the group of each row, numbered from 0 (the largest) on, and -1 for outliers and rows without a vector.

    HDBSCAN (Campello, Moulavi & Sander 2013) on at most 20 principal components of the vectors at length 1: in the full
    space, not on a picture of it. A group with half of all variance is none: the leaves of its tree are, and the
    rest of it are outliers. Beyond `limit` rows all this is done on a sample; each other row joins its nearest member
    where it is as near to it as 95 % of the members of that group are to their fifth neighbour, else it is an outlier.
    The same vectors and seed give the same groups.
    """
    there = np.flatnonzero(usable(vectors))
    labels = np.full(len(vectors), OUTLIER, dtype=np.int64)
    if len(there) < 2 * _FEWEST:
        return labels
    points = _reduced(unit(np.asarray(vectors[there], dtype=np.float32)), seed)
    sample = stratified(len(points), limit, None, seed)
    found = np.full(len(points), OUTLIER, dtype=np.int64)
    found[sample] = _dense(points[sample], seed)
    others = np.setdiff1d(np.arange(len(points)), sample, assume_unique=True)
    if len(others):
        found[others] = _join(points[others], points[sample], found[sample])
    labels[there] = _by_size(found)
    return labels


def _reduced(rows: Vectors, seed: int) -> Vectors:
    """Give the principal components."""
    from sklearn.utils.extmath import randomized_svd

    middle = rows - rows.mean(axis=0)
    count = min(_DIMENSIONS, *middle.shape)
    _, _, directions = randomized_svd(middle, count, random_state=seed)
    return np.asarray(middle @ directions.T, dtype=np.float32)


def _dense(points: Vectors, seed: int) -> Labels:
    """Find the groups."""
    spread = float(points.std())
    if not spread > 0:
        return np.zeros(len(points), dtype=np.int64)
    apart = points + np.random.default_rng(seed).normal(scale=_JITTER * spread, size=points.shape).astype(np.float32)
    least = int(np.clip(len(points) // _SHARE, _FEWEST, _MOST))
    labels = _hdbscan(apart, least, "eom")
    for group in range(int(labels.max()) + 1):
        inside = np.flatnonzero(labels == group)
        # What is nearly as wide as all points is what is left between the groups: it is looked into once more.
        if _width(points[inside]) > _WIDE * _width(points):
            parts = _hdbscan(apart[inside], least, "leaf")
            labels[inside] = np.where(parts == OUTLIER, OUTLIER, parts + labels.max() + 1)
    return labels


def _hdbscan(points: Vectors, least: int, method: str) -> Labels:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(min_cluster_size=least, min_samples=_COMPANY, copy=True, cluster_selection_method=method)
    return np.asarray(model.fit(points).labels_, dtype=np.int64)


def _width(points: Vectors) -> float:
    """Give the mean squared distance to the middle."""
    return float(points.var(axis=0).sum())


def _join(points: Vectors, members: Vectors, labels: Labels) -> Labels:
    """Give each point the group of its nearest member, within the radius of that group."""
    inside = np.flatnonzero(labels != OUTLIER)
    if not len(inside):
        return np.full(len(points), OUTLIER, dtype=np.int64)
    core, of_core = members[inside], labels[inside]
    own = nearest(core, _COMPANY, metric="euclid").distances[:, -1]
    radius = np.array([np.quantile(own[of_core == group], _RADIUS) for group in range(int(of_core.max()) + 1)])
    found = nearest(core, 1, points, metric="euclid")
    group = of_core[found.indices[:, 0]]
    return np.where(found.distances[:, 0] <= radius[group], group, OUTLIER)


def _by_size(labels: Labels) -> Labels:
    """Give the groups anew by their size, the largest first, ties by their first row."""
    known, first, counts = np.unique(labels[labels != OUTLIER], return_index=True, return_counts=True)
    order = np.lexsort((first, -counts))
    number = np.full(int(labels.max(initial=OUTLIER)) + 2, OUTLIER, dtype=np.int64)
    number[known[order]] = np.arange(len(known))
    return number[labels]  # the last place is that of outliers
