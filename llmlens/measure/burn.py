"""Error budgets: how quickly one is spent, and what is urgent about it.

Google (2018), The Site Reliability Workbook, chapter 5, "Alerting on SLOs".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from llmlens.statistics.shares import wilson

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Times: TypeAlias = npt.NDArray[np.int64]

#: With fewer judgements than these in a window nothing is said of its burn rate.
LEAST = 10
HOUR = 3_600_000_000  # in microseconds


@dataclass(frozen=True, slots=True)
class Window:
    """A window over which a burn rate is taken, and the rate and urgency of its alert (the workbook's table 5-8).

    An alert needs the rate over the last twelfth of the window too, so that it ends soon after what it is about.
    """

    name: str
    hours: float
    threshold: float
    alert: str


#: Of a budget for 30 days: 2 % in an hour, 5 % in 6 hours, 10 % in 3 days.
WINDOWS = (Window("1h", 1, 14.4, "page"), Window("6h", 6, 6.0, "page"), Window("3d", 72, 1.0, "ticket"))


@dataclass(frozen=True, slots=True)
class Rate:
    """Which share failed of how many, with its interval, in units of the share that may fail."""

    n: int
    value: float
    low: float
    high: float


class Judged:
    """Judgements in order of time: `at` in microseconds, `failed` from 0 to 1."""

    def __init__(self, at: Times, failed: Floats, allowed: float) -> None:
        """Sort them; `allowed` is the share that may fail."""
        order = np.argsort(at, kind="stable")
        self.at = at[order]
        self._failed = np.concatenate([[0.0], np.cumsum(failed[order])])
        self._allowed = allowed

    def burn(self, start: float, end: float) -> Rate:
        """Give the burn rate from `start` to before `end`: 1 spends the budget exactly; NaN of too few."""
        first, last = np.searchsorted(self.at, [start, end])
        n = int(last - first)
        if n < LEAST:
            return Rate(n, np.nan, np.nan, np.nan)
        share = float(np.clip((self._failed[last] - self._failed[first]) / n, 0, 1))
        low, high = wilson(share, n)
        return Rate(n, share / self._allowed, low / self._allowed, high / self._allowed)

    def spent(self, start: float, end: float, failures: float) -> float:
        """Give when so many had failed since `start`; NaN when not before `end`."""
        first, last = np.searchsorted(self.at, [start, end])
        past = self._failed[first + 1 : last + 1] - self._failed[first] >= failures - 1e-9
        return float(self.at[first + int(past.argmax())]) if past.any() else np.nan

    def alert(self, end: float) -> str | None:
        """Give the most urgent alert at `end`: page, ticket or none; None where no window has enough to say."""
        known = [window for window in WINDOWS if not np.isnan(self.burn(end - window.hours * HOUR, end).value)]
        fired = [window.alert for window in known if self._fires(window, end)]
        return min(fired) if fired else ("none" if known else None)  # "page" comes before "ticket"

    def _fires(self, window: Window, end: float) -> bool:
        recent = self.burn(end - window.hours * HOUR / 12, end)
        # A last twelfth with too few judgements is no sign that it is over.
        goes_on = np.isnan(recent.value) or recent.value >= window.threshold
        return bool(goes_on and self.burn(end - window.hours * HOUR, end).value >= window.threshold)
