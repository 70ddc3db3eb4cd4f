"""`read_langfuse`: a window of a Langfuse project -> `Traces`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import LangfuseError, SelectionError
from llmlens.read.load import without_gc
from llmlens.read.otlp import make_loader
from llmlens.selecting import moment
from llmlens.traces import Traces

from .connection import langfuse
from .prices import server_prices
from .progress import Progress
from .query import Query
from .reading import Reading
from .windows import FIRST, Window, ms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from llmlens.read.pivot import FeatureFunction
    from llmlens.read.prices import UserPrices

    from .connection import Connection

_DAY = timedelta(days=1)


@explains_arguments
def read_langfuse(
    since: str | date | None = None,
    until: str | date | None = None,
    *,
    base_url: str | None = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    environment: str | Sequence[str] | None = None,
    name: str | None = None,
    user_id: str | None = None,
    session_id: str | None = None,
    tags: str | Sequence[str] | None = None,
    trace_ids: Sequence[str] | None = None,
    filter: Sequence[dict[str, Any]] | None = None,  # what Langfuse calls it
    texts: bool = True,
    cache: str | Path | None = None,
    progress: bool = True,
    parallel: int = 4,
    deadline_s: float = 3600.0,
    conventions: str | Path | None = None,
    feature: str | FeatureFunction | None = None,
    prices: UserPrices = None,
    connection: Connection | None = None,
) -> Traces:
    """Read observations that start in a window of a Langfuse project, with their scores and comments.

    `since` (inclusive) and `until` (exclusive) are dates, times or datetimes; without a zone they are UTC. Without
    `until` it is now, without `since` a day before that. `trace_ids` without a window finds them wherever they are.
    Keys and address that are not given come from LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY and LANGFUSE_BASE_URL;
    `connection`, from `llmlens.langfuse()`, stands for all three.

    `environment`, `name` (of the trace), `user_id`, `session_id`, `tags` (all of them) and `filter` (Langfuse's own
    list of conditions) narrow what is read. Servers with v2 observations ask them of each observation: of a trace that
    fulfils them only in part, that part is read. Older ones have name, user, session and tags in rows of traces alone:
    a trace that began more than a day before `since` is not found by these there, which a note says. Scores come with
    the traces and sessions that were read, whatever environment they name themselves.
    `texts=False` leaves out inputs and outputs, which is faster.
    `cache`: a folder that keeps observations; the same call goes on where it was interrupted, and a later window pulls
    only what is new, and what is so recent that it may have changed. It holds the texts of your traces, and no keys.
    Scores and comments change at any time and are always read anew; a pull by `trace_ids` is not kept.
    `parallel`: how many requests at once; `deadline_s`: how long all of it may take, in seconds.
    `conventions`, `feature` and `prices` are those of `read_otlp`; models that have no price there get the server's.

    `notes` of what comes says which server it was and what was assumed. Raises `LangfuseError` when the server cannot
    be reached, does not know the keys or fails again and again, and `SelectionError` for a window that is none.
    """
    window, notes = _window(since, until, everything=trace_ids is not None)
    query = Query(
        environments=_several(environment), name=name, user_id=user_id, session_id=session_id, tags=_several(tags),
        trace_ids=None if trace_ids is None else _several(trace_ids), filter=tuple(filter or ()), texts=texts,
    )  # fmt: skip
    own = connection is None
    if connection is None:
        connection = langfuse(base_url=base_url, public_key=public_key, secret_key=secret_key)
    elif base_url or public_key or secret_key:
        raise LangfuseError(
            "connection= has an address and keys already: leave out base_url=, public_key=, secret_key=."
        )
    bar = Progress(shown=progress)
    connection.transport.pause.on_wait = bar.waits
    reading = Reading(connection, query, window, bar, cache, max(1, parallel), time.monotonic() + deadline_s)
    try:
        notes = [str(connection.server), *notes]
        models = server_prices(reading.optional("models"))
        loader = make_loader(conventions=conventions, feature=feature, prices=_prices(prices, models), strict=False)
        with without_gc():
            for raws in reading.everything():
                loader.add_all(raws, connection.base_url)
    except LangfuseError as error:
        raise LangfuseError(f"{error} {reading.came}") from None
    finally:
        bar.end()
        connection.transport.pause.on_wait = None
        if own:
            connection.close()
    for problem in reading.problems:
        loader.problem(problem, connection.base_url)
    return Traces(loader.finish(), notes=(*notes, *reading.notes))


def _several(given: str | Sequence[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _prices(given: UserPrices, server: dict[str, dict[str, float]]) -> UserPrices:
    if given is not None and not isinstance(given, Mapping):
        return given
    return {**(given or {}), **{name: rates for name, rates in server.items() if name not in (given or {})}} or None


def _window(since: Any, until: Any, *, everything: bool) -> tuple[Window, list[str]]:
    """Understand the window; say what was assumed."""
    now = datetime.now(UTC)
    last = now if until is None else moment(until, "until")
    first = moment(since, "since") if since is not None else FIRST if everything else last - _DAY
    notes = [
        f"{name}={str(given)!r} has no time zone: taken as UTC"
        for name, given in (("since", since), ("until", until))
        if given is not None and _is_naive(given)
    ]
    if since is None and not everything:
        notes.append(f"since= was not given: read from {first:%Y-%m-%d %H:%M} UTC on, a day")
    if first >= last:
        said = f"since ({first:%Y-%m-%d %H:%M} UTC) is not before until ({last:%Y-%m-%d %H:%M} UTC)"
        raise SelectionError(f"{said}: `until` is the first moment that is not read. Are they the wrong way round?")
    return Window(ms(first), ms(last)), notes


def _is_naive(given: Any) -> bool:
    import pandas as pd

    return pd.Timestamp(given).tzinfo is None
