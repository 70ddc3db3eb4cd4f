"""`Event`: one thing that somebody did while labelling. Events are only ever added."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from .score import DataType, LabelValue

#: `score`: a label was given; `skip`: put off, with a reason; `done`: the item is finished; `undo`: take an event back.
Kind: TypeAlias = Literal["score", "skip", "done", "undo"]

#: What is labelled: trace, span and session, of which a trace (with or without a span) or a session is given.
Item: TypeAlias = "tuple[str | None, str | None, str | None]"


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is stored; times are UTC.

    `score_id` and `score_at` tell a score for ever: a label that changes another one of the same person has the same.
    `undo_of` is the event that this one takes back, or the undo after which this label was given again.
    """

    seq: int
    event_id: str
    kind: Kind
    trace_id: str | None
    span_id: str | None
    session_id: str | None
    name: str | None
    value: LabelValue | None
    data_type: DataType | None
    comment: str | None
    author: str
    at: datetime
    undo_of: str | None
    score_id: str | None
    score_at: datetime | None
    config_id: str | None = None
    queue_id: str | None = None

    @property
    def item(self) -> Item:
        """What was labelled."""
        return (self.trace_id, self.span_id, self.session_id)


#: The names of all that an event holds, in order.
FIELDS = tuple(field.name for field in fields(Event))


def now() -> datetime:
    """Give the time, in UTC and whole milliseconds, which is what servers keep."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def to_row(event: Event) -> dict[str, Any]:
    """Write an event as plain cells: the value as JSON, so that 1, true and "1" stay apart; times as ISO 8601."""
    row = asdict(event)
    row["value"] = None if event.value is None else orjson.dumps(event.value).decode()
    row["at"] = event.at.isoformat(timespec="milliseconds")
    row["score_at"] = event.score_at and event.score_at.isoformat(timespec="milliseconds")
    return row


def of_row(row: Mapping[str, Any] | sqlite3.Row) -> Event:
    """Read an event from the cells that `to_row` wrote; raises `ValueError` for what is none of its."""
    cells = dict(row)
    cells["value"] = None if cells["value"] is None else orjson.loads(cells["value"])
    for name in ("at", "score_at"):
        cells[name] = None if cells[name] is None else datetime.fromisoformat(cells[name]).astimezone(UTC)
    return Event(**cells)
