"""A line that says how far a pull is; in a notebook it is replaced, on a terminal rewritten, else it is not shown."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

_EVERY_S = 0.2


class Progress:
    """How far a pull is; safe on any thread."""

    def __init__(self, *, shown: bool) -> None:
        """Show it, where there is something to show it on."""
        self._lock = threading.Lock()
        self._rows = self._done = self._windows = 0
        self._waits_until = 0.0
        self._last = 0.0
        self._handle = _display() if shown else None
        self._terminal = shown and self._handle is None and sys.stderr.isatty()

    def windows(self, n: int) -> None:
        """Count windows that are to be pulled."""
        with self._lock:
            self._windows += n

    def window_done(self) -> None:
        """Count a window that was pulled."""
        with self._lock:
            self._done += 1
        self._show()

    def rows(self, n: int) -> None:
        """Count rows that came."""
        with self._lock:
            self._rows += n
        self._show()

    def waits(self, seconds: float) -> None:
        """Say that the server asked to wait."""
        with self._lock:
            self._waits_until = time.monotonic() + seconds
        self._show(at_once=True)

    def line(self) -> str:
        """Say it in words."""
        with self._lock:
            left = self._waits_until - time.monotonic()
            waits = f", waiting {left:.0f} s as the server asked" if left > 0 else ""
            return f"Langfuse: {self._rows:,} rows, {self._done} of {self._windows} windows{waits}"

    def _show(self, *, at_once: bool = False) -> None:
        if self._handle is None and not self._terminal:
            return
        with self._lock:
            now = time.monotonic()
            if not at_once and now - self._last < _EVERY_S:
                return
            self._last = now
        self._write(self.line())

    def _write(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
        else:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the last line as it is."""
        if self._handle is not None:
            self._write(self.line())
        elif self._terminal:
            sys.stderr.write("\r\x1b[K")


def _display() -> Any:
    """Give a display of a notebook that can be changed, None where there is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    if getattr(get_ipython(), "kernel", None) is None:
        return None
    shown: Any = display  # which has no types
    return shown({"text/plain": "Langfuse: connecting"}, raw=True, display_id=True)
