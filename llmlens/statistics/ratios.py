"""The ratio of two sums, such as all that was spent over what was achieved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .estimate import Estimate, Z
from .resampling import resampled_moments

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]


def ratio_of_sums(above: Floats, below: Floats, random: np.random.Generator) -> Estimate:
    """Estimate sum(above) / sum(below) over units, by the symmetric studentised bootstrap.

    Units are drawn again whole, and each drawn ratio is seen in units of its own standard error, that of the residuals
    above - ratio * below: Cochran (1977), Sampling Techniques, section 6.4; Hall (1988), On symmetric bootstrap
    confidence intervals, J. R. Statist. Soc. B 50, 35-45. The p-value is not asked for and NaN.

    The value is NaN where the sum below is 0; the interval is where the units do not differ, are less than two, or
    draws often have a sum of 0 below.
    """
    n, total = len(above), float(below.sum())
    if not total > 0:
        return Estimate.unsure()
    ratio = float(above.sum()) / total
    if n < 2:
        return Estimate.unsure(ratio)
    residuals = above - ratio * below
    mean = below.mean()
    error = math.sqrt(residuals.var(ddof=1) / n) / mean
    if not error > 1e-10 * abs(ratio):
        return Estimate.unsure(ratio)
    # The variance of the sum tells the covariance, which the variance of a drawn residual takes.
    columns = np.column_stack((residuals, below, residuals + below))
    means, variances = resampled_moments(columns, random)
    drawn_below = mean + means[:, 1]
    shift = np.divide(means[:, 0], drawn_below, out=np.zeros(len(means)), where=drawn_below > 0)
    covariance = (variances[:, 2] - variances[:, 0] - variances[:, 1]) / 2
    spread = variances[:, 0] - 2 * shift * covariance + shift**2 * variances[:, 1]
    usable = (drawn_below > 0) & (spread > 1e-12 * residuals.var() / n)
    if usable.mean() < 0.95:
        return Estimate.unsure(ratio)
    pivots = np.abs(shift[usable]) * drawn_below[usable] / np.sqrt(spread[usable])
    half = max(float(np.quantile(pivots, 0.95)), Z) * error
    return Estimate(ratio, ratio - half, ratio + half, math.nan)
