"""Where on a map the one window has more points than the other: two densities on a grid, and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import wire
from .drift_map_windows import AFTER, BEFORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CELLS = 96
_SMOOTH = 2.5  # cells
_MARGIN, _WIDER = 0.06, 0.2
#: Cells with less than this share of the largest difference are noise to the eye.
_QUIET = 0.01


def extent(places: NDArray[np.float32], share: float = _MARGIN) -> tuple[float, float, float, float]:
    """Give left, right, bottom and top of a map, with a margin of a share of its size."""
    low, high = places.min(axis=0), places.max(axis=0)
    margin = np.maximum((high - low) * share, 1e-3)
    (left, bottom), (right, top) = low - margin, high + margin
    return float(left), float(right), float(bottom), float(top)


def density_difference(places: NDArray[np.float32], window: NDArray[np.uint8]) -> dict[str, Any] | None:
    """Give a grid of -127 (more before) to 127 (more after), row by row from the bottom; None without two windows.

    Each window counts as much as the other, however many points it has.
    """
    from scipy.ndimage import gaussian_filter

    old, new = places[window == BEFORE], places[window == AFTER]
    if not len(old) or not len(new):
        return None
    left, right, bottom, top = around = extent(places, _WIDER)
    ranges = [[bottom, top], [left, right]]
    grids = [
        gaussian_filter(np.histogram2d(each[:, 1], each[:, 0], bins=_CELLS, range=ranges)[0] / len(each), _SMOOTH)
        for each in (old, new)
    ]
    difference = grids[AFTER] - grids[BEFORE]
    largest = float(np.abs(difference).max())
    scaled = difference / largest if largest > 0 else difference
    scaled[np.abs(scaled) < _QUIET] = 0
    return {"cells": wire.packed(np.round(127 * scaled).astype(np.int8)), "size": _CELLS, "extent": list(around)}
