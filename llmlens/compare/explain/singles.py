"""Every single condition: what it counts, how strongly it speaks, and its chance among all that were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .evidence import FEWEST, deviance, log_p, tabulated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .column import Column

#: Columns with more conditions than this are judged by Bonferroni's bound, not by permutation.
MANY = 2_000
#: So many labels are shuffled at most, and so many codes counted in all.
_SHUFFLES = 499
_WORK = 40_000_000
_ALPHA = 0.05


@dataclass(frozen=True)
class Items:
    """Conditions, an entry each: item `item` of column `column`, which holds for `marked` rows, `both` selected.

    `g`: signed strength (`evidence.deviance`); `log_p`: log of the exact two-sided p-value.
    """

    column: NDArray[np.int64]
    item: NDArray[np.int64]
    marked: NDArray[np.int64]
    both: NDArray[np.int64]
    g: NDArray[np.float64]
    log_p: NDArray[np.float64]


def count_items(columns: Sequence[Column], chosen: NDArray[np.intp], n: int) -> Items:
    """Count every condition that at least `FEWEST` rows fulfil and not all."""
    column, item, marked, both = [], [], [], []
    for place, each in enumerate(columns):
        every, ours = each.count(), each.count(chosen)
        kept = np.flatnonzero((every >= FEWEST) & (every < n))
        column.append(np.full(len(kept), place))
        item.append(kept)
        marked.append(every[kept])
        both.append(ours[kept])
    parts = [np.concatenate(part) if part else np.zeros(0, np.int64) for part in (column, item, marked, both)]
    g = deviance(parts[3], parts[2], len(chosen), n)
    chance = np.where(g == 0, 0.0, log_p(parts[3], parts[2], len(chosen), n))
    return Items(parts[0], parts[1], parts[2], parts[3], g, chance)


def adjust(items: Items, columns: Sequence[Column], n_chosen: int, n: int, seed: int) -> NDArray[np.float64]:
    """Give each condition its p-value among all the conditions of its family, against the largest strength by chance.

    Labels are shuffled, and the largest strength of each shuffle is what a condition must exceed (Westfall and Young
    1993, Resampling-based multiple testing; stopped early after Besag and Clifford 1991). Below what shuffles can
    resolve, and for columns of very many values, it is Bonferroni's bound on the exact p-value.
    """
    sizes = np.bincount(items.column, minlength=len(columns))
    wide = (sizes > MANY)[items.column]
    q = np.ones(len(items.g))
    for family in (wide, ~wide):
        bound = np.minimum(1.0, np.exp(items.log_p[family]) * family.sum())
        q[family] = bound
        shuffled = [columns[place] for place in np.unique(items.column[family])]
        if family is wide or not bound.size:
            continue
        strength = np.abs(items.g[family])
        by_chance = _largest(shuffled, strength, bound, (n_chosen, n), seed)
        if len(by_chance):
            least = 1 / (len(by_chance) + 1)
            above = len(by_chance) - np.searchsorted(by_chance, strength, side="left")
            measured = (1 + above) * least
            q[family] = np.where(above == 0, np.minimum(measured, bound), measured)
    if wide.any() and not wide.all():
        q = np.minimum(1.0, 2 * q)  # two families, each at half the level
    return q


def _largest(
    columns: Sequence[Column],
    strength: NDArray[np.float64],
    bound: NDArray[np.float64],
    size: tuple[int, int],
    seed: int,
) -> NDArray[np.float64]:
    """Give the largest strength of each shuffle, ascending; none when there are too many rows to shuffle."""
    n_chosen, n = size
    random = np.random.default_rng(seed)
    drawn = min(n_chosen, n - n_chosen)  # the smaller side is drawn, and tells what the other one has
    shuffles = min(_SHUFFLES, _WORK // max(1, drawn * len(columns)))
    open_yet = strength[(bound > 1 / (shuffles + 1)) & (strength > 0)]
    if shuffles < 99 or not len(open_yet):
        return np.zeros(0)
    marked = [each.count() for each in columns]
    look_up = tabulated(n)
    found: list[float] = []
    exceeded = 0
    together = max(1, 200_000 // drawn)
    while len(found) < shuffles and exceeded <= _ALPHA * (shuffles + 1):
        times = min(together, shuffles - len(found))
        rows = np.concatenate([random.choice(n, drawn, replace=False, shuffle=False) for _ in range(times)])
        shuffle = np.repeat(np.arange(times), drawn)
        largest = np.zeros(times)
        for each, every in zip(columns, marked, strict=True):
            codes, owners = each.take(rows)
            shift = (shuffle if owners is None else shuffle[owners]) * each.length
            counts = np.bincount(codes + shift, minlength=times * each.length).reshape(times, each.length)
            judged = (every >= FEWEST) & (every < n)
            both, of = each.of_codes(counts)[:, judged], every[judged]
            g = deviance(both if drawn == n_chosen else of - both, of, n_chosen, n, look_up)
            largest = np.maximum(largest, np.abs(g).max(axis=1, initial=0.0))
        found += largest.tolist()
        exceeded = int((np.array(found) >= open_yet.max()).sum())
    return np.sort(found)
