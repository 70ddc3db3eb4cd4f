"""Quantiles of weighted values, and the interval of the difference of two."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .estimate import Estimate, Z, two_sided

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]


_NORMAL = NormalDist()


class Distribution:
    """The empirical distribution of weighted values, which can be asked for quantiles."""

    def __init__(self, values: Floats, weights: Floats) -> None:
        """Sort the values; weights need not sum to 1."""
        order = np.argsort(values, kind="stable")
        self._values = values[order]
        shares = weights[order] / weights.sum()
        self._levels: Floats = np.cumsum(shares) - shares / 2

    def quantile(self, level: npt.ArrayLike) -> Floats:
        """Give the quantiles at `level`, between the neighbours by line.

        Of equal weights they are Hazen's: Hyndman and Fan (1996), Sample quantiles in statistical packages, The
        American Statistician 50, 361-365, definition 5.
        """
        return np.asarray(np.interp(np.asarray(level, dtype=float), self._levels, self._values))


def difference_of_quantiles(
    level: float, a: Distribution, b: Distribution, shift_a: Floats, shift_b: Floats
) -> Estimate:
    """Estimate how much higher the quantile of b is than that of a.

    `shift_a` and `shift_b` are draws of how far the share below each quantile is from `level` in a sample of this
    design (a bootstrap of the indicator "at or below the quantile"; drawn together where samples are paired). The
    quantiles at the drawn levels are the draws of the quantiles: of one simple sample these are the order statistics
    of the exact interval for a quantile. Woodruff (1952), Confidence intervals for medians and other position
    measures, J. Am. Stat. Assoc. 47, 635-646. The interval is bias-corrected, for draws whose median is not the value:
    Efron (1981), Nonparametric standard errors and confidence intervals, Canadian J. Statistics 9, 139-172. The p-value
    is that of the interval that just reaches 0; where no draw does, that of the normal distribution if it is smaller
    than one draw.
    """
    value = float(b.quantile(level) - a.quantile(level))
    drawn = b.quantile(level + shift_b) - a.quantile(level + shift_a)
    n = len(drawn)
    bias = _deviate(((drawn < value).sum() + (drawn <= value).sum()) / 2, n)
    ends = [_NORMAL.cdf(2 * bias + side * Z) for side in (-1, 1)]
    low, high = (float(bound) for bound in np.quantile(drawn, ends))
    if not high > low:
        return Estimate.unsure(value)
    below, above = int((drawn <= 0).sum()), int((drawn >= 0).sum())
    if below and above:
        p = two_sided(_deviate((below + n - above) / 2, n) - 2 * bias)
    else:
        p = min(2 / (n + 1), two_sided(value / ((high - low) / (2 * Z))))
    return Estimate(value, low, high, p)


def _deviate(below: float, n: int) -> float:
    """Give the normal deviate that as large a share of draws is below; none is farther off than the draws can tell."""
    return _NORMAL.inv_cdf((below + 0.5) / (n + 1))
