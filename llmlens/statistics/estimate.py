"""A number, how sure it is, and how sure one would have to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

#: Two-sided 95 %, and the power at which a difference is called detectable.
Z = NormalDist().inv_cdf(0.975)
_POWER = NormalDist().inv_cdf(0.8)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its 95 % interval and the two-sided p-value against 0."""

    value: float
    low: float
    high: float
    p: float

    @classmethod
    def unsure(cls, value: float = math.nan) -> Estimate:
        """Give an estimate of which only the value is known, or not even that."""
        return cls(value, math.nan, math.nan, math.nan)

    @property
    def detectable(self) -> float:
        """The smallest true value that would be told from 0 at 5 % in four of five such samples (power 80 %).

        Cohen (1988), Statistical Power Analysis, chapter 2, with the standard error that the interval implies.
        """
        return (self.high - self.low) / 2 * (1 + _POWER / Z)


def two_sided(z: float) -> float:
    """Give the two-sided p-value of a normal deviate."""
    return 2 * NormalDist().cdf(-abs(z))
