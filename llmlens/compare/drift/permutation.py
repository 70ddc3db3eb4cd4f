"""The test: how far the means of two windows are apart, in ridge-whitened directions, against permuted labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Ridge of the covariance, in units of the mean variance of a direction.
_RIDGE = 1.0
#: One-sided 95 % quantile of the normal distribution.
_Z = 1.6449


@dataclass(frozen=True)
class Labels:
    """Which output is of the window after: row 0 as it is, the others permuted within strata."""

    rows: NDArray[np.float32]
    strata: NDArray[np.int64]

    @classmethod
    def permuted(cls, after: NDArray[np.bool_], strata: NDArray[np.int64], times: int, seed: int) -> Labels:
        """Permute the labels within strata so often."""
        rng = np.random.default_rng(seed)
        rows = np.empty((times + 1, len(after)), dtype=np.float32)
        rows[0] = after
        for value in np.unique(strata):
            inside = np.flatnonzero(strata == value)
            rows[1:, inside] = rng.permuted(np.tile(rows[0, inside], (times, 1)), axis=1)
        return cls(rows, strata)


@dataclass(frozen=True)
class Shifts:
    """Differences of the means after - before: (permutations + 1, directions) a stratum, with its weight."""

    weights: dict[int, float]
    means: dict[int, Floats]

    @classmethod
    def of(cls, view: Floats, labels: Labels) -> Shifts:
        """Take the differences of a view whose rows are centred within strata; strata with one window are left out."""
        weights, means = {}, {}
        for value in np.unique(labels.strata):
            inside = np.flatnonzero(labels.strata == value)
            n_after = float(labels.rows[0, inside].sum())
            n_before = len(inside) - n_after
            if min(n_after, n_before) < 1:
                continue
            weights[int(value)] = n_after * n_before / len(inside)
            difference = labels.rows[:, inside] @ view[inside].astype(np.float32)
            means[int(value)] = difference.astype(float) * (1 / n_after + 1 / n_before)
        return cls(weights, means)

    def mean(self, strata: Collection[int] | None = None) -> tuple[float, Floats] | None:
        """Give the weight of these strata and their weighted mean difference, for each permutation."""
        used = [value for value in self.weights if strata is None or value in strata]
        if not used:
            return None
        total = sum(self.weights[value] for value in used)
        return total, np.asarray(sum(self.weights[value] * self.means[value] for value in used) / total)

    def statistic(self, strata: Collection[int] | None = None) -> Floats | None:
        """Give the squared distance of the weighted mean difference over these strata, for each permutation."""
        found = self.mean(strata)
        return None if found is None else np.asarray(found[0] * (found[1] ** 2).sum(axis=1), dtype=float)


def whitened(view: Floats) -> Floats:
    """Turn a centred view so that a direction counts by how unusual a shift along it is.

    The distance of means in the result is Hotelling's statistic with a ridge on the covariance, which may then have
    more directions than there are outputs: Chen, Paul, Prentice and Wang (2011), A regularized Hotelling's T2 test for
    pathway analysis in proteomic studies, J. Am. Stat. Assoc. 106, 1345-1360.
    """
    if not view.size:
        return view
    variances, directions = np.linalg.eigh(view.T @ view / len(view))
    kept = variances > 1e-10 * max(variances[-1], 1e-300)
    if not kept.any():
        return view[:, :0]
    variances, directions = variances[kept], directions[:, kept]
    return np.asarray(view @ directions / np.sqrt(variances + _RIDGE * variances.mean()), dtype=float)


def tail(statistic: Floats) -> Floats:
    """Give the share of permutations with at least the statistic of each one, itself included: its p-value."""
    from scipy.stats import rankdata

    return np.asarray((len(statistic) + 1 - rankdata(statistic, method="min")) / len(statistic), dtype=float)


def combined(p: Sequence[Floats], weights: Sequence[float] | None = None) -> Floats:
    """Combine the p-values of several statistics in each permutation: Fisher's sum, to be ranked again.

    What depends on each other may be combined so, because the permutations keep the dependence: Pesarin and Salmaso
    (2010), Permutation Tests for Complex Data.
    """
    given = [1.0] * len(p) if weights is None else weights
    return np.asarray(-sum(w * np.log(each) for w, each in zip(given, p, strict=True)), dtype=float)


def p_value(statistic: Floats) -> float:
    """Give the p-value of row 0: the upper 95 % limit of what infinitely many permutations would say.

    So a result that is called at 0.05 would be called with nearly every other seed too.
    """
    above = float((statistic[1:] >= statistic[0] * (1 - 1e-12)).sum())
    return float(upper_limit(np.array([above]), len(statistic) - 1)[0])


def upper_limit(above: Floats, times: int) -> Floats:
    """Give the upper 95 % limit of a p-value of which `above` of so many random repetitions were as extreme."""
    share = (above + 1) / (times + 1)
    return np.minimum(1.0, share + _Z * np.sqrt(share * (1 - share) / (times + 1)))
