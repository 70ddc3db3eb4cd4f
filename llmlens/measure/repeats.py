"""Steps that repeat: runs of the same call, and cycles of several, in sequences of all traces at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]
    Flags: TypeAlias = NDArray[np.bool_]
    #: Says of pairs of steps (earlier, later) which are the same.
    Same: TypeAlias = Callable[[Integers, Integers], Flags]

#: So many times the same is a loop.
ROUNDS = 3
#: The longest cycle that is looked for, in steps.
LONGEST = 4


@dataclass(frozen=True, slots=True)
class Repeat:
    """The steps `steps` (in order) go round with a period of `period` steps: 1 is the same step again and again."""

    steps: Integers
    period: int

    @property
    def again(self) -> Integers:
        """The steps after the first round."""
        return self.steps[self.period :]


def repeats(sequence: Integers, same: Same, periods: range, free: Flags) -> list[Repeat]:
    """Find repeats in sequences: steps in order, `sequence` says which one each belongs to (sorted).

    A cycle of `period` steps is one that is the same as `period` steps before, for `ROUNDS` rounds, with steps in it
    that are not all the same. The shortest period comes first; `free` marks the steps in none yet, and is updated.
    The last steps of one may be in the first round of another of the same period (A-B-A-B-A-B-C-B-C-B-C).
    """
    n = len(sequence)
    found: list[Repeat] = []
    if n < ROUNDS:
        return found
    step = np.arange(n)
    alike = _same_as_before(sequence, same, step, 1)
    for period in periods:
        if n <= period:
            break
        again = alike if period == 1 else _same_as_before(sequence, same, step, period)
        again &= free & np.append(np.zeros(period, np.bool_), free[:-period])
        edges = np.diff(np.concatenate([[0], again.astype(np.int8), [0]]))
        first, last = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        long_ = last - first >= (ROUNDS - 1) * period
        for begin, end in zip(first[long_].tolist(), last[long_].tolist(), strict=True):
            steps = step[begin - period : end]
            if period > 1 and alike[steps[1:]].all():
                continue
            free[steps] = False
            found.append(Repeat(steps, period))
    return found


def _same_as_before(sequence: Integers, same: Same, step: Integers, period: int) -> Flags:
    """Say which steps are the same as the one `period` steps before in their sequence."""
    later = step[period:][sequence[period:] == sequence[:-period]]
    flags = np.zeros(len(step), np.bool_)
    flags[later] = same(later - period, later)
    return flags
