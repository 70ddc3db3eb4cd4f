"""A line that says how far something is: replaced in a notebook, rewritten on a terminal, not shown elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_EVERY_S = 0.2


class ProgressLine:
    """Shows a text that changes; safe on any thread."""

    def __init__(self, first: str, *, shown: bool = True) -> None:
        """Show the first text, where there is something to show it on."""
        self._lock = threading.Lock()
        self._last = 0.0
        self._handle = _display(first) if shown else None
        self._terminal = shown and self._handle is None and sys.stderr.isatty()

    def show(self, text: Callable[[], str], *, at_once: bool = False) -> None:
        """Show another text, which is asked for at most five times a second."""
        if self._handle is None and not self._terminal:
            return
        with self._lock:
            now = time.monotonic()
            if not at_once and now - self._last < _EVERY_S:
                return
            self._last = now
        self._write(text())

    def end(self, text: str) -> None:
        """Leave a last text in a notebook, and none on a terminal."""
        if self._handle is not None:
            self._write(text)
        elif self._terminal:
            sys.stderr.write("\r\x1b[K")

    def _write(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update({"text/plain": text}, raw=True)
        else:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()


def _display(first: str) -> Any:
    """Give a display of a notebook that can be changed, None where there is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import display

    if getattr(get_ipython(), "kernel", None) is None:
        return None
    shown: Any = display  # which has no types
    return shown({"text/plain": first}, raw=True, display_id=True)
