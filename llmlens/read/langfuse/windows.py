"""Windows of time: half-open, in whole milliseconds, which is what Langfuse keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SHORTEST_PART_MS = 60_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime(2020, 1, 1, tzinfo=UTC)  # before Langfuse was


class Window(NamedTuple):
    """From `since` on, before `until`; both in ms since the epoch."""

    since: int
    until: int

    @property
    def params(self) -> tuple[str, str]:
        """Give both ends as the API takes them, with their zone."""
        return iso(self.since), iso(self.until)

    def holds(self, at: int) -> bool:
        """Say whether a time, in ms since the epoch, is in it."""
        return self.since <= at < self.until

    def halves(self) -> tuple[Window, Window]:
        """Cut in the middle, the later half first."""
        middle = (self.since + self.until) // 2
        return Window(middle, self.until), Window(self.since, middle)

    def parts(self, n: int) -> list[Window]:
        """Cut into `n` parts, or fewer when they would be shorter than a minute, the latest first."""
        n = max(1, min(n, (self.until - self.since) // _SHORTEST_PART_MS))
        ends = [self.since + (self.until - self.since) * k // n for k in range(n + 1)]
        return [Window(a, b) for a, b in pairwise(ends)][::-1]


def split(windows: Sequence[Window], n: int) -> list[Window]:
    """Cut windows so that there are about `n` in all, of about the same length."""
    whole = sum(window.until - window.since for window in windows)
    return [part for window in windows for part in window.parts(round(n * (window.until - window.since) / whole))]


def ms(at: datetime) -> int:
    """Give milliseconds since the epoch, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def iso(at_ms: int) -> str:
    """Write a time as the API takes it."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uncovered(window: Window, covered: Iterable[Window]) -> list[Window]:
    """Give what is left of a window when others are taken out.

    >>> uncovered(Window(0, 10), [Window(2, 4), Window(3, 6)])
    [Window(since=0, until=2), Window(since=6, until=10)]
    """
    left, at = [], window.since
    for other in sorted(covered):
        if other.since > at:
            left.append(Window(at, min(other.since, window.until)))
        at = max(at, other.until)
        if at >= window.until:
            break
    if at < window.until:
        left.append(Window(at, window.until))
    return [each for each in left if each.since < each.until]
