"""Pulls windows in parallel: several threads ask, one takes what comes; nothing is held but some pages."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from .windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .progress import Progress
    from .sources import Page, Source

_PAGES_WAITING = 4
_PARTS_PER_THREAD = 4  # so that a busy hour does not leave three of four threads idle
_SHORTEST_MS = 60_000


class Pull:
    """The pages of some windows, in no order; iterate over it once."""

    def __init__(
        self, source: Source, windows: Sequence[Window], *, parallel: int, deadline: float, progress: Progress
    ) -> None:
        """Prepare to pull; `deadline` is of `time.monotonic()`."""
        self._source = source
        self._deadline = deadline
        self._progress = progress
        self._todo: list[Window] = []
        for window in windows:
            long = (window.until - window.since) // _SHORTEST_MS
            self._todo += window.parts(min(parallel * _PARTS_PER_THREAD, max(long, 1)))
        self._parallel = max(1, min(parallel, len(self._todo)))
        self._busy = 0
        self._change = threading.Condition()
        self._stopped = False
        self._pages: queue.Queue[Page | BaseException | None] = queue.Queue(_PAGES_WAITING)
        progress.windows(len(self._todo))

    def __iter__(self) -> Iterator[Page]:
        """Give pages as they come; raises the first failure when all threads have ended."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._parallel if self._todo else 0)]
        for thread in threads:
            thread.start()
        running = len(threads)
        failure: BaseException | None = None
        try:
            while running:
                found = self._pages.get()
                if found is None:
                    running -= 1
                elif isinstance(found, BaseException):
                    failure = failure or found
                else:
                    yield found
        finally:
            self._stop()
            while any(thread.is_alive() for thread in threads):
                self._drain()
            for thread in threads:
                thread.join()
        if failure is not None:
            raise failure

    def _work(self) -> None:
        try:
            while (window := self._next()) is not None:
                for found in self._source.pages(window, self._deadline):
                    if isinstance(found, Window):
                        with self._change:
                            self._todo.append(found)
                            self._change.notify()
                        self._progress.windows(1)
                    else:
                        self._pages.put(found)
                    if self._stopped:
                        break
                with self._change:
                    self._busy -= 1
                    self._change.notify_all()
                self._progress.window_done()
        except BaseException as error:  # whatever it is, it belongs to the thread that asked
            self._stop()
            self._pages.put(error)
        self._pages.put(None)

    def _next(self) -> Window | None:
        """Take a window; wait while others may still cut theirs into more."""
        with self._change:
            while not self._todo and self._busy and not self._stopped:
                self._change.wait()
            if self._stopped or not self._todo:
                return None
            self._busy += 1
            return self._todo.pop()

    def _stop(self) -> None:
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def _drain(self) -> None:
        try:
            self._pages.get(timeout=0.05)
        except queue.Empty:
            return

