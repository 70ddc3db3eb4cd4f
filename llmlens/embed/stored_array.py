"""What is computed of arrays and takes long, in the cache of vectors."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

from .cache import Cache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .encoder import Vectors

logger = logging.getLogger(__name__)


class StoredArray:
    """The place in the cache of what is made of these arrays; without a cache it stays empty.

    What was computed can be computed again: a cache that cannot be used is as good as none, and logged.
    """

    def __init__(
        self, cache: bool | Cache, name: str, made_of: Sequence[NDArray[np.generic]], shape: tuple[int, ...]
    ) -> None:
        """Name it: `name` says how it is made, with everything but the arrays that changes it; it has this shape."""
        self._store = Cache() if cache is True else cache or None
        self._name = name
        self._shape = shape
        digest = hashlib.blake2b(digest_size=16)
        for array in made_of if self._store is not None else ():
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).data)
        self._key = digest.digest()

    def get(self) -> Vectors | None:
        """Give it; None where it was not made yet, or is damaged."""
        if self._store is None:
            return None
        try:
            found = self._store.get(self._name, [self._key]).get(self._key)
            return None if found is None else found.reshape(self._shape)
        except (EmbeddingError, ValueError) as error:  # a value that was cut is no array, or none of this shape
            logger.warning("what was computed before is not read: %s", error)
            return None

    def put(self, made: NDArray[np.generic]) -> None:
        """Keep it, as numbers of 32 bits."""
        if self._store is None:
            return
        try:
            self._store.put(self._name, [self._key], np.asarray(made, dtype=np.float32).reshape(1, -1))
        except EmbeddingError as error:
            logger.warning("what was computed is not kept: %s", error)
