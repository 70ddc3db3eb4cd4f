"""How far a pull is, in a line."""

from __future__ import annotations

import threading
import time

from llmlens.progress_line import ProgressLine


class Progress:
    """How far a pull is; safe on any thread."""

    def __init__(self, *, shown: bool) -> None:
        """Show it, where there is something to show it on."""
        self._lock = threading.Lock()
        self._rows = self._done = self._windows = 0
        self._waits_until = 0.0
        self._line = ProgressLine("Langfuse: connecting", shown=shown)

    def windows(self, n: int) -> None:
        """Count windows that are to be pulled."""
        with self._lock:
            self._windows += n

    def window_done(self) -> None:
        """Count a window that was pulled."""
        with self._lock:
            self._done += 1
        self._line.show(self.line)

    def rows(self, n: int) -> None:
        """Count rows that came."""
        with self._lock:
            self._rows += n
        self._line.show(self.line)

    def waits(self, seconds: float) -> None:
        """Say that the server asked to wait."""
        with self._lock:
            self._waits_until = time.monotonic() + seconds
        self._line.show(self.line, at_once=True)

    def line(self) -> str:
        """Say it in words."""
        with self._lock:
            left = self._waits_until - time.monotonic()
            waits = f", waiting {left:.0f} s as the server asked" if left > 0 else ""
            return f"Langfuse: {self._rows:,} rows, {self._done} of {self._windows} windows{waits}"

    def end(self) -> None:
        """Leave the last line as it is."""
        self._line.end(self.line())
