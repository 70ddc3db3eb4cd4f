"""Since when: the day from which on the outputs are different, with an interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .reference import Frozen

_ITERATIONS = 5
#: Half the 95 % quantile of chi-squared with one degree of freedom: what the likelihood may lose within the interval.
_WITHIN = 1.92


class Onset(NamedTuple):
    """The first changed day and the interval it lies in, as numbers of days."""

    day: int
    low: int
    high: int


def onset(view: Frozen, day: NDArray[np.int64], *, until: int, length: int, scope: int) -> Onset:
    """Find the onset of a change that was seen on the day `until` in a window of `length` days, in one slice or all.

    Outputs are read along the direction in which the changed days lie from the reference; the most likely onset is the
    one from which on their mean is largest for its number of outputs, the interval holds those that are nearly as
    likely. Direction and onset are found in turn. Outputs of a session count by how far they vary together, not as
    many. Hinkley (1970), Inference about the change-point in a sequence of
    random variables, Biometrika 57, 1-17.
    """
    together = np.hstack(list(view.views.values()))
    inside = np.ones(len(together), dtype=bool) if scope < 0 else view.slices == scope
    known, units = (each[: view.known][inside[: view.known]] for each in (together, view.units))
    kept = inside[view.known :] & (day <= until)
    stream, when = together[view.known :][kept], day[kept]
    first = max(0, until - length + 1)
    found = Onset(first, first, first)
    for _ in range(_ITERATIONS):
        direction = stream[when >= found.day].mean(axis=0) - known.mean(axis=0)
        score = (stream - known.mean(axis=0)) @ direction
        spread = _spread(known @ direction, units) or 1.0
        better = _most_likely(score / spread, when, until)
        if better == found:
            break
        found = better
    return found


def _spread(score: NDArray[np.float64], units: NDArray[np.int64]) -> float:
    """Give the standard deviation of an output, were all independent and their mean as unsure as that of units."""
    together = np.bincount(np.unique(units, return_inverse=True)[1], score - score.mean())
    return float(np.sqrt((together**2).sum() / len(score)))


def _most_likely(score: NDArray[np.float64], when: NDArray[np.int64], until: int) -> Onset:
    sums = np.bincount(when, weights=score, minlength=until + 1)
    counts = np.bincount(when, minlength=until + 1)
    since_sum, since_count = np.cumsum(sums[::-1])[::-1], np.cumsum(counts[::-1])[::-1]
    likely = np.where(since_sum > 0, since_sum**2 / np.maximum(since_count, 1) / 2, 0)
    best = int(np.argmax(likely))
    near = np.flatnonzero(likely >= likely[best] - _WITHIN)
    return Onset(best, int(near[0]), int(near[-1]))
