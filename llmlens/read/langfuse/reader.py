"""`read_langfuse`: a window of a Langfuse project -> `Traces`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import LangfuseError
from llmlens.read.otlp import make_loader
from llmlens.selecting import moment
from llmlens.traces import Traces

from .cache import Cache
from .connection import langfuse
from .prices import own_prices
from .progress import Progress
from .pull import Pull
from .query import Query
from .rows import Rows
from .sources import CursorSource, NumberedSource
from .windows import Window, ms, uncovered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from llmlens.read.pivot import FeatureFunction
    from llmlens.read.prices import UserPrices

    from .connection import Connection
    from .sources import Page, Source

_DAY = timedelta(days=1)
_WITH_TEXTS, _WITHOUT = 200, 1000  # rows to ask for at first
_SCORES_AT_ONCE = 100
#: A trace begins before its observations: in v1, rows of traces are looked for so much earlier.
_LEAD_MS = 3_600_000
_FIRST = datetime(2020, 1, 1, tzinfo=UTC)  # before Langfuse was


@explains_arguments
def read_langfuse(
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    base_url: str | None = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    environment: str | None = None,
    name: str | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    tags: str | Sequence[str] | None = None,
    trace_ids: Sequence[str] | None = None,
    filter: Sequence[dict[str, Any]] | None = None,  # noqa: A002  # what Langfuse calls it
    texts: bool = True,
    cache: str | Path | None = None,
    progress: bool = True,
    parallel: int = 4,
    deadline_s: float = 3600.0,
    conventions: str | Path | None = None,
    feature: str | FeatureFunction | None = None,
    prices: UserPrices = None,
) -> Traces:
    """Read observations, scores and comments of a Langfuse project that start in a window.

    `since` (inclusive) and `until` (exclusive) are dates, times or datetimes; without a zone they are UTC. Without
    `until` it is now, without `since` a day before that. `trace_ids` without a window finds them wherever they are.
    Keys and address that are not given come from LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL.

    `environment`, `name` (of the trace), `user_id`, `session_id`, `tags` (all of them) and `filter` (Langfuse's own
    list of conditions) narrow what is read. `texts=False` leaves out inputs and outputs, which is faster.
    `cache`: a folder that keeps what was pulled; the same call goes on where it was interrupted, a later window pulls
    only what is new. It holds the texts of your traces, and no keys. A pull by `trace_ids` is not kept.
    `parallel`: how many requests at once; `deadline_s`: how long all of it may take, in seconds.
    `conventions`, `feature` and `prices` are those of `read_otlp`.

    Raises `LangfuseError` when the server cannot be reached, does not know the keys or fails again and again;
    `SelectionError` for a window that is none.
    """
    window, notes = _window(since, until, everything=trace_ids is not None)
    chosen = (tags,) if isinstance(tags, str) else tuple(tags or ())
    query = Query(
        environment, name, user_id, session_id, chosen, None if trace_ids is None else tuple(trace_ids),
        tuple(filter or ()), texts,
    )  # fmt: skip
    connection = langfuse(base_url=base_url, public_key=public_key, secret_key=secret_key)
    bar = Progress(shown=progress)
    connection.transport.pause.on_wait = bar.waits
    reading = _Reading(connection, query, window, bar, cache, parallel, time.monotonic() + deadline_s)
    try:
        notes = [str(connection.server), *notes]
        models, said = reading.optional("models")
        loader = make_loader(
            conventions=conventions, feature=feature, prices=prices or own_prices(models) or None, strict=False
        )
        for raws in reading.everything():
            loader.add_all(raws, connection.base_url)
        for problem in reading.problems:
            loader.problem(problem, connection.base_url)
        notes += [*said, *reading.notes]
    finally:
        bar.end()
        connection.close()
    return Traces(loader.finish(), notes=tuple(notes))


class _Reading:
    """One call of `read_langfuse`."""

    def __init__(  # noqa: PLR0917
        self,
        connection: Connection,
        query: Query,
        window: Window,
        progress: Progress,
        cache: str | Path | None,
        parallel: int,
        deadline: float,
    ) -> None:
        self.connection = connection
        self.transport = connection.transport
        self.query, self.window, self.progress = query, window, progress
        self.cache, self.parallel, self.deadline = cache, parallel, deadline
        self.problems: list[Any] = []
        self.notes: list[str] = []

    def everything(self) -> Iterator[Iterator[Any]]:
        """Give raws in portions: observations, traces where they are rows, scores, comments."""
        v2 = self.connection.server.has_v2_observations
        found: list[dict[str, Any]] = []
        only = None
        if not v2:
            found = [row for page in self._v1_traces() for row in page.rows]
            only = self._only(found)
        rows = Rows(self.window, self.connection.trace_url, only=only)
        for page in self._v2_observations() if v2 else self._v1_observations():
            yield rows.observations(page.rows)
        yield rows.end()
        yield rows.traces(found)
        for page in self._scores():
            yield rows.scores(page.rows)
        comments, said = self.optional("comments")
        yield rows.comments(comments)
        configs, more = self.optional("score-configs")
        self.notes += [*said, *more]
        if configs:
            self.notes.append("score configs: " + ", ".join(sorted({str(config.get("name")) for config in configs})))

    def optional(self, what: str) -> tuple[list[dict[str, Any]], list[str]]:
        """Read what the keys may not be allowed to: the rows, and what was wrong."""
        try:
            return list(self.connection.pages(f"/api/public/{what}")), []
        except LangfuseError as error:
            return [], [f"{what} could not be read: {error}"]

    def _only(self, traces: list[dict[str, Any]]) -> set[str] | None:
        """Give the ids of the traces whose observations v1 is asked for, which itself cannot pick them."""
        if self.query.trace_ids is not None:
            return set(self.query.trace_ids)
        return {str(row.get("id")) for row in traces} if self.query.by_trace else None

    def _v2_observations(self) -> Iterator[Page]:
        for query in self.query.in_chunks():
            limit = _WITH_TEXTS if self.query.texts else _WITHOUT
            ends = ("fromStartTime", "toStartTime")
            path = "/api/public/v2/observations"
            source = CursorSource(self.transport, path, query.v2(), ends, "startTime", limit)
            yield from self._pulled(source, "observations", self.window)

    def _v1_observations(self) -> Iterator[Page]:
        ends = ("fromStartTime", "toStartTime")
        source = NumberedSource(self.transport, "/api/public/observations", self.query.v1(), ends)
        yield from self._pulled(source, "observations-v1", self.window)

    def _v1_traces(self) -> Iterator[Page]:
        ends = ("fromTimestamp", "toTimestamp")
        source = NumberedSource(self.transport, "/api/public/traces", self.query.v1_traces(), ends)
        window = Window(self.window.since - _LEAD_MS, self.window.until)
        yield from Pull(source, [window], parallel=self.parallel, deadline=self.deadline, progress=self.progress)

    def _scores(self) -> Iterator[Page]:
        """Scores come later than what they judge: until now, and in whatever order."""
        window = Window(self.window.since, max(self.window.until, ms(datetime.now(UTC)) + 1000))
        ends = ("fromTimestamp", "toTimestamp")
        source: Source
        if self.connection.server.has_v3_scores:
            path, fields = "/api/public/v3/scores", {"fields": "details,subject,annotation"}
            source = CursorSource(
                self.transport, path, fields, ends, "timestamp", _SCORES_AT_ONCE, _SCORES_AT_ONCE
            )
        else:  # by default it leaves out scores whose trace is not there
            source = NumberedSource(self.transport, "/api/public/v2/scores", {"fields": "score"}, ends)
        yield from Pull(source, [window], parallel=1, deadline=self.deadline, progress=self.progress)

    def _pulled(self, source: Source, route: str, window: Window) -> Iterator[Page]:
        """Give what the cache has of a window, then what has to be pulled."""
        cache, left = None, [window]
        if self.cache is not None and self.query.trace_ids is None:
            server = self.connection.server
            about = {"base_url": self.connection.base_url, "project": server.project_id, **self.query.named()}
            cache = Cache(self.cache, about, route)
            kept = 0
            for page in cache.pages(window):
                kept += len(page.rows)
                yield page
            left = uncovered(window, cache.covered())
            self.problems += cache.problems
            if kept:
                self.notes.append(f"{kept:,} rows came from the cache in {cache.folder}")
        came = 0
        try:
            for page in Pull(source, left, parallel=self.parallel, deadline=self.deadline, progress=self.progress):
                if cache is not None:
                    cache.add(page)
                came += len(page.rows)
                self.progress.rows(len(page.rows))
                yield page
        except LangfuseError as error:
            on = "they are in the cache: the same call goes on from there" if cache else (
                "with cache='a folder' the next try would go on from there"
            )
            raise LangfuseError(f"{error} {came:,} rows had come by then; {on}.") from None


def _window(since: Any, until: Any, *, everything: bool) -> tuple[Window, list[str]]:
    """Understand the window; say what was assumed."""
    notes = []
    for given in (since, until):
        if isinstance(given, datetime) and given.tzinfo is None:
            notes.append(f"{given.isoformat()} has no time zone: taken as UTC")
    now = datetime.now(UTC)
    last = now if until is None else moment(until, "until")
    if since is not None:
        first = moment(since, "since")
    elif everything:
        first = _FIRST
    else:
        first = last - _DAY
        notes.append(f"since= was not given: read from {first:%Y-%m-%d %H:%M} UTC on, a day")
    if first >= last:
        raise LangfuseError(f"since ({first:%Y-%m-%d %H:%M} UTC) is not before until ({last:%Y-%m-%d %H:%M} UTC).")
    return Window(ms(first), ms(last)), notes
