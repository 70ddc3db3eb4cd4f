"""What the test would have seen: the smallest change that it finds four times out of five."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from .permutation import Shifts

_ALPHA = 0.05
_POWER = 0.8
_TRIES = 60
_FARTHEST = 20.0


def detectable(
    shifts: Mapping[str, Shifts], views: Mapping[str, NDArray[np.float64]], strata: Collection[int] | None, seed: int
) -> float | None:
    """Give the least separation (area under the ROC curve) that one view finds at 5 % with a power of 80 %.

    Each permutation is shifted along a direction drawn at random; found by bisection in the size of the shift. The area
    of a shift of d standard deviations is that of normal distributions, Phi(d / sqrt 2).
    """
    from scipy.special import ndtr

    least = _FARTHEST
    for name, each in shifts.items():
        found = each.mean(strata)
        if found is None or not views[name].shape[1]:
            continue
        weight, means = found[0][1:], found[1][1:]
        statistic = weight * (means**2).sum(axis=1)
        threshold = np.quantile(statistic, 1 - _ALPHA)
        directions = np.random.default_rng(seed).standard_normal(means.shape)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        along = (means * directions).sum(axis=1)
        low, high = 0.0, _FARTHEST
        for _ in range(_TRIES):
            size = (low + high) / 2
            power = (statistic + 2 * weight * size * along + weight * size**2 >= threshold).mean()
            low, high = (low, size) if power >= _POWER else (size, high)
        # A direction of the whitened view is shorter than a standard deviation, by the ridge.
        least = min(least, high / float(np.median(views[name].std(axis=0))))
    return float(ndtr(least / np.sqrt(2))) if least < _FARTHEST else None
