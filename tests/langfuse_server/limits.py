"""Rate limits: fixed windows for buckets of routes, shared by all who call."""

from __future__ import annotations

import math
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from .errors import Refusal


class Limit(NamedTuple):
    """So many requests in so many seconds; one fewer goes through."""

    requests: int
    seconds: float = 60.0


_DAY = 86_400.0
#: The plans of the cloud. A bucket without a limit is not named.
HOBBY = {
    "public-api": Limit(30),
    "public-api-legacy": Limit(15),
    "ingestion": Limit(1000),
    "annotation-queues": Limit(100),
    "score-delete": Limit(50, _DAY),
}
CORE = {
    "public-api": Limit(1000),
    "public-api-legacy": Limit(30),
    "ingestion": Limit(20_000),
    "annotation-queues": Limit(1000),
    "score-delete": Limit(200, _DAY),
}
PRO = CORE | {"public-api-legacy": Limit(100), "score-delete": Limit(1000, _DAY)}

_BUCKETS = (
    (r"\w+ /api/public/health$", None),
    (r"DELETE /api/public/scores/", "score-delete"),
    (r"\w+ /api/public/ingestion$", "ingestion"),
    (r"\w+ /api/public/annotation-queues", "annotation-queues"),
    (r"\w+ /api/public/(traces|observations|sessions)\b", "public-api-legacy"),
    (r"", "public-api"),
)


class Limits:
    """How much of each window is used up."""

    def __init__(self, of: dict[str, Limit]) -> None:
        self.of = of
        self._windows: dict[str, tuple[float, int]] = {}  # begun, used
        self._lock = threading.Lock()

    def take(self, request: str) -> None:
        """Count a request, "METHOD /path"; refuse it when its window is used up."""
        bucket = next(bucket for pattern, bucket in _BUCKETS if re.match(pattern, request))
        limit = None if bucket is None else self.of.get(bucket)
        if bucket is None or limit is None:
            return
        now = time.monotonic()
        with self._lock:
            begun, used = self._windows.get(bucket, (now, 0))
            if now - begun >= limit.seconds:
                begun, used = now, 0
            self._windows[bucket] = begun, used + 1
        if used + 1 >= limit.requests:
            raise _too_many(limit, begun + limit.seconds - now, legacy=bucket == "public-api-legacy")


def _too_many(limit: Limit, wait_s: float, *, legacy: bool) -> Refusal:
    reset = datetime.now(UTC) + timedelta(seconds=wait_s)
    headers = {
        "Retry-After": str(math.ceil(wait_s)),
        "X-RateLimit-Limit": str(limit.requests),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": reset.strftime("%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"),
    }
    hint = " Use the v2 and v3 endpoints, whose limits are higher." if legacy else ""
    return Refusal(429, "Rate limit exceeded." + hint, headers, error="RateLimitError")
