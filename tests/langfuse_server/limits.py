"""Rate limits: fixed windows for buckets of routes."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field

from .errors import Refusal

#: Requests a minute on the smallest plan of the cloud.
HOBBY = {
    "public-api": 30,
    "public-api-legacy": 15,
    "ingestion": 1000,
    "annotation-queues": 100,
    "score-delete": 50,
}

_BUCKETS = (
    (r"DELETE /api/public/scores/", "score-delete"),
    (r"\w+ /api/public/ingestion", "ingestion"),
    (r"\w+ /api/public/annotation-queues", "annotation-queues"),
    (r"GET /api/public/(traces|observations|sessions)", "public-api-legacy"),
    (r"\w+ /api/public/health", None),
    (r"", "public-api"),
)


@dataclass
class Limits:
    """Requests allowed in a window, by bucket; a bucket that is not named has no limit."""

    per_window: dict[str, int] = field(default_factory=dict)
    window_s: float = 60.0
    _begun: dict[str, float] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, method: str, path: str) -> None:
        """Count a request; refuse it when the window is used up. One fewer than the limit goes through."""
        bucket = next(bucket for pattern, bucket in _BUCKETS if re.match(pattern, f"{method} {path}"))
        if bucket not in self.per_window:
            return
        now = time.monotonic()
        with self._lock:
            if now - self._begun.get(bucket, -self.window_s) >= self.window_s:
                self._begun[bucket], self._used[bucket] = now, 0
            self._used[bucket] += 1
            if self._used[bucket] >= self.per_window[bucket]:
                wait = max(1, int(self._begun[bucket] + self.window_s - now + 0.999))
                headers = {
                    "Retry-After": str(wait),
                    "X-RateLimit-Limit": str(self.per_window[bucket]),
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": "Tue Nov 24 2026 10:00:00 GMT+0000 (Coordinated Universal Time)",
                }
                raise Refusal(429, {"message": "Rate limit exceeded", "error": "RateLimitError"}, headers)
