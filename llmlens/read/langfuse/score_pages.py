"""The scores of what was read: by their time, or by what they judge, whichever takes fewer requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .sources import CursorSource, NumberedSource
from .windows import FIRST, Window, ms, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .pull import Task
    from .rows import Rows
    from .sources import Page, Source
    from .transport import Transport

_PAGE = 100
_FEW = 5
_PARTS = 4
_TIMES = ("fromTimestamp", "toTimestamp")


def score_pages(
    rows: Rows, window: Window, v3: bool, transport: Transport, pull: Callable[[list[Task]], Iterator[Page]]
) -> Iterator[Page]:
    """Give pages of scores, those of the traces and sessions of `rows` among them.

    Scores come later than what they judge, some of them much later: there may be few of them between the window and
    now, or many more than are wanted. They are asked for by time until that has taken as many requests as asking for
    them by id would.
    """
    by_id = [*_asks("traceId", rows.trace_ids, v3), *_asks("sessionId", rows.session_ids, v3)]
    now = max(window.until, ms(datetime.now(UTC)) + 1000)
    if len(by_id) > _FEW:
        source, spent = _source(transport, v3, {}), 0
        for page in pull([(source, part) for part in split([Window(window.since, now)], _PARTS)]):
            yield page
            spent += -(-len(page.rows) // _PAGE)
            if spent >= len(by_id):
                break
        else:
            return
    yield from pull([(_source(transport, v3, ask), Window(ms(FIRST), now)) for ask in by_id])


def _asks(name: str, ids: Iterable[str], v3: bool) -> Iterator[dict[str, Any]]:
    """Give parameters that ask for all ids: v3 takes many at once, v2 one."""
    given = sorted(ids)
    many = _PAGE if v3 else 1
    for at in range(0, len(given), many):
        yield {name: ",".join(given[at : at + many])}


def _source(transport: Transport, v3: bool, params: dict[str, Any]) -> Source:
    if v3:
        params = {"fields": "details,subject,annotation", **params}
        return CursorSource(transport, "/api/public/v3/scores", params, _TIMES, "timestamp", _PAGE, _PAGE)
    # By default it leaves out scores whose trace is not there.
    return NumberedSource(transport, "/api/public/v2/scores", {"fields": "score", **params}, _TIMES)
