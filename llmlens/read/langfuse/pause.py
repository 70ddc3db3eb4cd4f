"""Waiting as a server asked for it."""

from __future__ import annotations

import math
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


#: Langfuse counts these each for itself, and all other requests together (`RateLimitService.ts`, facts of 4.16): who
#: may delete no more scores today may still write some.
_BUCKETS = (
    r"DELETE \S*/scores/",
    r"\w+ \S*/ingestion$",
    r"\w+ \S*/annotation-queues",
    r"\w+ /api/public/(traces|observations|sessions)\b",
)


def bucket_of(method: str, path: str) -> int:
    """Give the bucket in which a request is counted."""
    return next((n for n, pattern in enumerate(_BUCKETS) if re.match(pattern, f"{method} {path}")), len(_BUCKETS))


@dataclass
class Pause:
    """The rests that all threads of a connection keep, because the server asked for them: one for each bucket."""

    on_wait: Callable[[float], object] | None = None
    _until: dict[int, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, bucket: int, seconds: float) -> None:
        """Let nobody send what counts in this bucket for so long."""
        with self._lock:
            self._until[bucket] = max(self._until.get(bucket, 0.0), time.monotonic() + seconds)
        if self.on_wait is not None:
            self.on_wait(seconds)

    def keep(self, bucket: int, deadline: float) -> bool:
        """Wait until the rest is over; False when that is after the deadline."""
        while (left := self.left(bucket)) > 0:
            if time.monotonic() + left > deadline:
                return False
            time.sleep(left)
        return True

    def left(self, bucket: int) -> float:
        """Give the seconds that the rest still lasts."""
        return self._until.get(bucket, 0.0) - time.monotonic()


def seconds_of(header: str | None) -> float:
    """Read a Retry-After: seconds, or a date (RFC 9110, 10.2.3); 0 where it says nothing."""
    try:
        seconds = float(header or "")
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header or "") - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0
