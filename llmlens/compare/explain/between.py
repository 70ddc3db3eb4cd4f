"""A range of numbers or times, as the value of a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Between:
    """At least `low` and less than `high`; None where there is no bound. `5 in Between(1, None)` is true."""

    low: Any = None
    high: Any = None

    def __contains__(self, value: Any) -> bool:
        """Say whether a value is within."""
        return bool((self.low is None or value >= self.low) and (self.high is None or value < self.high))

    def __repr__(self) -> str:
        """Write it as one would say it."""
        if self.high is None:
            return f"≥ {_plain(self.low)}"
        if self.low is None:
            return f"< {_plain(self.high)}"
        return f"{_plain(self.low)} to < {_plain(self.high)}"


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
