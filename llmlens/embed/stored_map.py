"""Maps that were made before, in the cache of vectors."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from .layout import has_gpu
from .stored_array import StoredArray

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .cache import Cache
    from .encoder import Vectors

_FORMAT = 1


def stored_map(cache: bool | Cache, vectors: Vectors, chosen: NDArray[np.int64], seed: int) -> StoredArray:
    """Give the place of the map that is made of the `chosen` of these vectors: a point a vector, (rows, 2)."""
    by = "cuml" if has_gpu() else f"umap-learn {version('umap-learn')}"
    return StoredArray(cache, f"map-{_FORMAT} by {by} seed={seed}", (vectors, chosen), (len(vectors), 2))
