"""The interval of a weighted sum of means, such as the difference of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .estimate import Estimate, Z, two_sided
from .resampling import DRAWS, resampled_moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]


def sum_of_means(groups: Sequence[tuple[float, Floats]], random: np.random.Generator) -> Estimate:
    """Estimate the sum of `weight * mean` over independent groups of values, by the symmetric studentised bootstrap.

    Each group needs at least two values. The statistic is drawn again in units of its own standard error, and the
    interval is symmetric about the estimate: of skewed data it covers to the order of n⁻², where the percentiles of
    the draws cover to n⁻¹ and two unequal tails would be as uncertain as the skewness. Hall (1988), On symmetric
    bootstrap confidence intervals, J. R. Statist. Soc. B 50, 35-45. The p-value is the share of draws further out;
    where no draw is, that of the normal distribution if it is smaller than one draw.

    The interval is NaN where the values do not differ enough to draw one from.
    """
    value = sum(weight * float(values.mean()) for weight, values in groups)
    variance = sum(weight**2 * float(values.var(ddof=1)) / len(values) for weight, values in groups)
    scale = max(abs(weight) * float(np.abs(values).max()) for weight, values in groups)
    if not variance > (1e-10 * scale) ** 2:  # what is left of equal values after rounding is no spread
        return Estimate.unsure(value)
    shift, spread = np.zeros(DRAWS), np.zeros(DRAWS)
    for weight, values in groups:
        means, variances = resampled_moments(values[:, None], random)
        shift += weight * means[:, 0]
        spread += weight**2 * variances[:, 0]
    drawn = spread > 1e-12 * variance
    if drawn.mean() < 0.95:
        return Estimate.unsure(value)
    error = float(np.sqrt(variance))
    pivots = np.abs(shift[drawn]) / np.sqrt(spread[drawn])
    # Never less than the normal quantile: few distinct values can make draws that all but agree.
    half = max(float(np.quantile(pivots, 0.95)), Z) * error
    return Estimate(value, value - half, value + half, _p_value(abs(value) / error, pivots))


def _p_value(pivot: float, pivots: Floats) -> float:
    beyond = int((pivots >= pivot).sum())
    return (beyond + 1) / (len(pivots) + 1) if beyond else min(1 / (len(pivots) + 1), two_sided(pivot))
