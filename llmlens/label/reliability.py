"""Statistics of agreement between raters, on a table of items (rows) by raters (columns); NaN is what was not rated.

`levels` say what a difference is: nominal values are equal or not, of ordinal ones the ranks differ, of interval ones
the values. A statistic that cannot be told (nobody differed because there was one value only) is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ratings: TypeAlias = npt.NDArray[np.float64]

Level: TypeAlias = Literal["nominal", "ordinal", "interval"]


def cohen_kappa(ratings: Ratings, power: int = 0) -> float:
    """Give Cohen's kappa of two raters, over the items that both rated.

    `power`: how much a disagreement weighs: 0 for any alike, 1 by the difference of the values, 2 by its square.
    Cohen (1960), Educational and Psychological Measurement 20, 37-46; weighted: Cohen (1968), Psychological Bulletin
    70, 213-220.
    """
    first, second = ratings[~np.isnan(ratings).any(axis=1)].T
    values = np.unique([first, second])
    n = len(first)
    if n == 0:
        return np.nan
    at = [np.searchsorted(values, rater) for rater in (first, second)]
    left, right = (np.bincount(places, minlength=len(values)) / n for places in at)
    if power == 0:
        observed, expected = np.mean(first != second), 1 - left @ right
    else:
        weights = np.abs(values[:, None] - values[None, :]) ** power
        observed, expected = weights[at[0], at[1]].mean(), left @ weights @ right
    return _beyond_chance(float(observed), float(expected))


def fleiss_kappa(ratings: Ratings) -> float:
    """Give Fleiss' kappa, over the items that have as many ratings as most have; who gave them does not matter.

    Fleiss (1971), Psychological Bulletin 76, 378-382.
    """
    chosen = rated_alike(ratings)
    items, codes, values = _coded(chosen)
    if not len(items):
        return np.nan
    counts = np.bincount(items * len(values) + codes, minlength=len(chosen) * len(values))
    counts = counts.reshape(len(chosen), len(values))
    m = counts[0].sum()
    agreeing = (counts * (counts - 1)).sum(axis=1) / (m * (m - 1))
    shares = counts.sum(axis=0) / counts.sum()
    return _beyond_chance(float(1 - agreeing.mean()), float(1 - (shares**2).sum()))


def rated_alike(ratings: Ratings) -> Ratings:
    """Keep the items that have the most common number of ratings, at least two; of two such numbers the larger."""
    counts = (~np.isnan(ratings)).sum(axis=1)
    sizes, often = np.unique(counts[counts > 1], return_counts=True)
    if not len(sizes):
        return ratings[:0]
    chosen: Ratings = ratings[counts == sizes[::-1][np.argmax(often[::-1])]]
    return chosen


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal") -> float:
    """Give Krippendorff's alpha, over the items that have at least two ratings; any may be missing.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability. Differences of ranks are differences of the mean
    ranks, by which his ordinal metric and his interval metric are the same sum.
    """
    chosen = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    items, codes, values = _coded(chosen)
    if len(values) < 2:
        return np.nan
    pairable = np.bincount(items)
    totals = np.bincount(codes)
    n = len(items)
    if level == "nominal":
        cells, counts = np.unique(items * len(values) + codes, return_counts=True)
        alike = np.bincount(cells // len(values), weights=counts**2)
        observed = ((pairable**2 - alike) / (pairable - 1)).sum()
        expected = n**2 - (totals**2).sum()
    else:
        place = values if level == "interval" else np.cumsum(totals) - totals / 2
        place -= place @ totals / n
        own = place[codes] - (np.bincount(items, place[codes]) / pairable)[items]
        observed = (2 * pairable / (pairable - 1) * np.bincount(items, own**2)).sum()
        expected = 2 * n * (totals @ place**2)
    return _beyond_chance(float(observed / n), float(expected / (n * (n - 1))))


def _coded(ratings: Ratings) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Ratings]:
    """Give item and value (as its place among all) of each rating, and the values."""
    items, raters = np.nonzero(~np.isnan(ratings))
    values, codes = np.unique(ratings[items, raters], return_inverse=True)
    return items, codes, values


def _beyond_chance(observed: float, expected: float) -> float:
    return 1 - observed / expected if expected > 0 else np.nan
