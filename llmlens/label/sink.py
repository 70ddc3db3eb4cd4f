"""Where labels go: the small base behind which Langfuse, Phoenix or a table of one's own stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .event import Event
    from .score import DataType, LabelValue, Score


@dataclass(frozen=True, slots=True)
class Label:
    """A label as it leaves: what an event of kind `score` holds. `score_id` and `score_at` never change."""

    event_id: str
    score_id: str
    score_at: datetime
    at: datetime
    trace_id: str | None
    span_id: str | None
    session_id: str | None
    name: str
    value: LabelValue
    data_type: DataType
    comment: str | None
    author: str
    queue_id: str | None = None
    config_id: str | None = None

    @classmethod
    def of(cls, event: Event) -> Label:
        """Take the label out of an event."""
        return cls(**{field.name: getattr(event, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Result:
    """What a sink said to one label.

    `accepted`: it is on its way, to be confirmed by reading it back; `rejected`: it will never be taken as it is, and
    `reason` says why; `failed`: not this time, try again.
    """

    score_id: str
    outcome: Literal["accepted", "rejected", "failed"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A label as it was read back from a sink."""

    score_id: str
    value: LabelValue | None
    comment: str | None = None


class Sink(ABC):
    """Takes labels, at least once each: the same `score_id` sent twice must become one score.

    Methods raise `LlmlensError` when nothing came through at all; it is tried again later.
    """

    #: How many labels are pushed, and how many read back, at once.
    batch = 100

    @property
    @abstractmethod
    def name(self) -> str:
        """What tells this sink from others in the outbox, for ever: the server and the project, no secret."""

    @abstractmethod
    def push(self, labels: Sequence[Label]) -> list[Result]:
        """Send labels, new ones and changed ones; one result each."""

    @abstractmethod
    def delete(self, labels: Sequence[Label]) -> list[Result]:
        """Take back labels that were sent; one result each."""

    @abstractmethod
    def read_back(self, labels: Sequence[Label]) -> Mapping[str, Stored]:
        """Read what is there of these labels now, by `score_id`; what is not there is left out."""

    def configs(self) -> list[Score]:
        """Read what the sink lets be scored; empty when it takes anything."""
        return []

    def check_scores(self, scores: Sequence[Score]) -> None:  # noqa: B027  # most sinks take anything
        """Raise `LabelError` for scores whose labels would all be rejected, saying what to do."""

    def check_store(self, others: Sequence[str]) -> None:  # noqa: B027  # most sinks take anything
        """Raise `LabelError` when a store whose labels went to `others`, names of sinks, must not come here too."""
