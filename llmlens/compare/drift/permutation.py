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
    def permuted(
        cls,
        after: NDArray[np.bool_],
        strata: NDArray[np.int64],
        times: int,
        seed: int,
        units: NDArray[np.int64] | None = None,
    ) -> Labels:
        """Permute the labels within strata so often, those of outputs of the same unit together.

        `units` numbers what is independent, such as sessions, each of one window; by default every output is. A unit
        with outputs in several strata is permuted in the one that most of them are in. Winkler et al. (2015),
        Multi-level block permutation, NeuroImage 123, 253-268.
        """
        rng = np.random.default_rng(seed)
        of = np.arange(len(after)) if units is None else units
        labels = np.empty((times + 1, int(of.max(initial=-1)) + 1), dtype=np.float32)
        labels[0, of] = after
        home = commonest(strata, of)
        for value in np.unique(home):
            inside = np.flatnonzero(home == value)
            labels[1:, inside] = rng.permuted(np.tile(labels[0, inside], (times, 1)), axis=1)
        return cls(labels[:, of], strata)


@dataclass(frozen=True)
class Shifts:
    """Differences of the means after - before: (permutations + 1, directions) a stratum, and how much they weigh."""

    weights: dict[int, Floats]
    means: dict[int, Floats]

    @classmethod
    def of(cls, view: Floats, labels: Labels) -> Shifts:
        """Take the differences of a view whose rows are centred within strata; strata with one window are left out."""
        weights, means = {}, {}
        for value in np.unique(labels.strata):
            inside = np.flatnonzero(labels.strata == value)
            n_after = labels.rows[:, inside].sum(axis=1, dtype=float)  # other than before where sessions are permuted
            n_before = len(inside) - n_after
            if min(n_after[0], n_before[0]) < 1:
                continue
            weight = n_after * n_before / len(inside)
            difference = (labels.rows[:, inside] @ view[inside].astype(np.float32)).astype(float)
            weights[int(value)] = weight
            means[int(value)] = difference / np.maximum(weight, 0.5)[:, None]  # 0 where all are of one window
        return cls(weights, means)

    def mean(self, strata: Collection[int] | None = None) -> tuple[Floats, Floats] | None:
        """Give the weight of these strata and their weighted mean difference, for each permutation."""
        used = [value for value in self.weights if strata is None or value in strata]
        if not used:
            return None
        total = np.asarray(sum(self.weights[value] for value in used))
        added = np.asarray(sum(self.weights[value][:, None] * self.means[value] for value in used))
        return total, added / np.maximum(total, 0.5)[:, None]

    def statistic(self, strata: Collection[int] | None = None) -> Floats | None:
        """Give the squared distance of the weighted mean difference over these strata, for each permutation."""
        found = self.mean(strata)
        return None if found is None else np.asarray(found[0] * (found[1] ** 2).sum(axis=1), dtype=float)


def commonest(strata: NDArray[np.int64], units: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the stratum that most outputs of each unit are in, the first of those."""
    pairs, counts = np.unique(np.stack([units, strata]), axis=1, return_counts=True)
    order = np.lexsort((-counts, pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    found: NDArray[np.int64] = pairs[1][order][first]
    return found


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
