"""Intervals of shares, which stay right where nearly all or nearly none are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from .estimate import Estimate, Z, two_sided

if TYPE_CHECKING:
    from collections.abc import Callable

#: Halvings of a bisection.
_STEPS = 50
_SAME = 1e-12
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

    The interval holds the differences that the score test does not reject: Miettinen and Nurminen (1985), Comparative
    analysis of two rates, Statistics in Medicine 4, 213-226. The p-value is that of the test against no difference.

    What pairs have in common (`correlation`) is taken off two joined Wilson intervals: Newcombe (1998), Improved
    confidence intervals for the difference between binomial proportions based on paired data, Statistics in Medicine
    17, 2635-2650. The p-value is that of the interval that just reaches 0.
    """
    if correlation:
        low, high = _joined(a, b, correlation, Z)
        return Estimate(b[0] - a[0], low, high, _p_of_joined(a, b, correlation))
    value = b[0] - a[0]
    low, high = (_farthest(value, end, lambda d: abs(_score(a, b, d)) <= Z) for end in (-1.0, 1.0))
    return Estimate(value, low, high, two_sided(_score(a, b, 0.0)))


def _score(a: Share, b: Share, difference: float) -> float:
    """Give the deviate of the difference of two shares, were it `difference` in truth."""
    (share_a, n_a), (share_b, n_b) = a, b
    n = n_a + n_b
    of_a = _likeliest(a, b, difference)
    of_b = min(max(of_a + difference, 0.0), 1.0)
    variance = (of_a * (1 - of_a) / n_a + of_b * (1 - of_b) / n_b) * n / (n - 1)
    off = share_b - share_a - difference
    return off / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, off) if abs(off) > _SAME else 0.0


def _likeliest(a: Share, b: Share, difference: float) -> float:
    """Give the share a that is likeliest where b is higher by `difference`: the root of a cubic, in closed form."""
    (share_a, n_a), (share_b, n_b) = a, b
    n, is_so_a = n_a + n_b, share_a * n_a
    is_so = is_so_a + share_b * n_b
    square = ((n_b + 2 * n_a) * difference - n - is_so) / (3 * n)
    linear = ((n_a * difference - n - 2 * is_so_a) * difference + is_so) / n
    constant = is_so_a * difference * (1 - difference) / n
    q = square**3 - linear * square / 2 + constant / 2
    p = math.copysign(math.sqrt(max(0.0, square**2 - linear / 3)), q)
    turn = (math.pi + math.acos(min(1.0, max(-1.0, q / p**3)))) / 3 if p else 0.0
    return min(max(2 * p * math.cos(turn) - square, 0.0, -difference), 1.0, 1 - difference)


def _farthest(inside: float, outside: float, holds: Callable[[float], bool]) -> float:
    """Give by bisection how far it holds, from where it does towards where it does not."""
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside


def _joined(a: Share, b: Share, correlation: float, z: float) -> tuple[float, float]:
    (low_a, high_a), (low_b, high_b) = wilson(*a, z), wilson(*b, z)
    difference = b[0] - a[0]
    down = _distance(b[0] - low_b, high_a - a[0], correlation)
    up = _distance(high_b - b[0], a[0] - low_a, correlation)
    return difference - down, difference + up


def _distance(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _p_of_joined(a: Share, b: Share, correlation: float) -> float:
    if a[0] == b[0]:
        return 1.0

    def reaches(z: float) -> bool:
        low, high = _joined(a, b, correlation, z)
        return low <= 0 <= high

    return two_sided(_farthest(40.0, 0.0, reaches))
