"""The spread of values of which some are odd."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

#: Beyond so many values evenly chosen ones are compared: pairs are as many as the square.
_MOST = 2_000


def qn_scale(values: Floats) -> float:
    """Estimate the standard deviation by Qn: nearly half of the values may be odd, and 82 % of them are put to use.

    The first quartile of the distances of all pairs, made consistent for normal values, with the correction for few
    values. Rousseeuw and Croux (1993), Alternatives to the median absolute deviation, J. Am. Stat. Assoc. 88,
    1273-1283; the median absolute deviation has the same breakdown point, but puts only 37 % of the values to use.

    NaN for less than two values.
    """
    if len(values) > _MOST:
        values = np.sort(values)[np.linspace(0, len(values) - 1, _MOST).astype(int)]
    n = len(values)
    if n < 2:
        return float("nan")
    half = n // 2 + 1
    place = half * (half - 1) // 2 - 1
    above, right = np.triu_indices(n, 1)
    distance = np.partition(np.abs(values[above] - values[right]), place)[place]
    correction = n / (n + 1.4) if n % 2 else n / (n + 3.8)
    return float(2.2219 * distance * correction)
