"""Groups are looked for once: of the same vectors and seed they come from the cache, unless it is damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from llmlens.compare.clusters import stored_groups as module
from llmlens.compare.clusters.grouping import groups
from llmlens.compare.clusters.stored_groups import stored_groups
from llmlens.embed import Cache

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VECTORS = np.vstack(
    [np.eye(6)[k] * 5 + np.random.default_rng(k).normal(scale=0.2, size=(30 - k, 6)) for k in range(3)]
    + [np.full((1, 6), np.nan)]
).astype(np.float32)


@pytest.fixture(autouse=True)
def looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds with which groups were looked for; the cache is empty."""
    monkeypatch.setenv("LLMLENS_CACHE", str(tmp_path / "cache"))
    looked: list[int] = []

    def look(vectors: NDArray[np.float32], *, seed: int = 0) -> NDArray[np.int64]:
        looked.append(seed)
        return groups(vectors, seed=seed)

    monkeypatch.setattr(module, "groups", look)
    return looked


def test_the_second_time_nothing_is_looked_for(looks: list[int]) -> None:
    first = stored_groups(VECTORS)
    again = stored_groups(VECTORS.copy())
    assert looks == [0]
    assert again.dtype == first.dtype == np.int64
    assert again.tolist() == first.tolist() == groups(VECTORS).tolist()
    assert set(first.tolist()) == {-1, 0, 1, 2}


def test_other_vectors_and_another_seed_are_looked_into(looks: list[int]) -> None:
    stored_groups(VECTORS)
    moved = VECTORS.copy()
    moved[0, 0] += 1
    stored_groups(moved)
    stored_groups(VECTORS[:-1])
    stored_groups(VECTORS, seed=1)
    assert looks == [0, 0, 0, 1]


def test_without_a_cache_they_are_looked_for_every_time(looks: list[int]) -> None:
    for _ in range(2):
        stored_groups(VECTORS, cache=False)
    assert looks == [0, 0]
    assert Cache().size() == 0


@pytest.mark.parametrize("value", [0.5, -2.0, 7.0, np.nan])
def test_what_can_be_no_groups_is_looked_for_anew(value: float, looks: list[int]) -> None:
    found = stored_groups(VECTORS)
    with closing(sqlite3.connect(Cache().where())) as connection, connection:
        connection.execute("UPDATE vectors SET vector = ?", (np.full(len(VECTORS), value, dtype="<f4").tobytes(),))
    assert stored_groups(VECTORS).tolist() == found.tolist()
    assert stored_groups(VECTORS).tolist() == found.tolist()
    assert looks == [0, 0]


def test_a_cache_that_is_none_is_done_without(looks: list[int]) -> None:
    Cache().folder.mkdir(parents=True)
    Cache().where().write_bytes(b"no database at all, but long enough to look like one" * 100)
    assert stored_groups(VECTORS).tolist() == groups(VECTORS).tolist()
    assert looks == [0]
