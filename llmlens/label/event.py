"""`Event`: one thing that somebody did while labelling. Events are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from .score import DataType, LabelValue

#: `score`: a label was given; `skip`: put off, with a reason; `done`: the item is finished; `undo`: take an event back.
Kind: TypeAlias = Literal["score", "skip", "done", "undo"]

#: What is labelled: trace, span and session, of which a trace (with or without a span) or a session is given.
Item: TypeAlias = "tuple[str | None, str | None, str | None]"


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it is stored; times are UTC.

    `score_id` and `score_at` tell a score for ever: a label that changes another one of the same person has the same.
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


def now() -> datetime:
    """Give the time, in UTC and whole milliseconds, which is what servers keep."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
