"""The intervals of one sample: of its mean, and of a quantile of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .estimate import Estimate
from .means import sum_of_means

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

#: With fewer values than these nothing is said of how far a mean may be off.
LEAST = 10
#: Of more than twice as many values, means of random blocks are drawn again: see `resampled_moments`.
_BLOCKS = 150


def mean_interval(values: Floats, seed: int = 0) -> Estimate:
    """Estimate the mean of values, with the interval of `sum_of_means`; below ten values the mean alone is given."""
    if not len(values):
        return Estimate.unsure()
    if len(values) < LEAST:
        return Estimate.unsure(float(values.mean()))
    random, size = np.random.default_rng(seed), len(values) // _BLOCKS
    if size < 2:
        return sum_of_means([(1.0, values)], random)
    blocks = random.permutation(values)[: _BLOCKS * size].reshape(_BLOCKS, size).mean(axis=1)
    found, value = sum_of_means([(1.0, blocks)], random), float(values.mean())
    half = found.high - found.value
    return Estimate(value, value - half, value + half, found.p)


def quantile_interval(values: Floats, level: float) -> tuple[float, float, float]:
    """Give a quantile and its 95 % interval between two order statistics, which holds for any distribution.

    Nothing is said of a quantile that no value is expected beyond: P5 needs 20 values, P99 needs 100. A bound is NaN
    where no order statistic can be it: of P5 the lower one below 72 values. The quantile is Hazen's (Hyndman and Fan
    1996, definition 5); the interval is that of Conover (1999), Practical Nonparametric Statistics, section 3.2.

    >>> quantile_interval(np.arange(100.0), 0.5)
    (49.5, 39.0, 60.0)
    """
    n = len(values)
    if n * min(level, 1 - level) < 1 - 1e-9:
        return math.nan, math.nan, math.nan
    from scipy.stats import binom

    ordered = np.sort(values)
    low, high = int(binom.ppf(0.025, n, level)), int(binom.ppf(0.975, n, level)) + 1
    return (
        float(np.quantile(ordered, level, method="hazen")),
        float(ordered[low - 1]) if low >= 1 else math.nan,
        float(ordered[high - 1]) if high <= n else math.nan,
    )
