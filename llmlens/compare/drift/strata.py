"""Groups of outputs that may be compared: the same `by` values and, within those, equally likely prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .folds import folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Classes of the propensity score in a slice, and how many outputs of both windows each has at least.
_CLASSES = 5
_LEAST = 40
#: Outputs, or sessions, that a window needs to learn the propensity from.
_LEARNT = 10


def centred(columns: NDArray[np.float64], strata: NDArray[np.int64]) -> NDArray[np.float64]:
    """Subtract from each row the mean of its stratum."""
    centre = np.array(columns, dtype=float)
    for value in np.unique(strata):
        inside = strata == value
        centre[inside] -= centre[inside].mean(axis=0)
    return centre


def propensity(
    prompts: NDArray[np.float64],
    slices: NDArray[np.int64],
    after: NDArray[np.bool_],
    seed: int,
    units: NDArray[np.int64] | None = None,
) -> NDArray[np.float64]:
    """Give the log-odds that an output with this prompt is of the window after, never fitted on its unit itself.

    `units` numbers what is independent, such as sessions; by default every output is.
    """
    from sklearn.linear_model import RidgeClassifier

    score = np.zeros(len(after))
    if not prompts.shape[1]:
        return score
    given = np.hstack([prompts, np.eye(int(slices.max()) + 1)[slices]])
    for learn, judge in folds(after, units, seed, least=_LEARNT):
        score[judge] = RidgeClassifier(alpha=1.0).fit(given[learn], after[learn]).decision_function(given[judge])
    return score


def subclasses(score: NDArray[np.float64], slices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Split each slice by the propensity of its prompts, into classes of equal size: the strata.

    Within a class, prompts say little about the window any more, so that a change of what is asked does not look like
    a change of the answers. Rosenbaum and Rubin (1984), Reducing bias in observational studies using subclassification
    on the propensity score, J. Am. Stat. Assoc. 79, 516-524.
    """
    from scipy.stats import rankdata

    strata = np.zeros(len(slices), dtype=np.int64)
    used = 0
    for value in np.unique(slices):
        rows = np.flatnonzero(slices == value)
        classes = int(np.clip(len(rows) // _LEAST, 1, _CLASSES))
        place = rankdata(score[rows]) - 1  # equal prompts are in one class
        strata[rows] = used + np.floor(place * classes / len(rows)).astype(np.int64)
        used += classes
    return strata
