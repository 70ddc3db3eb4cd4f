"""The first picture: two principal components, which are there at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .decomposition import directions_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .encoder import Vectors

_FITTED_ON = 20_000
#: The side of the square that the picture fills; UMAP begins in one of this size too.
SIDE = 10.0


def usable(vectors: Vectors) -> NDArray[np.bool_]:
    """Say which rows are vectors: those with numbers and without a NaN or an infinite one."""
    return np.asarray(np.isfinite(vectors).all(axis=1) & (vectors.shape[1] > 0))


def first_picture(vectors: Vectors, seed: int = 0) -> Vectors:
    """Give two principal components of each row, in a square of side 10; NaN where a row is no vector.

    Of any number of rows and dimensions, also none; what does not vary is 0. Beyond 20,000 rows the components are
    those of a sample.
    """
    points = np.full((len(vectors), 2), np.nan, dtype=np.float32)
    there = usable(vectors)
    known = np.asarray(vectors[there], dtype=np.float32)
    points[there] = 0
    count = min(2, *known.shape)
    if not count:
        return points
    rows = known
    if len(known) > _FITTED_ON:
        rows = known[np.sort(np.random.default_rng(seed).choice(len(known), _FITTED_ON, replace=False))]
    middle = rows.mean(axis=0)
    _, directions = directions_of(rows - middle, count, seed)
    components = (known - middle) @ directions.T
    extent = np.abs(components).max(initial=0)
    if extent > 1e-5 * np.abs(middle).max(initial=0):  # else it is rounding
        points[there, : components.shape[1]] = components * (SIDE / 2 / extent)
    return points
