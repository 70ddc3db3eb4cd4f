"""The stretch of a series that is least like the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

#: Values are put together to at most so many buckets, of at least so many values.
_BUCKETS, _SMALLEST = 96, 4
#: Fewer buckets have no stretch to tell from the rest.
_FEWEST = 8
#: A stretch has at least so many values.
_SHORTEST = 8
#: What is unlike the rest must leave this share of all values, or nothing is usual.
_LEAST_REST = 0.1
_DRAWS, _AT_ONCE = 200, 20
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Segment:
    """Values from place `first` to before `end`, in standard errors (`z`) from the rest, and the p-value of that."""

    first: int
    end: int
    z: float
    p: float


def odd_segment(values: Floats, random: np.random.Generator, begin: int = 0) -> Segment | None:
    """Find the stretch of a series, in order, whose mean differs most from that of all other values.

    It begins at place `begin` or later and ends anywhere: a step is a stretch that lasts to the end. None for too few
    values (below 32) or equal ones.

    The largest standardised difference over all stretches (Levin and Kline 1985, The CUSUM test of homogeneity with an
    application in spontaneous abortion epidemiology, Statistics in Medicine 4, 469-488) of buckets of equal numbers of
    values, reduced where buckets vary more than their values do, or neighbours are alike; then the borders are moved
    to single values. The p-value is that of the largest difference in shuffled values, its tail by a Gumbel
    distribution with the mean and variance of the draws: the limit of such maxima.

    What lies at the beginning is never the odd part: there a step is seen, and what follows it is the stretch.
    """
    n = len(values)
    count = min(_BUCKETS, n // _SMALLEST)
    if count < _FEWEST or not values.std() > 0:
        return None
    edges = np.linspace(0, n, count + 1).round().astype(int)
    scaled = (values - values.mean()) / values.std()
    first, end = _stretches(count, int(np.searchsorted(edges, begin)))
    size = edges[end] - edges[first]
    kept = (size >= _SHORTEST) & (n - size >= max(_LEAST_REST * n, _SHORTEST))
    first, end = first[kept], end[kept]
    if not len(first):
        return None
    unit = np.sqrt(n / (size[kept] * (n - size[kept])))
    totals = _totals(scaled[None, :], edges)
    z = np.abs(totals[0, end] - totals[0, first]) * unit
    best = int(np.argmax(z))
    found = float(z[best]) / np.sqrt(_excess(scaled, edges, int(first[best]), int(end[best])))
    maxima = []
    for _ in range(_DRAWS // _AT_ONCE):
        paths = _totals(random.permuted(np.tile(scaled, (_AT_ONCE, 1)), axis=1), edges)
        maxima.append((np.abs(paths[:, end] - paths[:, first]) * unit).max(axis=1))
    drawn = np.concatenate(maxima)
    borders = _refined(scaled, (int(edges[first[best]]), int(edges[end[best]])), n // count, begin)
    return Segment(*_whole(borders, n, begin), found, _tail(found, drawn))


def _totals(values: Floats, edges: npt.NDArray[np.int64]) -> Floats:
    """Give the sums of each row up to each border."""
    sums = np.add.reduceat(values, edges[:-1], axis=1)
    return np.concatenate([np.zeros((len(values), 1)), np.cumsum(sums, axis=1)], axis=1)


def _stretches(count: int, begin: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give all stretches of buckets that do not begin at the beginning: those are the rest of one that ends there."""
    first, end = np.triu_indices(count + 1, 1)
    kept = first >= max(begin, 1)
    return first[kept], end[kept]


def _excess(scaled: Floats, edges: npt.NDArray[np.int64], first: int, end: int) -> float:
    """Give by how much sums over buckets vary more than independent values would: 1 or more.

    Both parts are taken about their own mean: the variance of buckets over that of values, and what neighbours that are
    alike (first-order autocorrelation) add in the long run.
    """
    left = scaled.copy()
    inside = np.zeros(len(scaled), dtype=bool)
    inside[edges[first] : edges[end]] = True
    for part in (inside, ~inside):
        left[part] -= left[part].mean()
    sums = np.add.reduceat(left, edges[:-1])
    spread, own = float(sums @ sums), float(left @ left)
    if not spread > 0 or not own > 0:
        return 1.0
    r = min(max(float(sums[:-1] @ sums[1:]) / spread, 0.0), 0.9)
    return max(1.0, spread / own) * (1 + r) / (1 - r)


def _whole(borders: tuple[int, int], n: int, begin: int) -> tuple[int, int]:
    """Let a stretch that all but reaches the end reach it; one that all but begins at the beginning is a step there."""
    first, end = borders
    little = _LEAST_REST * (n - begin)
    early, late = not begin and first < little, n - end < little
    if early and not late:
        return end, n
    return (first, n) if late and not early else (first, end)


def _tail(found: float, drawn: Floats) -> float:
    scale = max(float(drawn.std()), 1e-9) * np.sqrt(6) / np.pi
    return float(-np.expm1(-np.exp(-(found - (drawn.mean() - _EULER * scale)) / scale)))


def _refined(scaled: Floats, segment: tuple[int, int], width: int, begin: int) -> tuple[int, int]:
    """Move the borders by up to a bucket to where the difference is largest."""
    n = len(scaled)
    totals = np.concatenate([[0.0], np.cumsum(scaled)])
    first, end = segment

    def difference(firsts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Floats:
        size = np.maximum(ends - firsts, 1)
        found: Floats = np.abs(totals[ends] - totals[firsts]) * np.sqrt(n / (size * np.maximum(n - size, 1)))
        return found

    near = np.arange(max(begin, first - width, 1), min(end - _SHORTEST, first + width) + 1)
    if len(near):
        first = int(near[np.argmax(difference(near, np.full(len(near), end)))])
    if end < n:
        near = np.arange(max(first + _SHORTEST, end - width), min(n, end + width) + 1)
        end = int(near[np.argmax(difference(np.full(len(near), first), near))])
    return first, end
