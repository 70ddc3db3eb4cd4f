"""How well the outputs of two windows can be told apart: an effect with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .folds import folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST = 5
_Z = 1.959964


class Separation(NamedTuple):
    """The area under the ROC curve: 0.5 when the windows cannot be told apart, 1 when each output shows its window."""

    auc: float
    low: float
    high: float


def scores(
    view: Floats, after: NDArray[np.bool_], strata: NDArray[np.int64], seed: int, units: NDArray[np.int64] | None = None
) -> Floats:
    """Give how much each output looks like the window after, by a linear rule that was not fitted on its unit.

    `units` numbers what is independent, such as sessions; by default every output is.

    The rule is Fisher's, with a ridge; `view` is whitened and centred within strata. Lopez-Paz and Oquab (2017),
    Revisiting classifier two-sample tests.
    """
    found = np.zeros(len(after))
    if not view.shape[1]:
        return found
    for learn, judge in folds(after, units, seed, least=_LEAST):
        # Centred by what was learnt on: in a mean of all, each output would pull the others away from itself.
        centre, label_centre = _means(view, strata, learn), _means(after[:, None].astype(float), strata, learn)
        rows, labels = (view - centre)[learn], (after[:, None] - label_centre)[learn]
        rule = np.linalg.solve(rows.T @ rows + len(learn) * np.eye(view.shape[1]), rows.T @ labels)
        found[judge] = ((view - centre)[judge] @ rule)[:, 0]
    return found


def _means(columns: Floats, strata: NDArray[np.int64], learn: NDArray[np.int64]) -> Floats:
    """Give for each row the mean of its stratum among the rows that are learnt from."""
    size = int(strata.max()) + 1
    total = np.zeros((size, columns.shape[1]))
    np.add.at(total, strata[learn], columns[learn])
    count = np.bincount(strata[learn], minlength=size)
    return np.asarray((total / np.maximum(count, 1)[:, None])[strata], dtype=float)


def separation(
    score: Floats, after: NDArray[np.bool_], strata: NDArray[np.int64], units: NDArray[np.int64] | None = None
) -> Separation | None:
    """Give the area within strata, weighted by the mix before; None where no stratum has two outputs of each window.

    The variance is that of DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845, with `units` (what is
    independent, such as sessions) that of Obuchowski (1997), Biometrics 53, 567-578; the interval is symmetric in the
    log-odds.
    """
    of = np.arange(len(after)) if units is None else units
    weights, areas, variances = [], [], []
    for value in np.unique(strata):
        inside = strata == value
        old, new = score[inside & ~after], score[inside & after]
        if min(len(old), len(new)) < 2:
            continue
        of_new = _placements(new, old)
        of_old = 1 - _placements(old, new)
        weights.append(len(old))
        areas.append(of_new.mean())
        variances.append(_variance(of_new, of[inside & after]) + _variance(of_old, of[inside & ~after]))
    if not weights:
        return None
    share = np.array(weights) / np.sum(weights)
    area = float(share @ np.array(areas))
    deviation = float(np.sqrt((share**2) @ np.array(variances)))
    inner = min(max(area, 1e-6), 1 - 1e-6)
    centre, half = np.log(inner / (1 - inner)), _Z * deviation / (inner * (1 - inner))
    low, high = (float(1 / (1 + np.exp(-(centre + side * half)))) for side in (-1, 1))
    return Separation(area, low, high)


def _variance(values: Floats, units: NDArray[np.int64]) -> float:
    """Give the variance of the mean of values, those of a unit together; with one unit it is not known."""
    together = np.bincount(np.unique(units, return_inverse=True)[1], values - values.mean())
    n = len(together)
    return float((together**2).sum() / len(values) ** 2 * n / (n - 1)) if n > 1 else np.inf


def _placements(values: Floats, among: Floats) -> Floats:
    """Give for each value the share of the others that are below it, ties by half."""
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, side="left")
    upto = np.searchsorted(ordered, values, side="right")
    return np.asarray((below + upto) / (2 * len(among)), dtype=float)
