"""Singular vectors by random projection are those of the full decomposition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from llmlens.embed.decomposition import directions_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(200, 60), (60, 200), (5, 3), (1, 4), (4, 1)])
def test_they_are_those_of_the_full_decomposition(shape: tuple[int, int]) -> None:
    left, _ = np.linalg.qr(RNG.normal(size=(shape[0], min(shape))))
    right, _ = np.linalg.qr(RNG.normal(size=(shape[1], min(shape))))
    matrix = (left * 0.7 ** np.arange(min(shape))) @ right.T
    count = min(8, *shape)
    for given in (matrix.astype(np.float32), csr_matrix(matrix, dtype=np.float32)):
        strengths, directions = directions_of(given, count, 0)
        np.testing.assert_allclose(strengths, 0.7 ** np.arange(count), atol=1e-4)
        np.testing.assert_allclose(np.abs(np.sum(directions * right.T[:count], axis=1)), 1, atol=1e-3)


@pytest.mark.parametrize("rank", [0, 1, 3])
def test_there_are_no_more_than_the_rank_of_the_matrix(rank: int) -> None:
    matrix = (RNG.normal(size=(50, rank)) @ RNG.normal(size=(rank, 20))).astype(np.float32)
    strengths, directions = directions_of(matrix, 5, 0)
    assert directions.shape == (rank, 20)
    np.testing.assert_allclose(directions @ directions.T, np.eye(rank), atol=1e-4)
    np.testing.assert_allclose(strengths, np.linalg.svd(matrix, compute_uv=False)[:rank], rtol=1e-4)


def test_the_same_seed_gives_the_same_and_signs_are_fixed() -> None:
    matrix = RNG.normal(size=(100, 40)).astype(np.float32)
    first, second = directions_of(matrix, 5, 1)[1], directions_of(matrix, 5, 1)[1]
    np.testing.assert_array_equal(first, second)
    assert (first[np.arange(5), np.abs(first).argmax(axis=1)] > 0).all()
