"""The cache keeps vectors by text and encoder, over crashes and between processes, and never a text."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

import llmlens as ll
from llmlens.embed import Cache
from llmlens.embed.cache import text_key

if TYPE_CHECKING:
    from pathlib import Path

VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)
KEYS = [text_key(text) for text in "abc"]


def test_what_was_put_is_there_for_the_next_one(cache_folder: Path) -> None:
    Cache().put("m", KEYS, VECTORS)
    found = Cache(cache_folder).get("m", [*KEYS, text_key("d")])
    assert list(found) == KEYS or set(found) == set(KEYS)
    np.testing.assert_array_equal(found[KEYS[1]], VECTORS[1])


def test_encoders_are_kept_apart() -> None:
    Cache().put("m", KEYS, VECTORS)
    assert Cache().get("n", KEYS) == {}


def test_a_vector_that_is_put_again_replaces_the_old_one() -> None:
    Cache().put("m", KEYS, VECTORS)
    Cache().put("m", KEYS[:1], VECTORS[2:])
    np.testing.assert_array_equal(Cache().get("m", KEYS)[KEYS[0]], VECTORS[2])


def test_asking_makes_no_file(cache_folder: Path) -> None:
    assert Cache().get("m", KEYS) == {}
    assert Cache().size() == 0
    Cache().clear("m")
    Cache().clear()
    assert not cache_folder.exists()


def test_it_says_where_it_is_how_large_and_how_to_empty_it(cache_folder: Path) -> None:
    cache = Cache()
    cache.put("m", KEYS, VECTORS)
    assert cache.where() == cache_folder / "embeddings.sqlite"
    assert cache.size() > 1_000
    assert str(cache.where()) in repr(cache)
    assert "clear() empties it" in repr(cache)


def test_clearing_empties_all_or_one_encoder() -> None:
    cache = Cache()
    for name in ("m", "n"):
        cache.put(name, KEYS, VECTORS)
    cache.clear("m")
    assert cache.get("m", KEYS) == {}
    assert len(cache.get("n", KEYS)) == 3
    cache.clear()
    assert cache.size() == 0
    assert cache.get("n", KEYS) == {}


def test_no_text_is_ever_in_it(cache_folder: Path) -> None:
    told = "the fish is a swordfish"
    Cache().put("m", [text_key(told)], VECTORS[:1])
    assert all(b"swordfish" not in path.read_bytes() for path in cache_folder.iterdir())


def test_a_batch_is_kept_whole_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="zip"):
        Cache().put("m", KEYS, VECTORS[:2])
    assert Cache().get("m", KEYS) == {}


def test_what_a_killed_process_had_put_is_there() -> None:
    program = """
import os, numpy as np
from llmlens.embed import Cache
from llmlens.embed.cache import text_key
Cache().put("m", [text_key("a")], np.ones((1, 2), dtype=np.float32))
os.kill(os.getpid(), 9)"""
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -9
    assert list(Cache().get("m", KEYS)) == KEYS[:1]


def test_many_write_at_once() -> None:
    def put(number: int) -> None:
        Cache().put("m", [text_key(f"{number}-{place}") for place in range(20)], np.full((20, 3), number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(40)))
    keys = [text_key(f"{number}-{place}") for number in range(40) for place in range(20)]
    found = Cache().get("m", keys)
    assert [int(found[key][0]) for key in keys[::20]] == list(range(40))


def test_a_damaged_file_is_named_and_can_be_cleared(cache_folder: Path) -> None:
    cache_folder.mkdir()
    Cache().where().write_bytes(b"no database at all, but long enough to look like one" * 100)
    with pytest.raises(ll.EmbeddingError, match=r"embeddings.sqlite cannot be used.*LLMLENS_CACHE.*cache=False.*clear"):
        Cache().get("m", KEYS)
    Cache().clear()
    Cache().put("m", KEYS, VECTORS)
    assert len(Cache().get("m", KEYS)) == 3


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ll.EmbeddingError, match="cannot be used"):
        Cache(tmp_path / "file" / "cache").put("m", KEYS, VECTORS)


def test_without_a_name_it_is_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLMLENS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "llmlens" in str(Cache().where())


def test_the_folder_is_the_users_own(cache_folder: Path) -> None:
    Cache().put("m", KEYS, VECTORS)
    if sys.platform != "win32":
        assert cache_folder.stat().st_mode & 0o077 == 0
