"""The routes by which a server gives rows of a window: by cursor (v2, v3) or by numbered pages (v1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .cells import nanoseconds
from .transport import BusyError, TooMuchError, page_of
from .windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .transport import Transport

_SHORTEST_MS = 1000  # of a window that is still cut
_MOST_ROWS = 1000
#: Answers are let grow up to this, which is below what Langfuse's cloud gives at once.
_AIM_BYTES = 3_000_000
#: With numbered pages the server counts through all that come before: windows with more are cut.
_MOST_PAGES = 20


class Page(NamedTuple):
    """Some rows, and the part of the window that is complete with them and the pages before.

    There may be rows of one millisecond before that, of which more come with the next page.
    """

    rows: list[dict[str, Any]]
    covers: Window


class Source(Protocol):
    """Gives the rows of a window."""

    def pages(self, window: Window, deadline: float) -> Iterator[Page | Window]:
        """Give pages; windows among them were too much to ask for at once and are still to be pulled."""
        ...


@dataclass
class CursorSource:
    """Rows in order of a time, the latest first, with a cursor; `ends` name the parameters of the window.

    The size of a page follows that of the answers. It is shared by all threads: a race costs one page that is too
    small.
    """

    transport: Transport
    path: str
    params: dict[str, Any]
    ends: tuple[str, str]
    time: str
    limit: int  # of a page, at first
    most: int = _MOST_ROWS

    def pages(self, window: Window, deadline: float) -> Iterator[Page | Window]:
        """Give the pages of a window; what proves too much is cut into halves."""
        params = {**self.params, **dict(zip(self.ends, window.params, strict=True))}
        cursor, upper = None, window.until
        while True:
            limit = self.limit
            asked = {**params, "limit": limit} | ({"cursor": cursor} if cursor else {})
            try:
                answer, size = self.transport.get_sized(self.path, asked, deadline=deadline, smaller=True)
            except TooMuchError as error:
                if limit > 1:
                    self.limit = min(self.limit, limit // 2)
                    continue
                left = Window(window.since, upper)
                if isinstance(error, BusyError) or left.until - left.since < _SHORTEST_MS:
                    raise
                yield from left.halves()
                return
            rows, meta = page_of(answer, self.path)
            if len(rows) == limit and size < _AIM_BYTES / 2:
                self.limit = min(self.most, max(self.limit, limit * 2))
            cursor = meta.get("cursor")
            if not cursor or not rows:
                yield Page(rows, Window(window.since, upper))
                return
            last = nanoseconds(rows[-1].get(self.time))
            lower = upper if last is None else min(max(last // 1_000_000 + 1, window.since), upper)
            yield Page(rows, Window(lower, upper))
            upper = lower


@dataclass
class NumberedSource:
    """Rows in numbered pages, for servers that have nothing else; windows are cut until they are few pages."""

    transport: Transport
    path: str
    params: dict[str, Any]
    ends: tuple[str, str]
    limit: int = 100

    def pages(self, window: Window, deadline: float) -> Iterator[Page | Window]:
        """Give all rows of a window as one page, which is complete or not at all."""
        params = {**self.params, **dict(zip(self.ends, window.params, strict=True)), "limit": self.limit}
        rows: list[dict[str, Any]] = []
        page, last = 1, 1
        while page <= last:
            try:
                answer = self.transport.get(self.path, {**params, "page": page}, deadline=deadline, smaller=True)
            except TooMuchError:
                if window.until - window.since < _SHORTEST_MS:
                    raise
                yield from window.halves()
                return
            found, meta = page_of(answer, self.path)
            last = int(meta.get("totalPages") or 0)
            if last > _MOST_PAGES and window.until - window.since > 1:
                yield from window.halves()
                return
            rows += found
            page += 1
        yield Page(rows, window)
