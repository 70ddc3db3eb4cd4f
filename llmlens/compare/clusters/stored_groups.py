"""Groups that were found before, in the cache of vectors: to look for them takes longest of all that a map shows."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from llmlens.embed.stored_array import StoredArray

from .grouping import OUTLIER, groups

if TYPE_CHECKING:
    from llmlens.embed.cache import Cache
    from llmlens.embed.encoder import Vectors

    from .grouping import Labels

#: Grows when `grouping` is changed so that it finds other groups.
_FORMAT = 1


def stored_groups(vectors: Vectors, *, seed: int = 0, cache: bool | Cache = True) -> Labels:
    """Give what `groups` finds; of the same vectors and seed it is looked for once, then it comes from the cache."""
    name = f"groups-{_FORMAT} by scikit-learn {version('scikit-learn')} seed={seed}"
    store = StoredArray(cache, name, (vectors,), (len(vectors),))
    kept = store.get()
    if kept is not None and _are_groups(kept):
        return kept.astype(np.int64)
    found = groups(vectors, seed=seed)
    store.put(found)
    return found


def _are_groups(kept: Vectors) -> bool:
    """Say whether they are numbers from 0 on, without a gap, and outliers: a damaged file may hold anything."""
    numbers = np.unique(kept[kept != OUTLIER])
    return np.array_equal(numbers, np.arange(len(numbers)))
