"""Pairs of conditions that say more together than either does alone.

A pair can matter while neither of its members can be seen. So all pairs of the conditions that are frequent in the
selection are counted at once, as a product of matrices, on a sample; the most promising are counted on the whole. The
p-value answers for all that the search was free to choose from, the pairs of all conditions that are not very rare:
every two columns have an equal share of the level, and every pair of their values an equal share of that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .evidence import FEWEST, deviance, log_tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .column import Column
    from .sampling import Sample
    from .singles import Items

#: Members are frequent enough in the whole, and in the selection: a pair is not more frequent than its members.
_FEWEST, _SHARE, _SHARE_OF_SELECTION = 2 * FEWEST, 0.0005, 0.02
#: So many conditions are paired at most, of ordered columns (whose ranges overlap) the strongest only.
_MEMBERS, _RANGES = 500, 6
#: So many pairs of circumstances, and so many with an outcome, are counted on the whole; of two columns so many.
_CONFIRMED, _OF_COLUMNS = 60, 3
_ALPHA = 0.05
#: The chance that a pair is preferred to a member of it that says it all, over all partners of that member.
_ADDS = 0.02


@dataclass(frozen=True)
class Pair:
    """Two conditions (places in `Items`) that hold together for `marked` rows, `both` of them selected."""

    first: int
    second: int
    marked: int
    both: int
    g: float
    q: float


def find_pairs(columns: Sequence[Column], items: Items, selected: NDArray[np.bool_], sample: Sample) -> list[Pair]:
    """Find the pairs that go with the selection, and add to what each of their members says alone."""
    n, n_selected = len(selected), int(selected.sum())
    eligible = items.marked >= max(_FEWEST, _SHARE * n)
    sizes = np.bincount(items.column[eligible], minlength=len(columns)).astype(float)
    tests = _tests(columns, sizes)
    members = _members(columns, items, np.flatnonzero(eligible), n_selected)
    found = []
    masks: dict[int, NDArray[np.bool_]] = {}

    def mask(place: int) -> NDArray[np.bool_]:
        if place not in masks:
            masks[place] = columns[items.column[place]].holds(int(items.item[place]))
        return masks[place]

    for first, second in _promising(columns, items, members, sample, tests):
        together = mask(first) & mask(second)
        marked, both = int(np.count_nonzero(together)), int(np.count_nonzero(together & selected))
        g = float(deviance(both, marked, n_selected, n))
        of = items.column[first], items.column[second]
        q = min(1.0, float(np.exp(log_tail(both, marked, n_selected, n))) * tests[of])
        adds = max(
            float(log_tail(both, marked, items.both[member], items.marked[member]))
            + np.log(sizes[partner] * np.count_nonzero(sizes))
            for member, partner in ((first, of[1]), (second, of[0]))
        )
        if g > 0 and q <= _ALPHA and adds <= np.log(_ADDS):
            found.append(Pair(first, second, marked, both, g, q))
    return found


def _tests(columns: Sequence[Column], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give by what a p-value of a pair of two columns is multiplied, for any two columns."""
    there = np.count_nonzero(sizes)
    within = sum(column.is_set and size > 1 for column, size in zip(columns, sizes, strict=True))
    tests: NDArray[np.float64] = np.outer(sizes, sizes) * max(1.0, there * (there - 1) / 2 + within)
    return tests


def _members(columns: Sequence[Column], items: Items, eligible: NDArray[np.intp], n_selected: int) -> NDArray[np.intp]:
    """Choose the conditions that are paired: the strongest, and those that are frequent in the selection."""
    present = eligible[items.both[eligible] >= FEWEST]
    strongest = present[np.argsort(-items.g[present], kind="stable")]
    ordered = np.array([column.is_ordered for column in columns], dtype=bool)
    ranges = strongest[ordered[items.column[strongest]]]
    kept = [ranges[items.column[ranges] == place][:_RANGES] for place in np.flatnonzero(ordered)]
    plain = strongest[~ordered[items.column[strongest]]]
    frequent = plain[items.both[plain] >= _SHARE_OF_SELECTION * n_selected]
    most = frequent[np.argsort(-items.both[frequent], kind="stable")]
    half = _MEMBERS // 2
    chosen = np.concatenate([*kept, plain[:half], most[:half]]).astype(np.intp)
    return np.unique(chosen)


def _promising(
    columns: Sequence[Column], items: Items, members: NDArray[np.intp], sample: Sample, tests: NDArray[np.float64]
) -> list[tuple[int, int]]:
    """Give the pairs that, by the sample, exceed their members by most, and could be more than chance."""
    if len(members) < 2 or not sample.selected or not sample.rest:
        return []
    holds = sample.matrix(columns, [(int(items.column[m]), int(items.item[m])) for m in members])
    ours, rest = holds[: sample.selected], holds[sample.selected :]
    seen = (ours.T @ ours).astype(float)
    weight, weight_of_rest = sample.scale()
    both = seen * weight
    g = deviance(both, both + (rest.T @ rest) * weight_of_rest, sample.n_selected, sample.n)
    alone = np.diag(g)
    gain = g - np.maximum(alone[:, None], alone[None, :])
    of = items.column[members]
    within = np.array([column.is_set for column in columns], dtype=bool)[of]
    apart = (of[:, None] != of[None, :]) | within[:, None]
    fits = np.triu(apart & (seen >= FEWEST) & (g > 2 * np.log(tests[np.ix_(of, of)] / _ALPHA) * 0.8), k=1)
    first, second = np.nonzero(fits)
    outcome = np.array([column.outcome for column in columns])[of]
    taken: Counter[Any] = Counter()
    promising = []
    for i in np.argsort(-gain[first, second], kind="stable"):
        one, other = int(first[i]), int(second[i])
        kind, places = bool(outcome[one] or outcome[other]), (int(of[one]), int(of[other]))
        if taken[kind] < _CONFIRMED and taken[places] < _OF_COLUMNS:
            taken.update([kind, places])
            promising.append((int(members[one]), int(members[other])))
    return promising
