"""Intervals of shares, which stay right where nearly all or nearly none are."""

from __future__ import annotations

import math
from typing import TypeAlias

from .estimate import Estimate, Z, two_sided

#: A share and the (effective) number that it is a share of.
Share: TypeAlias = tuple[float, float]


def wilson(share: float, n: float, z: float = Z) -> tuple[float, float]:
    """Give Wilson's score interval of a share among `n`, 95 % by default; `n` may be an effective number.

    Wilson (1927), Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22,
    209-212.
    """
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def difference_of_shares(a: Share, b: Share, correlation: float = 0.0) -> Estimate:
    """Estimate how much higher the share b is than the share a.

    The two Wilson intervals are joined as squared distances, less what pairs have in common (`correlation`): Newcombe
    (1998), Interval estimation for the difference between independent proportions, Statistics in Medicine 17, 873-890,
    method 10; for pairs the same volume, 2635-2650. The p-value is that of the interval that just reaches 0.
    """
    low, high = _interval(a, b, correlation, Z)
    return Estimate(b[0] - a[0], low, high, _p_value(a, b, correlation))


def _interval(a: Share, b: Share, correlation: float, z: float) -> tuple[float, float]:
    (low_a, high_a), (low_b, high_b) = wilson(*a, z), wilson(*b, z)
    difference = b[0] - a[0]
    down = _distance(b[0] - low_b, high_a - a[0], correlation)
    up = _distance(high_b - b[0], a[0] - low_a, correlation)
    return difference - down, difference + up


def _distance(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _p_value(a: Share, b: Share, correlation: float) -> float:
    """Find by bisection the z at which the interval reaches 0."""
    if a[0] == b[0]:
        return 1.0
    inside, outside = 40.0, 0.0
    for _ in range(60):
        z = (inside + outside) / 2
        low, high = _interval(a, b, correlation, z)
        inside, outside = (z, outside) if low <= 0 <= high else (inside, z)
    return two_sided(inside)
