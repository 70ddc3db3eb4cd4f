"""The graph that is laid out is umap-learn's own."""

from __future__ import annotations

import numpy as np
from umap.umap_ import fuzzy_simplicial_set

from llmlens.embed.fuzzy import fuzzy_graph, memberships
from llmlens.embed.neighbours import nearest


def test_the_graph_is_that_of_umap() -> None:
    points = np.random.default_rng(1).normal(size=(300, 8)).astype(np.float32)
    points[:30] = points[0]  # equal ones, whose nearest are at no distance
    found = nearest(points, 14, metric="euclid")
    found = found._replace(distances=np.where(found.distances < 1e-2, 0, found.distances).astype(np.float32))
    itself = np.arange(len(points))[:, None]
    indices = np.hstack([itself, found.indices])
    distances = np.hstack([np.zeros_like(itself), found.distances]).astype(np.float32)
    expected, _, _ = fuzzy_simplicial_set(points, 15, np.random.RandomState(0), "euclidean", {}, indices, distances)
    got = fuzzy_graph(found)
    np.testing.assert_allclose(got.toarray(), expected.toarray(), atol=1e-4)


def test_memberships_are_one_for_the_nearest_and_sum_to_the_logarithm() -> None:
    distances = np.sort(np.random.default_rng(2).uniform(0.5, 2, size=(50, 7)).astype(np.float32), axis=1)
    got = memberships(distances)
    assert (got[:, 0] == 1).all()
    np.testing.assert_allclose(got.sum(axis=1), np.log2(8), atol=1e-3)
    assert (np.diff(got, axis=1) <= 0).all()


def test_equal_distances_belong_alike() -> None:
    assert (memberships(np.zeros((3, 4), dtype=np.float32)) == 1).all()
    assert (memberships(np.full((3, 4), 0.7, dtype=np.float32)) == 1).all()


def test_nobody_belongs_to_nothing() -> None:
    assert memberships(np.zeros((0, 5), dtype=np.float32)).shape == (0, 5)
