"""Spans as trees in arrays: self time and critical path of all traces at once, without a loop over spans."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]
    Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Forest:
    """Spans: the index of their `parent` (-1 on roots), their `start` and `end` in µs, the number of their trace.

    Parents form no cycle. The spans of a trace without a parent are children of the trace itself, which spans from its
    first start to its last end; it is the node `len(parent) + trace` here, after all spans.
    """

    parent: Integers
    start: Integers
    end: Integers
    trace: Integers

    @cached_property
    def above(self) -> Integers:
        """The parent of each node, the trace for a root; a trace is its own parent."""
        n = len(self.parent)
        traces = n + np.arange(self.n_traces)
        return np.append(np.where(self.parent < 0, n + self.trace, self.parent), traces)

    @cached_property
    def n_traces(self) -> int:
        """How many traces there are."""
        return int(self.trace.max()) + 1 if len(self.trace) else 0

    @cached_property
    def clipped(self) -> tuple[Integers, Integers]:
        """Start and end of each node as far as all above it last, too; a span outside of them has no length there."""
        largest, smallest = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        first, last = np.full(self.n_traces, largest), np.full(self.n_traces, smallest)
        np.minimum.at(first, self.trace, self.start)
        np.maximum.at(last, self.trace, np.maximum(self.start, self.end))
        start, end = np.append(self.start, first), np.append(np.maximum(self.start, self.end), last)
        up = self.above
        while True:
            low, high = start[up], end[up]  # to clip to one and then to the next is to clip to that one clipped
            start, end = np.clip(start, low, high), np.clip(end, low, high)
            higher = up[up]
            if (higher == up).all():
                return start, end
            up = higher

    @cached_property
    def self_time(self) -> Integers:
        """µs in which a node lasts and none of its children do: the union of the children is taken off."""
        n = len(self.parent)
        start, end = self.clipped
        own = end - start
        order = np.lexsort((start[:n], self.above[:n]))
        above = self.above[:n][order]
        # Seen from its parent's start, and behind all of the parent before: one running maximum serves all parents.
        family = _families(above, end - start)
        first, last = start[order] - start[above] + family, end[order] - start[above] + family
        covered = np.maximum.accumulate(np.append(-1, last))[:-1]
        covered = np.maximum(covered, family)
        np.subtract.at(own, above, np.maximum(last - np.maximum(first, covered), 0))
        return own

    @cached_property
    def path_time(self) -> Integers:
        """µs that the trace waits for each node itself: its part of the critical path; they sum to the trace.

        From the end of a node backwards: the child that ended last is waited for, before it the child that ended last
        before it began, and so on; what is left is the node's own. Böhme et al. (2010), Identifying the root causes of
        wait states in large-scale parallel applications; Zhang et al. (2022), CRISP, USENIX ATC, section 3.
        """
        n = len(self.parent)
        start, end = self.clipped
        waited = np.append(self._waited_for(start, end), np.ones(self.n_traces, np.bool_))
        up = self.above
        while True:  # whoever is waited for, but for what nobody waits for, is not on the path
            waited &= waited[up]
            higher = up[up]
            if (higher == up).all():
                break
            up = higher
        length = np.where(waited, end - start, 0)
        own = length.copy()
        np.subtract.at(own, self.above[:n], length[:n])
        return own

    def _waited_for(self, start: Integers, end: Integers) -> Flags:
        """Say of each span whether its parent waits for it, whatever waits for the parent."""
        n = len(self.parent)
        begins, ends = start[:n] - start[self.above[:n]], end[:n] - start[self.above[:n]]
        order = np.lexsort((np.arange(n), ends, self.above[:n]))
        above = self.above[:n][order]
        new = np.append(True, above[1:] != above[:-1])[:n]
        family = _families(above, end - start)
        # The sibling that ended last before a span began: strictly before it in this order, so that chains end.
        place = np.arange(n)
        before = np.searchsorted(ends[order] + family, begins[order] + family, side="right") - 1
        before = np.minimum(before, place - 1)
        first_of_family = np.maximum.accumulate(np.where(new, place, 0))
        nobody = n
        jump = np.append(np.where(before >= first_of_family, before, nobody), nobody)
        marked = np.append(np.append(new[1:], True)[:n], False)
        while (jump[:n] != nobody).any():
            reached = jump[marked]
            marked[reached] = True
            marked[nobody] = False
            jump = jump[jump]
        waited = np.zeros(n, np.bool_)
        waited[order] = marked[:n]
        return waited


def _families(above: Integers, length: Integers) -> Integers:
    """Give each child, sorted by parent, a time that lies behind all of the families before."""
    new = np.flatnonzero(np.append(True, above[1:] != above[:-1])[: len(above)])
    behind = np.cumsum(np.append(0, length[above[new]] + 1))[:-1]
    return np.repeat(behind, np.diff(np.append(new, len(above))))
