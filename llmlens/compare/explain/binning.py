"""Numbers, times and categories -> columns of codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .between import Between
from .column import Column, compact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Shares of the baseline at which numbers are cut.
CUTS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
#: Times are cut finer: an onset is what is looked for.
TIME_CUTS = tuple(np.linspace(0, 1, 51)[1:-1])
#: Numbers with at most so many different values are told by value.
_FEW = 12


def categories(name: str, codes: NDArray[Any], values: Sequence[Any], *, outcome: bool = False) -> Column:
    """Make a column of a code a row, the place of its value in `values`; a negative one is NA, a value like others."""
    values = list(values)
    if codes.size and codes.min() < 0:
        codes = np.where(codes < 0, len(values), codes)
        values.append(None)
    return Column(name, compact(codes, len(values)), values, outcome=outcome)


def numbers(
    name: str,
    values: NDArray[np.float64],
    baseline: NDArray[np.bool_],
    *,
    cuts: Sequence[float] = CUTS,
    shown: Callable[[float], Any] = lambda x: int(x) if float(x).is_integer() else float(x),
    outcome: bool = False,
) -> Column:
    """Make a column of bins between quantiles of the baseline; NaN is a bin of its own.

    Items are the bins, all values from a cut on, and all before it. `shown` turns a value into what the reader sees.
    """
    known = ~np.isnan(values)
    all_known = bool(known.all())
    if all_known:
        given, rest, ours = values, values[baseline], values[~baseline]
    else:
        given, rest, ours = values[known], values[baseline & known], values[~baseline & known]
    edges = _edges(given, rest, ours, cuts)
    few = len(edges) < _FEW and bool(np.isin(given, edges).all())
    bins = len(edges)
    codes = np.full(len(values), -1, np.min_scalar_type(-bins - 2))
    for edge in edges:  # they are few: sooner than a binary search for each value
        codes += values >= edge
    if not all_known:
        codes[~known] = bins
    items: list[tuple[int, int, Any]] = [(i, bins, Between(shown(edges[i]), None)) for i in range(1, bins)]
    items += [(0, i, Between(None, shown(edges[i]))) for i in range(1, bins)]
    items += [(i, i + 1, Between(shown(edges[i]), shown(edges[i + 1]))) for i in range(1, bins - 1)]
    if few:
        items = [(i, i + 1, shown(edges[i])) for i in range(bins)]
        items += [(i, bins, Between(shown(edges[i]), None)) for i in range(1, bins - 1)]
        items += [(0, i, Between(None, shown(edges[i]))) for i in range(2, bins)]
    if not all_known:
        items.append((bins, bins + 1, None))
    low, high = (np.array([item[place] for item in items], dtype=np.int64) for place in (0, 1))
    return Column(name, codes, [item[2] for item in items], ranges=(low, high), outcome=outcome, n_codes=bins + 1)


def _edges(
    values: NDArray[np.float64],
    baseline: NDArray[np.float64],
    selection: NDArray[np.float64],
    cuts: Sequence[float],
) -> NDArray[np.float64]:
    """Give where bins begin, the first one at the smallest value; where a cut parts the two sides it is among them."""
    if not len(values):
        return np.zeros(0)
    distinct = np.unique(values[:10_000])
    if len(distinct) <= _FEW and len(distinct := np.unique(values)) <= _FEW:
        return distinct
    edges = [values.min()]
    if len(baseline):
        at = np.ceil(np.asarray(cuts) * (len(baseline) - 1)).astype(int)
        edges += np.sort(baseline)[at].tolist()  # sooner than a partition, as numpy sorts numbers by vectors
    if len(baseline) and len(selection):
        edges += [selection.min()] if selection.min() > baseline.max() else []
        edges += [baseline.min()] if selection.max() < baseline.min() else []
    return np.unique(edges)
