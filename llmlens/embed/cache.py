"""Vectors on disk, by the text's hash and the encoder's name: what was computed or paid for once is there.

One SQLite file that any number of processes may use; what was put is there after a crash. The texts are never in it,
but vectors say something of their texts: the folder is the user's own.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .encoder import Vectors

_TABLES = """
CREATE TABLE IF NOT EXISTS encoders (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS vectors (encoder INTEGER NOT NULL, text BLOB NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (encoder, text));
"""
_BUSY_S = 30.0
_AT_ONCE = 500


def text_key(text: str) -> bytes:
    """Give the hash by which a text is known."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()


class Cache:
    """A cache of vectors in a folder: `LLMLENS_CACHE`, else the user's own for caches.

    Raises `EmbeddingError` where the file cannot be read or written.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        """Name the folder; nothing is made before something is put."""
        self.folder = Path(folder).expanduser() if folder is not None else default_folder()

    def where(self) -> Path:
        """Say which file it is."""
        return self.folder / "embeddings.sqlite"

    def size(self) -> int:
        """Give the bytes it takes on disk."""
        return sum(path.stat().st_size for path in self._files())

    def clear(self, name: str | None = None) -> None:
        """Forget everything, or what the encoder of this name made."""
        if name is None:
            for path in self._files():
                path.unlink(missing_ok=True)
        elif self.where().exists():
            with self._open() as connection:
                known = "(SELECT id FROM encoders WHERE name = ?)"
                connection.execute(f"DELETE FROM vectors WHERE encoder IN {known}", (name,))
                connection.execute("DELETE FROM encoders WHERE name = ?", (name,))

    def get(self, name: str, keys: Sequence[bytes]) -> dict[bytes, Vectors]:
        """Give the vectors that are known, by key."""
        found: dict[bytes, Vectors] = {}
        if not self.where().exists():
            return found
        with self._open() as connection:
            encoder = connection.execute("SELECT id FROM encoders WHERE name = ?", (name,)).fetchone()
            for first in range(0, len(keys) if encoder else 0, _AT_ONCE):
                part = keys[first : first + _AT_ONCE]
                marks = ", ".join("?" * len(part))
                query = f"SELECT text, vector FROM vectors WHERE encoder = ? AND text IN ({marks})"
                rows = connection.execute(query, (*encoder, *part))
                found.update((text, np.frombuffer(vector, dtype="<f4")) for text, vector in rows)
        return found

    def put(self, name: str, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Keep vectors, a row a key: all of them, or none when it fails."""
        with self._open() as connection:
            connection.execute("INSERT OR IGNORE INTO encoders (name) VALUES (?)", (name,))
            (encoder,) = connection.execute("SELECT id FROM encoders WHERE name = ?", (name,)).fetchone()
            rows = ((encoder, key, row.astype("<f4").tobytes()) for key, row in zip(keys, vectors, strict=True))
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.where().name}*"))  # SQLite's journals are beside it

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction; nothing stays open, so that processes may fork."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.where(), timeout=_BUSY_S)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(_TABLES)
                with connection:
                    yield connection
        except (sqlite3.Error, OSError) as error:
            raise EmbeddingError(
                f"The cache {self.where()} cannot be used: {error}. Name another folder in LLMLENS_CACHE, go without "
                "it by cache=False, or remove the file (llmlens.embed.Cache().clear()): what it holds must then be "
                "computed again."
            ) from None

    def __repr__(self) -> str:
        """Say where it is, how large, and how to empty it."""
        return f"<cache of vectors, {self.size() / 1e6:,.1f} MB in {self.where()}; clear() empties it>"


def default_folder() -> Path:
    """Give the folder for caches: LLMLENS_CACHE, else the user's own."""
    import platformdirs

    named = os.environ.get("LLMLENS_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("llmlens", appauthor=False)
