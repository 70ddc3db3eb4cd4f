"""Which conditions explain the others.

Stepwise: the strongest condition is taken first; the next is what says most given those that were taken, as long as it
says more than chance; and one that was taken is let go when those taken later say it all. What remains given what was
taken is tested by the Mantel-Haenszel comparison of observed and expected counts over strata (1959).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .evidence import log_bennett

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ALPHA = 0.05
_MOST = 8
_STEPS = 30


def explain_away(
    holds: NDArray[np.float32], selected: int, strength: NDArray[np.float64], outcome: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Give for each condition the place of the one that explains it, or -1 where none does.

    `holds`: a row a sampled row, the first `selected` of them selected, and a column a condition, the best first;
    `strength`: signed, its sign says whether the condition is more frequent in the selection. What is an `outcome` does
    not explain a circumstance.
    """
    taken: list[int] = []
    for candidates in (np.flatnonzero(~outcome), np.flatnonzero(outcome)):
        if len(candidates):
            _take(holds, selected, strength, candidates, taken)
    return _explainers(holds, selected, strength, outcome, taken)


def _take(
    holds: NDArray[np.float32],
    selected: int,
    strength: NDArray[np.float64],
    candidates: NDArray[np.intp],
    taken: list[int],
) -> None:
    """Add to `taken` those of the candidates that say more than the others that are taken."""
    enough = np.log(_ALPHA / holds.shape[1])
    locked = len(taken)
    for _ in range(_STEPS):
        if len(taken) >= locked + _MOST:
            return
        if not taken:
            taken.append(int(candidates[0]))  # the strongest of all
            continue
        remains = _remains(holds, selected, strength, candidates, taken)
        remains[np.isin(candidates, taken)] = 0
        best = int(np.argmin(remains))
        if remains[best] > enough:
            return
        taken.append(int(candidates[best]))
        for each in list(taken[locked:-1]):
            others = [t for t in taken if t != each]
            if _remains(holds, selected, strength, np.array([each]), others)[0] > enough:
                taken.remove(each)


def _remains(
    holds: NDArray[np.float32],
    selected: int,
    strength: NDArray[np.float64],
    which: NDArray[np.intp],
    given: Sequence[int],
) -> NDArray[np.float64]:
    """Give the log of the chance of what each condition says beyond those that are given; 0 where it says nothing."""
    stratum = _strata(holds[:, list(given)])
    count = int(stratum.max()) + 1
    member = np.zeros((count, len(holds)), dtype=np.float32)
    member[stratum, np.arange(len(holds))] = 1
    looked = holds if len(which) == holds.shape[1] else holds[:, which]
    marked = (member @ looked).astype(float)
    both = (member[:, :selected] @ looked[:selected]).astype(float)
    rows = member.sum(axis=1, dtype=float)[:, None]
    ours = member[:, :selected].sum(axis=1, dtype=float)[:, None]
    expected = ours * marked / rows
    variance = expected * (rows - marked) / rows * (rows - ours) / np.maximum(rows - 1, 1)
    off = both.sum(axis=0) - expected.sum(axis=0)
    chance = log_bennett(both.sum(axis=0), expected.sum(axis=0), variance.sum(axis=0))
    return np.where(np.sign(off) == np.sign(strength[which]), chance, 0.0)


def _strata(given: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give each row a number, the same to rows in which the same of the given conditions hold."""
    pattern = given.astype(np.int64) @ (1 << np.arange(given.shape[1], dtype=np.int64))
    return np.unique(pattern, return_inverse=True)[1]


def _explainers(
    holds: NDArray[np.float32],
    selected: int,
    strength: NDArray[np.float64],
    outcome: NDArray[np.bool_],
    taken: list[int],
) -> NDArray[np.intp]:
    """Name for each condition that was not taken the one that leaves least of it, the stronger one where two do."""
    by = np.full(holds.shape[1], -1)
    least = np.full(holds.shape[1], -np.inf)
    for each in sorted(taken, key=lambda t: (-abs(strength[t]), t)):
        remains = _remains(holds, selected, strength, np.arange(holds.shape[1]), [each])
        better = (remains > least) & (outcome | (not outcome[each]))
        by[better], least[better] = each, remains[better]
    by[taken] = -1
    return by
