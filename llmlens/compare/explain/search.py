"""The numeric core: columns of codes and a selection of rows -> the conditions that set the selection apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .evidence import newcombe
from .pairs import find_pairs
from .prune import explain_away
from .sampling import take_sample
from .singles import adjust, count_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .column import Column
    from .sampling import Sample

_ALPHA = 0.05
#: So many single conditions, the strongest, are looked at for what explains what.
_SINGLES = 300


@dataclass(frozen=True)
class Finding:
    """A condition of one or two members (place of the column, item) that sets the selection apart.

    `marked` rows fulfil it, `both` of them selected. `g`: its strength, negative where it is rarer in the selection.
    `explained_by`: the place among the findings of the one that explains it, or None.
    """

    members: tuple[tuple[int, int], ...]
    marked: int
    both: int
    g: float
    q: float
    explained_by: int | None = None


def find(columns: Sequence[Column], selected: NDArray[np.bool_], *, seed: int = 0) -> list[Finding]:
    """Find the conditions that set the selected rows apart from the others: what explains first, then by strength.

    Under no difference at all, anything is found in at most 5 % of all cases. Of conditions that hold for the same rows
    the single one goes before the pair, and the earlier column before the later.
    """
    from threadpoolctl import threadpool_limits

    if selected.all() or not selected.any():
        return []
    with threadpool_limits(1, "blas"):  # these products are so small that more threads wait for each other
        return _find(columns, selected, seed)


def _find(columns: Sequence[Column], selected: NDArray[np.bool_], seed: int) -> list[Finding]:
    n, chosen = len(selected), np.flatnonzero(selected)
    items = count_items(columns, chosen, n)
    if not len(items.g):
        return []
    sample = take_sample(selected, np.random.default_rng(seed))
    # Singles and pairs are two families of conditions, each judged at half the level.
    q = np.minimum(1.0, 2 * adjust(items, columns, len(chosen), n, seed))
    passed = np.flatnonzero(q <= _ALPHA)
    passed = passed[np.argsort(-np.abs(items.g[passed]), kind="stable")][:_SINGLES]
    found = [
        Finding(
            ((int(items.column[i]), int(items.item[i])),),
            int(items.marked[i]), int(items.both[i]), float(items.g[i]), float(q[i]),
        )
        for i in passed
    ]  # fmt: skip
    for pair in find_pairs(columns, items, selected, sample):
        if 2 * pair.q <= _ALPHA:
            members = tuple((int(items.column[i]), int(items.item[i])) for i in (pair.first, pair.second))
            found.append(Finding(members, pair.marked, pair.both, pair.g, min(1.0, 2 * pair.q)))
    return _arranged(columns, sample, sorted(found, key=_rank))


def _rank(finding: Finding) -> tuple[float, int, bool, tuple[tuple[int, int], ...]]:
    return -round(abs(finding.g), 6), len(finding.members), finding.g < 0, finding.members


def _arranged(columns: Sequence[Column], sample: Sample, found: list[Finding]) -> list[Finding]:
    """Tell what explains what, and put what explains first.

    Of what is explained, pairs are left out, what another value of the same column explains, and of each column all but
    the strongest condition.
    """
    if not found:
        return []
    singles = sorted({member for finding in found for member in finding.members})
    place = {member: i for i, member in enumerate(singles)}
    each = sample.matrix(columns, singles)
    holds = np.stack([each[:, [place[m] for m in finding.members]].min(axis=1) for finding in found], axis=1)
    outcome = np.array([any(columns[column].outcome for column, _ in finding.members) for finding in found])
    by = explain_away(holds, sample.selected, np.array([finding.g for finding in found]), outcome)
    kept = [i for i in range(len(found)) if by[i] < 0]
    shown: dict[int, int] = {}
    for i, finding in enumerate(found):
        if by[i] < 0 or len(finding.members) > 1:
            continue
        column = finding.members[0][0]
        alone = found[int(by[i])].members
        if columns[column].is_set or len(alone) > 1 or alone[0][0] != column:
            shown.setdefault(column, i)
    kept += shown.values()
    new = {old: i for i, old in enumerate(kept)}
    arranged = []
    for i in kept:
        finding = found[i]
        explained_by = new[int(by[i])] if by[i] >= 0 else None
        arranged.append(Finding(finding.members, finding.marked, finding.both, finding.g, finding.q, explained_by))
    return arranged


def shares(finding: Finding, n_selected: int, n: int) -> tuple[float, float, float, float, float]:
    """Give the share of the selection and of the rest, their difference, and its 95 % interval."""
    ours, theirs = finding.both / n_selected, (finding.marked - finding.both) / (n - n_selected)
    low, high = newcombe(finding.both, finding.marked, n_selected, n)
    return ours, theirs, ours - theirs, float(low), float(high)
