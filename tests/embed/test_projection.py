"""The map: there for any input, the same for the same input, and it never jumps."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

import llmlens as ll
from llmlens.embed import Cache, Projection, trust
from llmlens.embed import projection as projection_module
from llmlens.embed.layout import on_cpu
from llmlens.embed.neighbours import nearest

RNG = np.random.default_rng(3)


def groups(count: int, of: int = 4, dimensions: int = 16, seed: int = 3) -> np.ndarray:
    """Give points around a few centres."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(of, dimensions)) * 3
    return (centres[np.arange(count) % of] + rng.normal(size=(count, dimensions))).astype(np.float32)


VECTORS = groups(400)


@pytest.fixture(scope="module")
def made() -> Projection:
    return Projection.fit(VECTORS, cache=False)


def test_groups_stay_together(made: Projection) -> None:
    assert made.points.shape == (400, 2)
    assert made.points.dtype == np.float32
    near = nearest(made.points - made.points.mean(axis=0), 5, metric="euclid").indices
    assert (near % 4 == np.arange(400)[:, None] % 4).mean() > 0.98
    assert trust(VECTORS, made.points).trustworthiness > 0.9
    assert made.notes == ("UMAP of 400 vectors, by umap-learn.",)


def test_the_same_vectors_and_seed_give_the_same_map(made: Projection) -> None:
    np.testing.assert_array_equal(Projection.fit(VECTORS, cache=False).points, made.points)
    assert not np.array_equal(Projection.fit(VECTORS, seed=1, cache=False).points, made.points)


def test_new_vectors_are_placed_among_their_like_and_the_map_stays(made: Projection) -> None:
    before = made.points.copy()
    new = groups(40, seed=9)
    placed = made.transform(new)
    np.testing.assert_array_equal(made.points, before)
    near = nearest(made.points, 3, placed, metric="euclid").indices
    assert (near % 4 == np.arange(40)[:, None] % 4).mean() > 0.95


def test_the_points_cannot_be_changed(made: Projection) -> None:
    with pytest.raises(ValueError, match="read-only"):
        made.points[0] = 0


def test_a_vector_of_the_map_is_placed_where_it_is(made: Projection) -> None:
    np.testing.assert_allclose(made.transform(VECTORS), made.points, atol=1e-4)


def test_each_is_placed_for_itself(made: Projection) -> None:
    new = groups(30, seed=9)
    together = made.transform(new)
    alone = np.concatenate([made.transform(new[n : n + 1]) for n in range(30)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_vectors_of_another_size_are_refused(made: Projection) -> None:
    with pytest.raises(ll.EmbeddingError, match=r"with 16 dimensions; got 5.*the same encoder"):
        made.transform(np.ones((3, 5), dtype=np.float32))


@pytest.mark.parametrize("dimensions", [1, 2, 5])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 10, 11, 16, 40])
def test_any_number_of_points_gives_a_picture(count: int, dimensions: int) -> None:
    vectors = RNG.normal(size=(count, dimensions)).astype(np.float32)
    made = Projection.fit(vectors)
    assert made.points.shape == (count, 2)
    assert np.isfinite(made.points).all()
    assert Projection.preview(vectors).shape == (count, 2)
    assert made.transform(vectors).shape == (count, 2)
    assert np.isfinite(made.transform(RNG.normal(size=(4, dimensions)).astype(np.float32))).all()


@pytest.mark.parametrize(
    "vectors",
    [np.ones((50, 8)), np.zeros((50, 8)), np.outer(np.arange(1, 40), np.ones(3)), np.eye(30), np.eye(12)[[0, 1] * 20]],
    ids=["identical", "all zero", "a line", "all apart", "two spots"],
)
def test_strange_vectors_give_a_picture(vectors: np.ndarray) -> None:
    points = Projection.fit(vectors.astype(np.float32)).points
    assert np.isfinite(points).all()
    assert np.isfinite(Projection.preview(vectors.astype(np.float32))).all()


def test_equal_vectors_are_one_point_and_do_not_crowd_out_others() -> None:
    vectors = np.concatenate([np.repeat(VECTORS[:1], 300, axis=0), VECTORS])
    made = Projection.fit(vectors)
    assert (made.points[:301] == made.points[0]).all()
    assert made.notes[0].startswith("UMAP of 400 vectors")


def test_rows_without_a_vector_are_not_on_the_map_and_counted() -> None:
    vectors = VECTORS.copy()
    vectors[[3, 7]] = np.nan
    vectors[9, 0] = np.inf
    made = Projection.fit(vectors)
    assert np.flatnonzero(np.isnan(made.points).any(axis=1)).tolist() == [3, 7, 9]
    assert "3 of 400 rows have no vector and are not on the map." in made.notes
    assert np.isnan(made.transform(vectors[:4])).any(axis=1).tolist() == [False, False, False, True]
    assert np.isnan(Projection.preview(vectors)).any(axis=1).sum() == 3


def test_nothing_but_missing_vectors_gives_an_empty_map() -> None:
    made = Projection.fit(np.full((5, 3), np.nan, dtype=np.float32))
    assert np.isnan(made.points).all()
    assert made.transform(np.ones((2, 3), dtype=np.float32)).shape == (2, 2)
    assert Projection.fit(np.zeros((4, 0), dtype=np.float32)).points.shape == (4, 2)


def test_beyond_the_limit_the_others_are_placed_by_their_neighbours() -> None:
    vectors = groups(1_500)
    strata = ["rare" if n < 3 else "common" for n in range(1_500)]
    made = Projection.fit(vectors, strata, limit=500)
    assert "1,000 points were placed by their neighbours among 500." in made.notes
    assert np.isfinite(made.points).all()
    near = nearest(made.points, 5, made.points + 1e-3, metric="euclid").indices
    assert (near % 4 == np.arange(1_500)[:, None] % 4).mean() > 0.95


def test_strata_of_another_length_and_what_is_no_matrix_are_refused() -> None:
    with pytest.raises(ll.EmbeddingError, match="a label for each of the 400 vectors; got 2"):
        Projection.fit(VECTORS, ["a", "b"])
    with pytest.raises(ll.EmbeddingError, match=r"as a matrix.*shape \(3,\)"):
        Projection.fit(np.ones(3, dtype=np.float32))


def test_progress_is_told_in_order_and_to_the_end() -> None:
    told: list[tuple[float, str]] = []
    Projection.fit(VECTORS, cache=False, limit=300, progress=lambda share, part: told.append((share, part)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert list(dict.fromkeys(part for _, part in told)) == ["neighbours", "layout", "placing"]
    assert len({share for share, part in told if part == "layout"}) > 100


@pytest.mark.parametrize("after", [0.0, 0.15, 0.5])
def test_it_can_be_cancelled_at_any_time_and_keeps_nothing(after: float) -> None:
    cancel = threading.Event()
    told: list[float] = []

    def progress(share: float, _: str) -> None:
        told.append(share)
        if share >= after:
            cancel.set()

    with pytest.raises(CancelledError, match="cancelled"):
        Projection.fit(VECTORS, progress=progress, cancel=cancel)
    assert told[-1] < after + 0.3
    assert Cache().size() == 0


def test_a_map_that_was_made_before_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Projection.fit(VECTORS, limit=300)
    monkeypatch.setattr(projection_module, "on_cpu", lambda *_, **__: pytest.fail("it was made again"))
    again = Projection.fit(VECTORS, limit=300)
    np.testing.assert_array_equal(first.points, again.points)
    assert first.notes == again.notes
    new = groups(5, seed=5)
    np.testing.assert_array_equal(first.transform(new), again.transform(new))


def test_a_stored_map_is_the_one_that_was_made_or_none() -> None:
    strata = ["a", "b"] * 200
    assert Projection.stored(VECTORS, strata, limit=300) is None
    first = Projection.fit(VECTORS, strata, limit=300)
    found = Projection.stored(VECTORS, strata, limit=300)
    assert found is not None
    np.testing.assert_array_equal(found.points, first.points)
    np.testing.assert_array_equal(found.transform(VECTORS[:5]), first.transform(VECTORS[:5]))
    assert found.notes == first.notes
    assert Projection.stored(VECTORS, strata, limit=300, seed=1) is None
    assert Projection.stored(VECTORS, strata, limit=300, cache=False) is None


def test_another_seed_limit_or_vector_is_another_map() -> None:
    Projection.fit(VECTORS[:50])
    size = len({Projection.fit(VECTORS[:50], seed=seed, limit=limit).points.tobytes()
                for seed in (0, 1) for limit in (50, 40)})  # fmt: skip
    assert size == 4
    other = VECTORS[:50].copy()
    other[0, 0] += 1
    assert not np.array_equal(Projection.fit(other).points, Projection.fit(VECTORS[:50]).points)


def test_the_preview_is_two_principal_components() -> None:
    vectors = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    got = Projection.preview(VECTORS)
    assert np.abs(got).max() == pytest.approx(5, abs=1e-3)
    for axis in range(2):
        assert abs(np.corrcoef(got[:, axis], expected[:, axis])[0, 1]) > 0.9999


def test_the_layout_begins_where_the_preview_is() -> None:
    begin = Projection.preview(VECTORS)
    points = on_cpu(nearest(VECTORS, 14), begin, 0)
    for axis in range(2):
        before, after = ([each[group::4, axis].mean() for group in range(4)] for each in (begin, points))
        assert np.corrcoef(before, after)[0, 1] > 0.7
