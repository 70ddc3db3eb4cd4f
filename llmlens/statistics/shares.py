"""Intervals of shares, which stay right where nearly all or nearly none are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .estimate import Estimate, Z, two_sided

if TYPE_CHECKING:
    from collections.abc import Callable

#: Halvings of a bisection.
_STEPS = 50
_SAME = 1e-12
_COVERAGE = 0.95
#: Pairs that the prior gives to each of the three kinds, and the levels at which their distribution is taken.
_PRIOR = 0.5
_LEVELS = (np.arange(64) + 0.5) / 64
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


def difference_of_shares(a: Share, b: Share) -> Estimate:
    """Estimate how much higher the share b is than the share a.

    The interval holds the differences that the score test does not reject: Miettinen and Nurminen (1985), Comparative
    analysis of two rates, Statistics in Medicine 4, 213-226. The p-value is that of the test against no difference.
    """
    value = b[0] - a[0]
    low, high = (_farthest(value, end, lambda d: abs(_score(a, b, d)) <= Z) for end in (-1.0, 1.0))
    return Estimate(value, low, high, two_sided(_score(a, b, 0.0)))


def difference_of_paired_shares(gained: float, lost: float, pairs: float) -> Estimate:
    """Estimate how much higher a share is in the second of two sides, where each is of the same `pairs`.

    Of these, `gained` have it in the second alone and `lost` in the first alone; what pairs agree in tells nothing. The
    interval has 2.5 % on either side of what is likely of the three shares (gained, lost, neither) under Jeffreys'
    prior, half a pair to each, and always holds the estimate itself. Of 30 pairs its coverage is 0.93 to 0.97 more
    often than that of score and square-and-add intervals (bench/truth/compare.py enumerates it). Brown, Cai and
    DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16, 101-133, say so of one
    share; compared with Tango (1998), Statistics in Medicine 17, 891-908, and Newcombe (1998), ibid. 2635-2650. The
    p-value is that of the interval that just reaches 0.

    >>> found = difference_of_paired_shares(8, 2, 30)
    >>> round(found.low, 2), round(found.high, 2)
    (-0.01, 0.39)
    """
    from scipy.special import betainc, betaincinv

    of_gained, of_lost = gained + _PRIOR, lost + _PRIOR
    changed = betaincinv(of_gained + of_lost, pairs - gained - lost + _PRIOR, _LEVELS)

    def below(difference: float) -> float:
        """Give how likely the true difference is at most this: its share of the changed pairs is beta-distributed."""
        shares = np.clip((1 + difference / np.maximum(changed, _SAME)) / 2, 0.0, 1.0)
        return float(betainc(of_gained, of_lost, shares).mean())

    value, tail = (gained - lost) / pairs, (1 - _COVERAGE) / 2
    low = _farthest(1.0, -1.0, lambda d: below(d) >= tail)
    high = _farthest(-1.0, 1.0, lambda d: below(d) <= 1 - tail)
    p = 2 * min(betainc(of_gained, of_lost, 0.5), betainc(of_lost, of_gained, 0.5))
    return Estimate(value, min(low, value), max(high, value), min(1.0, float(p)))


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
