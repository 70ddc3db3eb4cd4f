"""One reading of a project: which routes are asked for what, what the cache has, what is to be said of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llmlens.errors import LangfuseError

from .cache import Cache
from .pull import Pull
from .rows import Rows
from .score_pages import score_pages
from .sources import CursorSource, NumberedSource
from .transport import said
from .windows import Window, split, uncovered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from llmlens.read.raw import Problem, Raw

    from .connection import Connection
    from .progress import Progress
    from .pull import Task
    from .query import Query
    from .sources import Page, Source

_WITH_TEXTS, _WITHOUT = 200, 1000  # rows to ask for at first
_PARTS_PER_THREAD = 4  # so that a busy hour does not leave three of four threads idle
#: A trace begins before its observations: in v1, rows of traces are looked for an hour earlier, and while many lack
#: theirs, a day and a month. Those of the rest are read one by one, not more than so many.
_LEADS_MS = (3_600_000, 86_400_000, 30 * 86_400_000)
_FEW, _MOST_BY_ID = 100, 1000
_STARTS, _TIMESTAMPS = ("fromStartTime", "toStartTime"), ("fromTimestamp", "toTimestamp")


@dataclass
class Reading:
    """One call of `read_langfuse`; `deadline` is of `time.monotonic()`."""

    connection: Connection
    query: Query
    window: Window
    progress: Progress
    cache: str | Path | None
    parallel: int
    deadline: float
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _count: int = 0
    _kept: bool = False

    @property
    def came(self) -> str:
        """Say what was loaded so far, and how to go on."""
        on = "with cache='a folder' the next try would go on from there"
        if self._kept:
            on = "they are in the cache: the same call goes on from there"
        return f"{self._count:,} rows had come by then; {on}."

    def everything(self) -> Iterator[Iterator[Raw]]:
        """Give raws in portions: observations, traces where they are rows, scores, comments."""
        server = self.connection.server
        prefix = self.connection.trace_url("")
        rows = Rows(self.window, lambda trace_id: prefix + trace_id)
        if server.has_v2_observations:
            for page in self._v2_observations():
                yield rows.observations(page.rows)
        elif self.query.trace_ids is not None:
            yield from self._v1_by_id(rows)
        else:
            yield from self._v1_window(rows)
        yield rows.end()
        for page in score_pages(rows, self.window, server.has_v3_scores, self.connection.transport, self._pull):
            yield rows.scores(page.rows)
        yield rows.comments(self.optional("comments"))
        if configs := self.optional("score-configs"):
            self.notes.append("score configs: " + ", ".join(sorted({str(config.get("name")) for config in configs})))
        if missing := set(self.query.trace_ids or ()) - rows.trace_ids:
            self.notes.append(f"{len(missing)} of the trace_ids were not found, such as {min(missing)}")

    def optional(self, what: str) -> list[dict[str, Any]]:
        """Read rows that the keys may not be allowed to read; that is noted."""
        try:
            return list(self.connection.pages(f"/api/public/{what}"))
        except LangfuseError as error:
            self.notes.append(f"{what} could not be read: {error}")
            return []

    def _v2_observations(self) -> Iterator[Page]:
        limit = _WITH_TEXTS if self.query.texts else _WITHOUT
        sources = [
            CursorSource(
                self.connection.transport, "/api/public/v2/observations", query.v2(), _STARTS, "startTime", limit
            )
            for query in self.query.in_chunks()
        ]
        if self.query.trace_ids is None:
            return self._cached(sources[0], "observations")
        return self._pull([(source, self.window) for source in sources])

    def _v1_window(self, rows: Rows) -> Iterator[Iterator[Raw]]:
        if self.query.by_trace:  # v1 joins nothing: which observations are meant is found out here
            ids = {row.get("id") for page in self._v1_traces("core") for row in page.rows}
            rows.only = {trace_id for trace_id in ids if isinstance(trace_id, str)}
            self.notes.append(
                "name, user_id, session_id and tags were asked of rows of traces, as this server has them: of traces "
                "that began more than a day before `since`, what is in the window was not read"
            )
        source = NumberedSource(self.connection.transport, "/api/public/observations", self.query.v1(), _STARTS)
        for page in self._cached(source, "observations-v1"):
            yield rows.observations(page.rows)
        fields = "core,io" if self.query.texts else "core"
        for page in self._v1_traces(fields):
            yield rows.traces(page.rows)
        yield from self._v1_long(rows, fields)

    def _v1_traces(self, fields: str, window: Window | None = None) -> Iterator[Page]:
        """Give rows of traces; they begin before their observations, those that are picked by what they say too."""
        lead = _LEADS_MS[1] if self.query.by_trace else _LEADS_MS[0]
        window = window or Window(self.window.since - lead, self.window.until)
        params = {**self.query.v1_traces(), "fields": fields}
        source = NumberedSource(self.connection.transport, "/api/public/traces", params, _TIMESTAMPS)
        return self._pull(self._parts(source, [window]))

    def _v1_long(self, rows: Rows, fields: str) -> Iterator[Iterator[Raw]]:
        """Read the rows of traces that began long before: by time while that takes fewer requests than one each."""
        for later, earlier in pairwise(_LEADS_MS):
            if len(rows.untold) <= _FEW:
                break
            window = Window(self.window.since - earlier, self.window.since - later)
            for page in self._v1_traces(fields, window):
                yield rows.traces(page.rows)
        untold = sorted(rows.untold)
        for trace in self._traces_by_id(untold[:_MOST_BY_ID], fields):
            yield rows.traces([trace])
        if (more := len(untold) - _MOST_BY_ID) > 0:
            self.notes.append(f"of {more:,} traces that began long before, names, users and sessions were not read")

    def _v1_by_id(self, rows: Rows) -> Iterator[Iterator[Raw]]:
        for trace in self._traces_by_id(self.query.trace_ids or ()):
            self._count += 1
            yield rows.observations({"traceId": trace.get("id"), **row} for row in trace.get("observations") or ())
            yield rows.traces([trace])

    def _traces_by_id(self, trace_ids: Sequence[str], fields: str | None = None) -> Iterator[dict[str, Any]]:
        """Read traces one by one; those that are not there are left out."""
        params = {"fields": fields} if fields else None

        def ask(trace_id: str) -> tuple[int, Any]:
            path = f"/api/public/traces/{quote(trace_id, safe='')}"
            return self.connection.transport.status(path, params, deadline=self.deadline)

        with ThreadPoolExecutor(self.parallel) as pool:
            for status, trace in pool.map(ask, trace_ids):
                if status == 404:
                    continue
                if status >= 300 or not isinstance(trace, dict):
                    raise LangfuseError(f"{self.connection.base_url} did not give a trace: {status}, {said(trace)}.")
                yield trace

    def _parts(self, source: Source, windows: list[Window]) -> list[Task]:
        return [(source, part) for part in split(windows, self.parallel * _PARTS_PER_THREAD)]

    def _pull(self, tasks: list[Task]) -> Iterator[Page]:
        for page in Pull(tasks, parallel=self.parallel, deadline=self.deadline, progress=self.progress):
            self._count += len(page.rows)
            self.progress.rows(len(page.rows))
            yield page

    def _cached(self, source: Source, route: str) -> Iterator[Page]:
        """Give what the cache has of the window, then what has to be pulled."""
        if self.cache is None:
            yield from self._pull(self._parts(source, [self.window]))
            return
        about = {
            "base_url": self.connection.base_url, "project": self.connection.server.project_id, **self.query.named(),
        }  # fmt: skip
        cache = Cache(self.cache, about, route)
        self._kept = True
        kept = 0
        for page in cache.pages(self.window):
            kept += len(page.rows)
            yield page
        if kept:
            self.notes.append(f"{kept:,} rows came from the cache in {cache.folder}")
        self.problems += cache.problems
        left = uncovered(self.window, cache.covered())
        for page in self._pull(self._parts(source, left)):
            cache.add(page)
            yield page
        cache.tidy(left)
