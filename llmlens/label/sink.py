"""Where labels go: the small protocol behind which Langfuse, Phoenix or a table of one's own stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .event import Event
    from .score import LabelValue, Score


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


@runtime_checkable
class Sink(Protocol):
    """Takes labels, at least once each: the same `score_id` sent twice must become one score.

    Methods raise `LlmlensError` when nothing came through at all; it is tried again later.
    """

    #: Tells this sink from others in the outbox, for ever: the server and the project, no secret.
    name: str
    #: How many labels are pushed, and how many read back, at once.
    batch: int

    def configs(self) -> list[Score]:
        """Read what the sink lets be scored; empty when it takes anything."""
        ...

    def push(self, events: Sequence[Event]) -> list[Result]:
        """Send labels, new ones and changed ones; one result each."""
        ...

    def delete(self, events: Sequence[Event]) -> list[Result]:
        """Take back labels that were sent; one result each."""
        ...

    def read_back(self, events: Sequence[Event]) -> Mapping[str, Stored]:
        """Read what is there of these labels now, by `score_id`; what is not there is left out."""
        ...
