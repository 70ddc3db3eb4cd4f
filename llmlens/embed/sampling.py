"""Samples that keep the shares of strata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def stratified(
    count: int, limit: int, strata: Sequence[object] | NDArray[np.generic] | None, seed: int
) -> NDArray[np.int64]:
    """Draw at most `limit` of `count` rows at random, each stratum by its share and none without one, in order."""
    import pandas as pd

    if count <= limit:
        return np.arange(count)
    shuffled = np.random.default_rng(seed).permutation(count)
    codes = np.zeros(count, dtype=np.int64) if strata is None else pd.factorize(np.asarray(strata, dtype=object))[0]
    of_stratum = pd.Series(codes[shuffled])
    size = of_stratum.map(of_stratum.value_counts())
    place = of_stratum.groupby(of_stratum).cumcount() / size  # from 0, the first of each, to 1
    return np.sort(shuffled[np.argsort(place.to_numpy(), kind="stable")[:limit]])
