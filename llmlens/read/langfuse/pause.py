"""Waiting as a server asked for it."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Pause:
    """A rest that all threads of a connection keep, because the server asked for it."""

    on_wait: Callable[[float], object] | None = None
    _until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, seconds: float) -> None:
        """Let nobody send for so long."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + seconds)
        if self.on_wait is not None:
            self.on_wait(seconds)

    def keep(self, deadline: float) -> bool:
        """Wait until the rest is over; False when that is after the deadline."""
        while (left := self._until - time.monotonic()) > 0:
            if self._until > deadline:
                return False
            time.sleep(left)
        return True


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
