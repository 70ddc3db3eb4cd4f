"""Items of an annotation queue are completed when what was said of them is known to be on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .annotation_queues import AnnotationQueue, QueueItem
    from .event import Item
    from .sender import Sender


class Completion:
    """Completes items of a queue for a sender, at the end of its rounds.

    What is to be completed follows from the store, and what is completed from the server: nothing is lost when a
    process dies in between. An item that was completed here and is taken back is pending again.
    """

    def __init__(self, queue: AnnotationQueue, sender: Sender) -> None:
        """Watch over the items of a queue that are labelled by way of a sender."""
        self.queue = queue
        self._sender = sender
        self._items: dict[tuple[str, str], list[QueueItem]] | None = None
        self._completed: set[Item] = set()
        self._ours: set[Item] = set()
        self._seen: object = None

    def completed(self, item: Item) -> bool:
        """Whether the server has an item as completed, as far as is known here."""
        return item in self._completed

    def __call__(self) -> bool:
        """Mark what is to be marked; give whether there was anything."""
        outbox = self._sender.outbox
        seen = (outbox.store.last_seq(), outbox.counts())
        if seen == self._seen:
            return False
        finished = outbox.finished(self.queue.queue_id)
        todo = [item for item, settled in finished.items() if settled and item not in self._completed]
        undone = [item for item in self._ours if item not in finished]
        if todo and not self._known(todo):
            self._read()
        for item in todo:
            self.queue.complete(i for i in self._of(item) if not i.completed)
            self._completed.add(item)
            self._ours.add(item)
        for item in undone:
            self.queue.complete(self._of(item), completed=False)
            self._completed.discard(item)
            self._ours.discard(item)
        if undone:
            self._items = None
        self._seen = seen
        return bool(todo or undone)

    def _known(self, items: Iterable[Item]) -> bool:
        return self._items is not None and all(_object(item) in self._items for item in items)

    def _read(self) -> None:
        found: dict[tuple[str, str], list[QueueItem]] = {}
        for each in self.queue.items():
            found.setdefault((each.object_type, each.object_id), []).append(each)
        self._items = found

    def _of(self, item: Item) -> list[QueueItem]:
        return (self._items or {}).get(_object(item), [])


def _object(item: Item) -> tuple[str, str]:
    """Give the type and the id by which a queue knows an item."""
    trace_id, span_id, session_id = item
    if span_id is not None:
        return "OBSERVATION", span_id
    return ("TRACE", trace_id) if trace_id is not None else ("SESSION", str(session_id))
