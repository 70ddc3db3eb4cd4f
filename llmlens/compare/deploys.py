"""Changes of version in a group of traces: what replaced what, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .presence import Use, came_later, presence

if TYPE_CHECKING:
    import pandas as pd

    from .presence import Flags

#: So many traces before and after a change tell which version lost what another one won.
_AROUND = 200
#: Of what a version won, the share that another must have lost to be the one that was replaced.
_LOST = 0.25
#: Fewer uses are never a version in use.
_FEWEST = 3


@dataclass(frozen=True, slots=True)
class Deploy:
    """A version that came into use, and what it replaced (None: nothing, it came beside the others)."""

    before: str | None
    after: str
    since: pd.Timestamp
    onset: pd.Timestamp
    until: pd.Timestamp | None
    last: pd.Timestamp
    n_before: int
    n_after: int


def deploys(used: pd.DataFrame) -> list[Deploy]:
    """Find the changes of version in one group: rows of `version`, `trace_id` and `start`, in order of time.

    A version that was there from the beginning changed nothing.
    """
    places, traces = used["trace_id"].factorize()
    times = list(used["start"].groupby(places, sort=True).first())
    flags = {}
    for version, rows in used.groupby("version", sort=True).indices.items():
        if len(rows) >= _FEWEST:
            flags[str(version)] = np.zeros(len(traces), dtype=bool)
            flags[str(version)][places[rows]] = True
    uses = {version: presence(each) for version, each in flags.items()}
    return [
        _deploy(version, use, flags, uses, times)
        for version, each in uses.items()
        for use in each
        if use.first >= _FEWEST and (use is not each[0] or came_later(flags[version], use))
    ]


def _deploy(
    after: str, use: Use, flags: dict[str, Flags], uses: dict[str, list[Use]], times: list[pd.Timestamp]
) -> Deploy:
    onset = use.first
    before = _replaced(after, use, flags)
    n_after = int(flags[after][onset : use.last + 1].sum())
    if before is None:
        return Deploy(None, after, times[0], times[onset], None, times[use.last], onset, n_after)
    earlier = [each for each in uses[before] if each.first < onset]
    former = earlier[-1] if earlier else Use(0, onset - 1, open=False)
    # What goes on beside the new version, or outlives it, was never replaced for good.
    until = None if former.open or former.last > use.last else times[max(former.last, onset)]
    last = len(times) - 1 if until is None else max(former.last, 0)
    n_before = int(flags[before][former.first : last + 1].sum())
    return Deploy(before, after, times[former.first], times[onset], until, times[use.last], n_before, n_after)


def _replaced(after: str, use: Use, flags: dict[str, Flags]) -> str | None:
    """Give the version that lost most when `after` came into use."""
    earlier = slice(max(0, use.first - _AROUND), use.first)
    later = slice(max(use.first, use.last + 1 - _AROUND), use.last + 1)
    lost = {version: float(each[earlier].mean() - each[later].mean()) for version, each in flags.items()}
    won = -lost.pop(after)
    most = max(lost, key=lambda version: lost[version], default=None)
    return most if most is not None and lost[most] >= _LOST * won else None
