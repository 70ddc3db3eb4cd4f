"""Pulls in parallel: several threads ask, one takes what comes; nothing is held but some pages."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, TypeAlias

from .sources import Page, Source
from .windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .progress import Progress

#: A window, and the route that gives its rows.
Task: TypeAlias = tuple[Source, Window]

_PAGES_WAITING = 4
_LOOK_S = 0.1  # how often a thread looks whether anybody still takes its pages


class Pull:
    """The pages of some tasks, in no order; iterate over it once."""

    def __init__(self, tasks: Iterable[Task], *, parallel: int, deadline: float, progress: Progress) -> None:
        """Prepare to pull; `deadline` is of `time.monotonic()`."""
        self._deadline = deadline
        self._progress = progress
        self._todo = list(tasks)[::-1]  # it is taken from the end
        self._parallel = min(parallel, len(self._todo))
        self._busy = 0
        self._change = threading.Condition()
        self._stopped = self._abandoned = False
        self._pages: queue.Queue[Page | BaseException | None] = queue.Queue(_PAGES_WAITING)
        progress.windows(len(self._todo))

    def __iter__(self) -> Iterator[Page]:
        """Give pages as they come; raises the first failure when all threads have ended.

        Whoever takes no more is not kept waiting: the threads end when their requests do.
        """
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._parallel)]
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
            self._abandoned = True
            self._stop()
        for thread in threads:
            thread.join()
        if failure is not None:
            raise failure

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                self._pull(*task)
                with self._change:
                    self._busy -= 1
                    self._change.notify_all()
                self._progress.window_done()
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the thread that asked
            self._stop()
            self._put(error)
        self._put(None)

    def _pull(self, source: Source, window: Window) -> None:
        for found in source.pages(window, self._deadline):
            if isinstance(found, Window):
                with self._change:
                    self._todo.append((source, found))
                    self._change.notify()
                self._progress.windows(1)
            else:
                self._put(found)
            if self._stopped:
                return

    def _put(self, found: Page | BaseException | None) -> None:
        while not self._abandoned:
            try:
                return self._pages.put(found, timeout=_LOOK_S)
            except queue.Full:
                pass
        return None

    def _next(self) -> Task | None:
        """Take a task; wait while others may still cut theirs into more."""
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
