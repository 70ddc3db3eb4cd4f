"""The exact nearest neighbours are those of a brute-force search."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from llmlens.embed import neighbours as module
from llmlens.embed.neighbours import Metric, nearest, unit

RNG = np.random.default_rng(7)
POINTS = RNG.normal(size=(700, 12)).astype(np.float32)
QUERIES = RNG.normal(size=(90, 12)).astype(np.float32)


@pytest.mark.parametrize(("metric", "theirs"), [("cosine", "cosine"), ("euclid", "euclidean")])
@pytest.mark.parametrize("k", [1, 5, 15, 100, 699])
def test_neighbours_are_those_of_scikit_learn(metric: Metric, theirs: str, k: int) -> None:
    brute = NearestNeighbors(n_neighbors=k, metric=theirs, algorithm="brute").fit(POINTS.astype(np.float64))
    for queries in (None, QUERIES):
        distances, indices = brute.kneighbors(None if queries is None else queries.astype(np.float64))
        found = nearest(POINTS, k, queries, metric=metric)
        assert (found.indices == indices).mean() > 0.9999  # but for what float32 cannot tell apart
        np.testing.assert_allclose(found.distances, distances, atol=2e-3 if metric == "euclid" else 1e-5)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = nearest(POINTS, 10)
    monkeypatch.setattr(module, "BLOCK", 5_000)
    shares: list[float] = []
    parts = nearest(POINTS, 10, progress=shares.append)
    np.testing.assert_array_equal(whole.indices, parts.indices)
    assert len(shares) == 100
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_ties_go_by_their_order() -> None:
    same = np.ones((200, 4), dtype=np.float32)
    found = nearest(same, 3)
    assert found.indices[0].tolist() == [1, 2, 3]
    assert found.indices[199].tolist() == [0, 1, 2]
    assert (found.distances < 1e-6).all()


def test_a_row_that_is_zero_is_at_one_from_all() -> None:
    points = np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32)
    found = nearest(points, 2)
    assert found.indices[0].tolist() == [1, 2]
    assert found.distances[0].tolist() == [1, 1]


@pytest.mark.parametrize(("count", "k", "expected"), [(0, 3, 0), (1, 3, 0), (2, 3, 1), (4, 3, 3), (5, 0, 0)])
def test_where_there_are_few_all_are_given(count: int, k: int, expected: int) -> None:
    assert nearest(POINTS[:count], k).indices.shape == (count, expected)
    assert nearest(POINTS[:count], k, QUERIES).indices.shape == (90, min(count, k))


def test_rows_of_any_length_become_one_and_zero_stays() -> None:
    scaled = unit(np.array([[3, 4], [0, 0], [1e-30, 0], [3e30, 4e30]], dtype=np.float32))
    expected = np.array([[0.6, 0.8], [0, 0], [1, 0], [0.6, 0.8]])
    np.testing.assert_allclose(scaled, expected, atol=1e-6)
