"""Where a panel's labels go: into a local store, and on from there to a server where one is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError, nearest
from llmlens.label.score import Score
from llmlens.label.store import LabelStore, labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmlens.label.sender import Sender


@dataclass(frozen=True)
class Target:
    """A store, and what sends its labels on; without a sender they stay where they are."""

    store: LabelStore
    sender: Sender | None = None
    queue: Any = None
    own: bool = False

    @property
    def name(self) -> str | None:
        """What the labels are sent to, in a word."""
        return type(self.sender.sink).__name__.removesuffix("Sink") if self.sender else None

    @property
    def queue_id(self) -> str | None:
        """The annotation queue that the labels belong to."""
        return self.queue.queue_id if self.queue is not None else None

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Give how far each label is and why, by score id: pending, sent, confirmed or rejected."""
        return self.sender.states() if self.sender else {}

    def scores(self, asked: Sequence[Score | str] | None) -> tuple[Score, ...]:
        """Give what is asked: the scores given, those named as they are on the server, or all that are there.

        Raises `LabelError` for scores that nobody could give.
        """
        there = {} if _all_given(asked) else {score.name: score for score in self._offered() if not score.archived}
        wanted: Sequence[Score | str] = list(there) if asked is None else asked
        scores = [_named(score, there) if isinstance(score, str) else score for score in wanted]
        for score in scores:
            if not isinstance(score, Score):
                raise LabelError(f"scores= takes Score objects or names of scores; got {score!r}.")
            if score.archived:
                raise LabelError(f"The score {score.name!r} is archived in Langfuse: it takes no more labels.")
        names = [score.name for score in scores]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise LabelError(f"Every score is asked once; twice there is: {', '.join(twice)}.")
        if not scores:
            raise LabelError('Say what is asked, for example scores=[llmlens.Score("helpfulness", 1, 5)].')
        return tuple(scores)

    def _offered(self) -> list[Score]:
        if self.queue is not None:
            return list(self.queue.scores())
        return self.sender.sink.configs() if self.sender else []

    def close(self) -> None:
        """Stop a sender that was made here; what it has not sent waits in the store."""
        if self.sender is not None and self.own:
            self.sender.stop(timeout=0)


def _all_given(asked: Sequence[Score | str] | None) -> bool:
    return asked is not None and not any(isinstance(score, str) for score in asked)


def _named(name: str, there: dict[str, Score]) -> Score:
    if name in there:
        return there[name]
    raise LabelError(f"There is no score {name!r} to ask for by its name alone.{nearest(name, there)}")


def target(to: Any) -> Target:
    """Understand `to`: nothing or a store for labels that stay here, else what they are sent to.

    A store of labels, a sender, a connection to Langfuse, one of its annotation queues, or any sink; all but the first
    two keep their labels in `llmlens.labels()` first. Raises `TypeError` for anything else.
    """
    from llmlens.label.sender import Sender

    if to is None:
        return Target(labels())
    if isinstance(to, LabelStore):
        return Target(to)
    if isinstance(to, Sender):
        return Target(to.store, to.start())
    queue = to if hasattr(to, "queue_id") and hasattr(to, "connection") else None
    if queue is not None:
        to = queue.connection
    if hasattr(to, "score_configs"):
        from llmlens.label.langfuse import LangfuseSink

        to = LangfuseSink(to)
    # To ask whether it is a `Sink` would ask for its name, and so the server.
    if not hasattr(to, "push") or not hasattr(to, "read_back"):
        raise TypeError(
            f"to= takes a store of labels, a sender, a connection or a sink, but got {type(to).__name__}. "
            "Leave it out to keep labels in llmlens.labels()."
        )
    store = labels()
    return Target(store, Sender(store, to).start(), queue, own=True)
