"""When a version was in use: from its first to its last sustained use, whatever strays before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Flags: TypeAlias = npt.NDArray[np.bool_]
    Floats: TypeAlias = npt.NDArray[np.float64]

#: The share of traces that strays may have: an old instance, a retry, a test before the rollout.
_STRAY = 0.01
#: The share at which a version that was not in use is first looked for, and the least and most while it is.
_STARTED, _LEAST, _MOST = 0.10, 0.05, 0.30
#: How surely a turn is one, in log odds beyond the chances there were for it: 0.05 over all traces.
_SURE = 3.0


@dataclass(frozen=True, slots=True)
class Use:
    """A time in use: the places of its first and last trace, and whether it goes on to the end of the data."""

    first: int
    last: int
    open: bool


def presence(uses: Flags) -> list[Use]:
    """Give the times that a version was in use, of traces in order of time.

    `uses` says which traces used it. The log odds of being in use against straying are summed up, and a turn is told
    once the sum is far enough from its extreme, which is where the turn was: Page (1954), Continuous inspection
    schemes, Biometrika 41, 100-115. A version in use is expected at the share that it had so far, so that one in
    twenty traces is a use as steady as all of them.

    >>> presence(np.array([False] * 50 + [True] * 50))
    [Use(first=50, last=99, open=True)]
    """
    found, place, evidence = [], 0, _evidence(uses)
    while place < len(uses):
        begin = _turn(_odds(uses[place:], np.full(len(uses) - place, _STARTED)), evidence)
        if begin is None:
            break
        first = place + begin
        rest = uses[first:]
        share = (np.cumsum(rest) + 1) / (np.arange(1, len(rest) + 1) + 1 / _LEAST)
        end = _turn(-_odds(rest, np.clip(share, _LEAST, _MOST)), evidence)
        place = len(uses) if end is None else first + end
        found.append(Use(first, first + int(np.flatnonzero(uses[first:place])[-1]), open=end is None))
    return found


def came_later(uses: Flags, use: Use) -> bool:
    """Say whether a version was not in use before its first use, rather than seldom seen by chance."""
    share = np.clip(uses[use.first : use.last + 1].mean(), _LEAST, 1 - _STRAY)
    return bool(-_odds(uses[: use.first], np.full(use.first, share)).sum() >= _evidence(uses))


def _evidence(uses: Flags) -> float:
    return float(np.log(max(len(uses), 1)) + _SURE)


def _odds(uses: Flags, share: Floats) -> Floats:
    """Give the log odds that each trace adds for a use at this share."""
    return np.where(uses, np.log(share / _STRAY), np.log((1 - share) / (1 - _STRAY)))


def _turn(odds: Floats, evidence: float) -> int | None:
    """Give the place from which the sum of odds rose by the evidence that it takes; None if it never did."""
    total = np.concatenate([[0.0], np.cumsum(odds)])
    lowest = np.minimum.accumulate(total)
    risen = np.flatnonzero(total - lowest >= evidence)
    return int(np.flatnonzero(total[: risen[0]] == lowest[risen[0]])[-1]) if len(risen) else None
