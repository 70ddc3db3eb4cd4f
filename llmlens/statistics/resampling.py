"""The bootstrap: drawing units again, with replacement, to see how far an estimate could have been off."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

DRAWS = 2_000
#: Beyond twice as many units, means of random blocks are drawn instead of single units.
_BLOCKS = 500


def resampled_moments(values: Floats, random: np.random.Generator, draws: int = DRAWS) -> tuple[Floats, Floats]:
    """Draw units again and give, for each draw, the means of the columns and the variances of those means.

    `values` has a row a unit; both results have a row a draw. Columns are drawn together, so what belongs to one unit
    stays together. Means are about the mean of all, which is subtracted. Of many units, means of random blocks of equal
    size are drawn: to the order of 1/n they have the variance and the skewness of the mean, at a fixed price.

    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 6 and 12.
    """
    units = _blocks(values, random)
    units = units - units.mean(axis=0)
    n = len(units)
    chosen = random.integers(n, size=(draws, n), dtype=np.int32)
    means, variances = np.empty((draws, units.shape[1])), np.empty((draws, units.shape[1]))
    for column, unit in enumerate(units.T):
        drawn = unit[chosen]
        means[:, column] = drawn.mean(axis=1)
        squares = np.einsum("ij,ij->i", drawn, drawn) / n
        variances[:, column] = np.maximum(squares - means[:, column] ** 2, 0) / max(n - 1, 1)
    return means, variances


def percentile_interval(
    units: Floats, statistic: Callable[[Floats], float], *, draws: int, seed: int, coverage: float = 0.95
) -> tuple[float, float]:
    """Give the percentile interval of any statistic of units (rows); NaN when many draws tell nothing.

    Efron and Tibshirani (1993), chapter 13.
    """
    random = np.random.default_rng(seed)
    found = np.array([statistic(units[random.integers(len(units), size=len(units))]) for _ in range(draws)])
    told = found[~np.isnan(found)]
    if len(told) < coverage * draws:
        return np.nan, np.nan
    low, high = np.quantile(told, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _blocks(values: Floats, random: np.random.Generator) -> Floats:
    size = len(values) // _BLOCKS
    if size < 2:
        return values
    kept = random.permutation(len(values))[: _BLOCKS * size]
    blocks: Floats = values[kept].reshape(_BLOCKS, size, -1).mean(axis=1)
    return blocks
