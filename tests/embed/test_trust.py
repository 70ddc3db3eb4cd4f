"""Trust is that of scikit-learn; the overlap that of a count by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness

import llmlens as ll
from llmlens.embed import trust
from llmlens.embed.neighbours import nearest

RNG = np.random.default_rng(11)
VECTORS = RNG.normal(size=(300, 6)).astype(np.float32)
POINTS = (VECTORS[:, :2] + 0.3 * RNG.normal(size=(300, 2))).astype(np.float32)


@pytest.mark.parametrize("k", [1, 5, 15, 60])
def test_trustworthiness_is_that_of_scikit_learn(k: int) -> None:
    found = trust(VECTORS, POINTS, k=k)
    assert found.trustworthiness == pytest.approx(
        trustworthiness(VECTORS, POINTS, n_neighbors=k, metric="cosine"), abs=1e-6
    )
    assert (found.k, found.n) == (k, 300)


def test_overlap_is_the_share_of_true_neighbours() -> None:
    high, low = nearest(VECTORS, 7).indices, nearest(POINTS, 7, metric="euclid").indices
    shared = np.mean([len(set(a) & set(b)) / 7 for a, b in zip(high, low, strict=True)])
    assert trust(VECTORS, POINTS, k=7).overlap == pytest.approx(shared)


def test_a_perfect_map_is_trusted_and_a_shuffled_one_is_not() -> None:
    flat = np.linspace(0.1, 1.4, 200)
    vectors = np.stack([np.cos(flat), np.sin(flat)], axis=1).astype(np.float32)
    points = np.stack([flat, flat], axis=1).astype(np.float32)
    assert trust(vectors, points, k=10).trustworthiness > 0.999
    assert trust(vectors, RNG.permutation(points), k=10).trustworthiness < 0.6


def test_many_points_are_asked_in_a_sample_that_is_said_and_repeats() -> None:
    found = trust(VECTORS, POINTS, sample=100)
    assert found.n == 100
    assert found == trust(VECTORS, POINTS, sample=100)
    assert found != trust(VECTORS, POINTS, sample=100, seed=1)
    assert found.trustworthiness == pytest.approx(trust(VECTORS, POINTS).trustworthiness, abs=0.03)
    assert "over 100 points" in str(found)


def test_rows_without_a_vector_are_left_out() -> None:
    vectors = VECTORS.copy()
    vectors[:10] = np.nan
    assert trust(vectors, POINTS) == trust(VECTORS[10:], POINTS[10:])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_points_cannot_be_judged(count: int) -> None:
    found = trust(VECTORS[:count], POINTS[:count])
    assert np.isnan(found.trustworthiness)
    assert np.isnan(found.overlap)


def test_few_points_are_asked_for_fewer_neighbours() -> None:
    assert trust(VECTORS[:10], POINTS[:10]).k == 4


def test_points_at_one_place_are_counted_once() -> None:
    points = POINTS.copy()
    points[:100] = points[0]
    found = trust(VECTORS, points)
    assert 0 < found.trustworthiness < 1


def test_another_number_of_points_is_refused() -> None:
    with pytest.raises(ll.EmbeddingError, match="a point for each of the 300 vectors; got 2"):
        trust(VECTORS, POINTS[:2])
