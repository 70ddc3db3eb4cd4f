"""Where a panel's labels go: into a local store, and on from there to a server where one is named."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmlens.errors import LabelError, ServerError, nearest
from llmlens.label.score import Score
from llmlens.label.store import LabelStore, labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from llmlens.label.annotation_queues import AnnotationQueue, QueueItem
    from llmlens.label.completion import Completion
    from llmlens.label.event import Item
    from llmlens.label.sender import Sender


@dataclass(frozen=True)
class Target:
    """A store, and what sends its labels on; without a sender they stay where they are."""

    store: LabelStore
    sender: Sender | None = None
    queue: AnnotationQueue | None = None
    completion: Completion | None = None
    own: bool = False

    @property
    def name(self) -> str | None:
        """What the labels are sent to, in a word."""
        return type(self.sender.sink).__name__.removesuffix("Sink") if self.sender else None

    @property
    def queue_id(self) -> str | None:
        """The annotation queue that the labels belong to."""
        return self.queue.queue_id if self.queue is not None else None

    @property
    def trouble(self) -> str | None:
        """Why labels wait, where they do."""
        return self.sender.trouble if self.sender else None

    def states(self, score_ids: Sequence[str]) -> dict[str, tuple[str, str | None]]:
        """Give how far labels are and why, by score id: pending, sent, confirmed or rejected."""
        return self.sender.states(score_ids) if self.sender else {}

    def counts(self) -> dict[str, int]:
        """Count the labels of the store by their state."""
        return self.sender.counts() if self.sender else {}

    def completed(self, item: Item) -> bool | None:
        """Whether the queue has an item as completed; None without a queue."""
        return self.completion.completed(item) if self.completion else None

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
        self._check(scores)
        return tuple(scores)

    def _check(self, scores: Sequence[Score]) -> None:
        """Refuse what would only be rejected later; a server that is not there now decides then."""
        if self.sender is not None:
            with contextlib.suppress(ServerError):
                self.sender.sink.check_scores(scores)

    def _offered(self) -> list[Score]:
        if self.queue is not None:
            return self.queue.scores()
        return self.sender.sink.configs() if self.sender else []

    def items(self) -> list[QueueItem] | None:
        """Read what is still to be done in the queue; None without one. Raises `LangfuseError` when it cannot."""
        return None if self.queue is None else self.queue.items(completed=False)

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


def target(to: Any, store: LabelStore | str | Path | None = None) -> Target:
    """Understand `to`: nothing or a store for labels that stay here, else what they are sent to.

    A store of labels, a sender, a connection to Langfuse, one of its annotation queues, or any sink; all but the first
    two keep their labels in `store` first, which is `llmlens.labels()` unless it is given. Raises `TypeError` for
    anything else.
    """
    from llmlens.label.annotation_queues import AnnotationQueue
    from llmlens.label.completion import Completion
    from llmlens.label.langfuse import LangfuseSink
    from llmlens.label.sender import Sender
    from llmlens.label.sink import Sink

    if isinstance(to, LabelStore | Sender):
        if store is not None:
            raise TypeError("to= names a store already: leave out store=.")
        return Target(to) if isinstance(to, LabelStore) else Target(to.store, to.start())
    if to is None:
        return Target(_opened(store))
    queue = to if isinstance(to, AnnotationQueue) else None
    if queue is not None:
        to = queue.connection
    sink = LangfuseSink(to) if hasattr(to, "score_configs") else to
    if not isinstance(sink, Sink):
        raise TypeError(
            "to= takes a store of labels, a connection to Langfuse, one of its queues, a sender or a sink, but got "
            f"{type(to).__name__}. Leave it out to keep labels in llmlens.labels()."
        )
    sender = Sender(_opened(store), sink)
    completion = None if queue is None else Completion(queue, sender)
    sender.afterwards = completion
    return Target(sender.store, sender.start(), queue, completion, own=True)


def _opened(store: LabelStore | str | Path | None) -> LabelStore:
    return store if isinstance(store, LabelStore) else labels(store)
