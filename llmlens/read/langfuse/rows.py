"""The rows that a pull brings -> raw spans and scores: each once, those of the window, and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.contents.values import name_of
from llmlens.read.raw import Origin, RawSpan

from .fields import OBSERVATION, URL
from .observations import Mapper
from .scores import comment_raw, score_raw
from .traces import trace_raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llmlens.read.raw import Raw

    from .windows import Window


class Rows:
    """Takes the rows of one pull. Pages overlap, and are pulled again: a row that came in the same state is dropped.

    Of one that came in several states the loader keeps the newest.
    """

    def __init__(self, window: Window, url: Callable[[str], str]) -> None:
        """Take rows that start in `window`; `url` gives the address of a trace by its id."""
        self._url = url
        self.only: set[str] | None = None  # traces whose observations are taken, where not all are
        self._mapper = Mapper(within=window)
        self._linked: set[str] = set()
        self._seen: set[int] = set()
        self.trace_ids: set[str] = set()
        self.untold: set[str] = set()  # traces whose own row did not come, where there are such rows
        self._span_ids: set[str] = set()
        self.session_ids: set[str] = set()
        self.count = 0

    def observations(self, rows: Iterable[dict[str, Any]]) -> Iterator[Raw]:
        """Take observations."""
        for raw in self._mapper.raws(self._new(rows)):
            if type(raw) is RawSpan:
                self._note(raw)
            yield raw

    def _new(self, rows: Iterable[dict[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Give the rows that are wanted and came in no such state before, with their number."""
        for row in rows:
            trace_id = row.get("traceId")
            state = hash((trace_id, row.get("id"), row.get("updatedAt")))
            if state not in self._seen and (self.only is None or trace_id in self.only):
                self._seen.add(state)
                self.count += 1
                yield self.count, row

    def _note(self, span: RawSpan) -> None:
        """Note what belongs to a span: its scores, its trace, its session; link its trace to its page, once."""
        trace_id = span.trace_id
        self._span_ids.add(span.span_id)
        if trace_id not in self.trace_ids:
            self.trace_ids.add(trace_id)
            self.untold.add(trace_id)
        session = span.attributes.get(OBSERVATION["sessionId"])
        if isinstance(session, str):
            self.session_ids.add(session)
        if span.parent_id is None:
            span.attributes[URL] = self._url(trace_id)
            self._linked.add(trace_id)

    def end(self) -> Iterator[Raw]:
        """Say what was noticed over all observations, and link traces whose root did not come."""
        yield from self._mapper.clock.problems()
        for trace_id in sorted(self.trace_ids - self._linked):
            link: dict[str, Any] = {URL: self._url(trace_id)}
            yield RawSpan(trace_id, "", None, "", None, None, 0, None, link, [], [], Origin(), 0)

    def traces(self, rows: Iterable[dict[str, Any]]) -> Iterator[Raw]:
        """Take rows of traces (v1): those of which an observation came."""
        for row in rows:
            trace_id = row.get("id")
            if trace_id in self.trace_ids and self._is_new(("trace", trace_id)):
                self.untold.discard(str(trace_id))
                if (session := row.get("sessionId")) and isinstance(session, str):
                    self.session_ids.add(session)
                yield trace_raw(row, url=self._url)

    def scores(self, rows: Iterable[dict[str, Any]]) -> Iterator[Raw]:
        """Take the scores of what came."""
        for row in rows:
            subject = row.get("subject")
            if isinstance(subject, dict):
                named = [subject.get("traceId"), subject.get("id")]
            else:  # of the session only where it is of no trace; see scores.py
                named = [row.get("traceId") or row.get("sessionId")]
            known = any(n in self.trace_ids or n in self.session_ids for n in named if isinstance(n, str))
            if known and self._is_new(("score", row.get("id"))):
                yield score_raw(row)

    def comments(self, rows: Iterable[dict[str, Any]]) -> Iterator[Raw]:
        """Take the comments on what came."""
        for row in rows:
            about = name_of(row.get("objectId"))
            if about in self.trace_ids or about in self._span_ids or about in self.session_ids:
                yield comment_raw(row)

    def _is_new(self, key: tuple[str, Any]) -> bool:
        state = hash(key)
        if state in self._seen:
            return False
        self._seen.add(state)
        return True
