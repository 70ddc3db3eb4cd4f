"""The rhythm of the week: how much more of something there is on a Thursday than on a Sunday."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

DAYS = 7
#: So many days tell a rhythm from chance: each day of the week was there twice.
ENOUGH = 2 * DAYS


def weekday_factors(values: Floats, weekdays: npt.NDArray[np.int64]) -> Floats:
    """Give what each weekday (0 is Monday) has in multiples of an average day; all 1 with less than two weeks.

    `values` are of consecutive days. Each is compared with the mean of the week around it, so that growth over the
    month is no rhythm; the median of a weekday's ratios is its factor, and the factors' mean is 1: the classical ratio
    to moving average (Persons 1919), with medians, so that one odd day is no rhythm either.
    """
    factors = np.ones(DAYS)
    if len(values) < ENOUGH:
        return factors
    centred = np.convolve(values, np.full(DAYS, 1 / DAYS), mode="valid")
    half = DAYS // 2
    around = np.concatenate([np.full(half, centred[0]), centred, np.full(half, centred[-1])])
    ratios = np.divide(values, around, out=np.ones(len(values)), where=around > 0)
    for day in range(DAYS):
        factors[day] = np.median(ratios[weekdays == day])
    return factors / factors.mean() if factors.mean() > 0 else np.ones(DAYS)


def medians_of_others(values: Floats, near: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Give, for each value, the median of the values that `near[i]` names, and how many of them are known.

    A value is never its own neighbour: one odd value does not raise what is expected of it.
    """
    others = near & ~np.eye(len(values), dtype=bool) & ~np.isnan(values)[None, :]
    masked = np.where(others, values[None, :], np.nan)
    counts = others.sum(axis=1)
    found = np.full(len(values), np.nan)
    some = counts > 0
    if some.any():
        found[some] = np.nanmedian(masked[some], axis=1)
    return found, counts.astype(float)
