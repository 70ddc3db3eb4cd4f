"""Is this day, or are the last few, unlike the reference? Asked every day, with one error rate for all the asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .permutation import upper_limit
from .quiet import quiet_streams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .reference import Frozen

    Floats = NDArray[np.float64]

#: Days that the reference needs to say how much days differ.
_DAYS_KNOWN = 3
#: Lengths of the windows that end on a day: a sudden change shows in the short ones, a slow or small one in the long.
_LENGTHS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89)


@dataclass(frozen=True)
class Watch:
    """The evidence of each day: `score[day]` against what quiet streams reach in all their days together.

    `p[day]` is the chance that a quiet stream of this length ever scores as high; `length` and `scope` say which window
    and which slice (-1: all of them) it was; `by_scope` has score and p of each, with all others looked at too.
    """

    score: Floats
    p: Floats
    length: NDArray[np.int64]
    scope: NDArray[np.int64]
    by_scope: dict[int, tuple[Floats, Floats]]


def watch(
    view: Frozen,
    day: NDArray[np.int64],
    *,
    scopes: list[int],
    looks: int,
    times: int,
    seed: int,
    known_day: NDArray[np.int64] | None = None,
) -> Watch:
    """Compare the days of the stream (`day` of each of its rows, from 0) with the reference.

    For windows of several lengths that end on each day, the distance of their mean from the reference's is measured in
    each view, over all slices together and in each of `scopes`. Quiet streams are drawn from the reference itself, with
    the same number of outputs a day and slice, and the noise of the reference's own mean: their maximum over at least
    `looks` days is what a day is judged by, so that looking every day is paid for, those to come included. Lai (1995),
    Sequential changepoint detection in quality control and dynamical systems, J. R. Statist. Soc. B 57, 613-658
    (window-limited scans).

    Outputs of one session may be alike: quiet streams are drawn by whole sessions of the reference, one after another
    until a day has its outputs (a cluster bootstrap: Davison and Hinkley 1997, Bootstrap Methods, section 3.8).

    So may be those of one day (a weekend). With `known_day`, the days of the reference's own rows, distances are
    divided by how much farther those days are from each other than if their sessions were drawn one by one: McCullagh
    and Nelder (1989), Generalized Linear Models, on overdispersion.
    """
    days = came = int(day.max()) + 1
    counts, sums = _observed(view, day, days)
    rng = np.random.default_rng(seed)
    if days < looks:  # days to come are like those that came
        counts = np.vstack([counts, counts[rng.integers(0, days, looks - days)]])
        sums = {
            name: np.concatenate([total, np.zeros((looks - days, *total.shape[1:]))]) for name, total in sums.items()
        }
    drawn = quiet_streams(view, counts, times, rng)
    days = len(counts)
    wider = {
        (name, scope): _overdispersion(rows[: view.known], view, known_day, scope)
        for name, rows in view.views.items()
        for scope in (-1, *scopes)
    }
    lengths = [length for length in _LENGTHS if length <= days]
    best = np.full((times + 1, days), -np.inf)
    which = np.zeros((days, 2), dtype=np.int64)
    by_scope = {scope: np.full((times + 1, days), -np.inf) for scope in (-1, *scopes)}
    for length in lengths:
        for scope in (-1, *scopes):
            evidence = np.zeros((times + 1, days))
            for name in view.views:
                statistic = _statistic(sums[name], drawn[name], counts, view, length=length, scope=scope)
                statistic[0] /= wider[name, scope]
                evidence += _surprise(statistic)
            evidence = _surprise(evidence)
            by_scope[scope] = np.maximum(by_scope[scope], evidence)
            better = evidence > best
            which[better[0]] = (length, scope)
            best = np.where(better, evidence, best)
    return Watch(
        score=best[0, :came],
        p=_ever(best)[:came],
        length=which[:came, 0],
        scope=which[:came, 1],
        by_scope={
            scope: (found[0, :came], _ever(np.vstack([found[0], best[1:]]))[:came]) for scope, found in by_scope.items()
        },
    )


def _observed(view: Frozen, day: NDArray[np.int64], days: int) -> tuple[NDArray[np.int64], dict[str, Floats]]:
    """Give outputs and sums a (day, slice) of the stream."""
    slices = view.slices[view.known :]
    size = int(view.slices.max()) + 1
    place = day * size + slices
    counts = np.bincount(place, minlength=days * size).reshape(days, size)
    sums = {}
    for name, rows in view.views.items():
        total = np.zeros((days * size, rows.shape[1]))
        np.add.at(total, place, rows[view.known :])
        sums[name] = total.reshape(days, size, -1)
    return counts, sums


def _statistic(
    sums: Floats, drawn: Floats, counts: NDArray[np.int64], view: Frozen, *, length: int, scope: int
) -> Floats:
    """Give the squared distance from the reference of the window that ends on each day: (times + 1, days)."""
    chosen = slice(None) if scope < 0 else slice(scope, scope + 1)
    size = counts.shape[1]
    known = np.bincount(view.slices[: view.known], minlength=size)[chosen].astype(float)
    number = _windowed(counts[:, chosen][None, :, :, None].astype(float), length)[0, :, :, 0]
    # The weight of a slice in the difference of two means, over its number in the window: sums become differences.
    harmonic = np.where(number > 0, number * known / np.maximum(number + known, 1), 0)
    scale = np.where(number > 0, harmonic / np.maximum(number, 1), 0)
    total = harmonic.sum(axis=1)
    found = []
    for block in (sums[None], drawn):
        window = _windowed(block[:, :, chosen], length)
        mean = (window * scale[None, :, :, None]).sum(axis=2)
        found.append((mean**2).sum(axis=2) / np.maximum(total, 1e-9)[None, :])
    return np.asarray(np.vstack(found), dtype=float)


def _overdispersion(rows: Floats, view: Frozen, day: NDArray[np.int64] | None, scope: int) -> float:
    """Give how much farther days of the reference are from it than days of independent units; at least 1."""
    if day is None:
        return 1.0
    inside = np.ones(len(rows), dtype=bool) if scope < 0 else view.slices[: view.known] == scope
    rows, day, unit = rows[inside] - rows[inside].mean(axis=0), day[inside], view.units[: view.known][inside]
    days, place = np.unique(day, return_inverse=True)
    if len(days) < _DAYS_KNOWN:
        return 1.0
    counts = np.bincount(place)
    between = (_summed(rows, place) ** 2).sum(axis=1) / counts
    number = np.unique(unit, return_inverse=True)[1]
    together = (_summed(rows, number) ** 2).sum() / len(rows)
    n = int(number.max()) + 1
    expected = together * (1 - counts / len(rows)) * n / max(n - 1, 1)
    return max(1.0, float(between.sum() / max(expected.sum(), 1e-300)))


def _summed(rows: Floats, place: NDArray[np.int64]) -> Floats:
    sums = np.zeros((int(place.max()) + 1, rows.shape[1]))
    np.add.at(sums, place, rows)
    return sums


def _windowed(block: Floats, length: int) -> Floats:
    """Sum over the last `length` days of each day; axis 1 is the day."""
    running = np.cumsum(block, axis=1)
    shifted = np.zeros_like(running)
    shifted[:, length:] = running[:, :-length]
    return running - shifted


def _surprise(statistic: Floats) -> Floats:
    """Turn a statistic into minus the logarithm of its chance in quiet streams, day by day, by a gamma distribution.

    Its first two moments are those of the quiet streams: a sum of squares of normal directions is nearly gamma
    (Satterthwaite 1946). Only an order is needed of it; the error rate comes from the quiet streams themselves.
    """
    from scipy.special import gammaln
    from scipy.stats import gamma

    mean, variance = statistic[1:].mean(axis=0), statistic[1:].var(axis=0)
    known = (mean > 1e-12) & (variance > 1e-24)
    shape = np.where(known, mean**2 / np.where(known, variance, 1), 1)
    scale = np.where(known, variance / np.where(known, mean, 1), 1)
    surprise = -gamma.logsf(statistic, shape, scale=scale)
    # Where the tail is below the smallest number: its leading term.
    x = np.maximum(statistic / scale, 1e-300)
    return np.where(known, np.where(np.isinf(surprise), x - (shape - 1) * np.log(x) + gammaln(shape), surprise), 0)


def _ever(best: Floats) -> Floats:
    """Give for each day the share of quiet streams that ever score as high, its upper limit."""
    highest = np.sort(best[1:].max(axis=1))
    above = len(highest) - np.searchsorted(highest, best[0] * (1 - 1e-12), side="left")
    return upper_limit(above.astype(float), len(highest))
