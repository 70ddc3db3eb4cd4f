"""Changes of the same traces are one incident: the most telling one names it, the others say what else moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .change import Change, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .signs import Sign
    from .streams import Stream

#: Changes that share so much of the smaller one's traces are one incident.
_SAME = 0.5
#: What else moved with an incident must be this sure; the incident itself was found among all.
_SURE = 1e-3
_FEWEST = 8


@dataclass(frozen=True, slots=True, eq=False)
class Incident:
    """A change, its q-value, and what else moved in the same traces at the same time, most telling first."""

    change: Change
    q: float
    also: tuple[Change, ...]

    @property
    def worse(self) -> bool | None:
        """Whether anything of it got worse, else whether the change itself is better; None where neither way is."""
        return True if any(each.worse for each in (self.change, *self.also)) else self.change.worse


def incidents(found: Sequence[tuple[Change, float]], every: Sequence[Stream], seed: int) -> list[Incident]:
    """Put sure changes (with their q) together to incidents: what got worse first, then what differs, what improved."""
    groups: list[list[tuple[Change, float]]] = []
    for change, q in sorted(found, key=lambda each: -each[0].weight):
        home = next((group for group in groups if _together(group[0][0], change)), None)
        if home is None:
            groups.append([(change, q)])
        else:
            home.append((change, q))
    made = [_incident(group, every, seed) for group in groups]
    rank = {True: 0, None: 1, False: 2}
    return sorted(made, key=lambda each: (rank[each.worse], -each.change.weight))


def _together(one: Change, other: Change) -> bool:
    if not _may_belong(one.stream.sign, other.stream.sign):
        return False
    ours, theirs = one.trace_ids, other.trace_ids
    return len(ours & theirs) >= _SAME * min(len(ours), len(theirs))


def _may_belong(one: Sign, other: Sign) -> bool:
    """Say whether a change of one can be part of the other's: of traffic only traffic is, of a price only costs are."""
    if (one.family == "traffic") != (other.family == "traffic"):
        return False
    return (one.source == "prices") == (other.source == "prices") or "usd" in (one.unit, other.unit)


def _incident(group: list[tuple[Change, float]], every: Sequence[Stream], seed: int) -> Incident:
    """Look at every other stream of the same slice, between the first trace of the stretch and the last."""
    first, q = group[0]
    others = [change for change, _ in group[1:]]
    known = {id(change.stream) for change, _ in group}
    for stream in _kin(first.stream, every):
        if id(stream) in known:
            continue
        inside = stream.start >= first.since
        inside[: stream.begin] = False
        if first.until is not None:
            inside &= stream.start <= first.until
        usual = stream.usual(inside)
        if min(inside.sum(), usual.sum()) < _FEWEST:
            continue
        change = measured(stream, inside, seed, z=0.0, p=1.0)
        if change.matters and change.estimate.p <= _SURE:
            error = float(stream.numbers.std()) * np.sqrt(1 / inside.sum() + 1 / usual.sum())
            others.append(replace(change, z=abs(change.after - change.before) / error, p=change.estimate.p))
    return Incident(first, q, tuple(sorted(others, key=lambda each: -each.weight)))


def _kin(first: Stream, every: Sequence[Stream]) -> Iterator[Stream]:
    """Give the streams of which at least half of the traces are of the same slice: a feature's tools, say."""
    others = [each for each in every if each.sign.family != "traffic" and _may_belong(first.sign, each.sign)]
    same = [each for each in others if (each.slice, each.sign.slice) == (first.slice, first.sign.slice)]
    traces = pd.Index(list(set().union(*(each.trace_ids for each in same))))
    # Of objects np.isin looks at every pair.
    yield from (stream for stream in others if pd.Index(stream.trace_ids).isin(traces).mean() >= _SAME)
