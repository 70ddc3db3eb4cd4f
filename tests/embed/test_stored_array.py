"""What was computed of arrays comes back from the cache; of a cache that is damaged nothing does, and nothing fails."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from llmlens.embed import Cache
from llmlens.embed.stored_array import StoredArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

MADE_OF = np.arange(6, dtype=np.float32).reshape(3, 2)
FOUND = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32)


def place(*arrays: NDArray[np.generic], name: str = "what", cache: bool = True) -> StoredArray:
    return StoredArray(cache, name, arrays or (MADE_OF,), (3, 2))


def test_what_was_put_is_there_for_the_same_arrays() -> None:
    assert place().get() is None
    place().put(FOUND)
    np.testing.assert_array_equal(place(MADE_OF.copy()).get(), FOUND)


@pytest.mark.parametrize(
    "arrays", [(MADE_OF + 1,), (MADE_OF.reshape(2, 3),), (MADE_OF.astype(np.float64),), (MADE_OF, MADE_OF)]
)
def test_of_other_arrays_nothing_is_there(arrays: tuple[NDArray[np.generic], ...]) -> None:
    place().put(FOUND)
    assert place(*arrays).get() is None
    assert place(name="another").get() is None


def test_without_a_cache_nothing_is_kept() -> None:
    place(cache=False).put(FOUND)
    assert place(cache=False).get() is None
    assert Cache().size() == 0


@pytest.mark.parametrize("value", [b"", b"123", b"12345678", FOUND.tobytes() + b"1234"])
def test_a_value_that_was_cut_is_none(value: bytes, caplog: pytest.LogCaptureFixture) -> None:
    place().put(FOUND)
    with closing(sqlite3.connect(Cache().where())) as connection, connection:
        connection.execute("UPDATE vectors SET vector = ?", (value,))
    assert place().get() is None
    assert "what was computed before is not read" in caplog.text
    place().put(FOUND)
    np.testing.assert_array_equal(place().get(), FOUND)


def test_a_file_that_is_no_cache_holds_nothing_and_nothing_is_put_there(caplog: pytest.LogCaptureFixture) -> None:
    Cache().folder.mkdir(parents=True)
    Cache().where().write_bytes(b"no database at all, but long enough to look like one" * 100)
    with caplog.at_level(logging.WARNING):
        assert place().get() is None
        place().put(FOUND)
    assert place().get() is None
    assert "what was computed is not kept" in caplog.text
