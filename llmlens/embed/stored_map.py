"""Maps that were made before, in the cache of vectors."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from .cache import Cache
from .layout import has_gpu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .encoder import Vectors

_FORMAT = 1


class StoredMap:
    """The place in the cache of the map that is made of these arrays and this seed; without a cache it stays empty."""

    def __init__(self, cache: bool | Cache, made_of: Sequence[NDArray[np.generic]], seed: int) -> None:
        """Name the map."""
        self._store = Cache() if cache is True else cache or None
        if self._store is None:
            return
        by = "cuml" if has_gpu() else f"umap-learn {version('umap-learn')}"
        self._name = f"map-{_FORMAT} by {by} seed={seed}"
        digest = hashlib.blake2b(digest_size=16)
        for array in made_of:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        self._key = digest.digest()

    def get(self) -> Vectors | None:
        """Give its points, (rows, 2); None where it was not made yet."""
        found = {} if self._store is None else self._store.get(self._name, [self._key])
        return found[self._key].reshape(-1, 2) if found else None

    def put(self, points: Vectors) -> None:
        """Keep its points."""
        if self._store is not None:
            self._store.put(self._name, [self._key], points.reshape(1, -1))
