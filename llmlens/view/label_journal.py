"""What everybody has done in a store of labels, kept up to date by reading only what is new in it."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from llmlens.label.event import Event, Item
    from llmlens.label.store import LabelStore

_SEQ = attrgetter("seq")


class Journal:
    """The labels and marks of a store that were not undone; `refresh` also sees what other programs added.

    A store can say all this itself, but reads all of its events for it: too slow for an answer to a key.
    """

    def __init__(self, store: LabelStore) -> None:
        """Read all there is."""
        self.store = store
        self._seq = 0
        self._events: dict[str, Event] = {}
        self._score_ids: set[str] = set()
        self._of_item: defaultdict[Item, dict[str, Event]] = defaultdict(dict)
        self._of_author: defaultdict[str, dict[str, Event]] = defaultdict(dict)
        self._marks: defaultdict[str, dict[Item, Event]] = defaultdict(dict)
        self._queued: defaultdict[str, set[Item]] = defaultdict(set)
        self.refresh()

    def refresh(self) -> None:
        """Read what was added since."""
        for event in self.store.events(after=self._seq):
            self._seq = event.seq
            self._events[event.event_id] = event
            if event.kind == "undo":
                self._undo(event)
                continue
            if event.score_id is not None:
                self._score_ids.add(event.score_id)
            if event.queue_id is not None:
                self._queued[event.queue_id].add(event.item)
            self._of_item[event.item][event.event_id] = event
            self._of_author[event.author][event.event_id] = event
            self._mark_anew(event)

    def _undo(self, event: Event) -> None:
        """Take back what an undo is of; the undo of an undo brings it back."""
        while event.kind == "undo":
            event = self._events[str(event.undo_of)]
        for events in (self._of_item[event.item], self._of_author[event.author]):
            if events.pop(event.event_id, None) is None:
                events[event.event_id] = event
        self._mark_anew(event)

    def _mark_anew(self, event: Event) -> None:
        """Keep the last mark of the item by the person of an event."""
        if event.kind == "score":
            return
        events = self._of_item[event.item].values()
        marks = [each for each in events if each.kind != "score" and each.author == event.author]
        if marks:
            self._marks[event.author][event.item] = max(marks, key=_SEQ)
        else:
            self._marks[event.author].pop(event.item, None)

    def labels(self, item: Item) -> dict[tuple[str, str], Event]:
        """Give the labels of an item in force, by name and author."""
        events = sorted(self._of_item.get(item, {}).values(), key=_SEQ)
        return {(str(event.name), event.author): event for event in events if event.kind == "score"}

    def current(self) -> list[Event]:
        """Give all labels in force."""
        return [event for item in self._of_item for event in self.labels(item).values()]

    def mark(self, item: Item, author: str) -> Event | None:
        """Give the last `skip` or `done` of an item by a person."""
        return self._marks.get(author, {}).get(item)

    def marks(self, author: str) -> Mapping[Item, Event]:
        """Give the items that a person has skipped or done, each with the last mark."""
        return self._marks.get(author, {})

    def queued(self, queue_id: str) -> set[Item]:
        """Give the items that somebody labelled here as items of an annotation queue."""
        return self._queued.get(queue_id, set())

    def last(self, author: str, items: Container[Item]) -> Event | None:
        """Give the last thing that a person did to one of the items."""
        events = (event for event in self._of_author.get(author, {}).values() if event.item in items)
        return max(events, key=_SEQ, default=None)

    def knows(self, score_id: str) -> bool:
        """Tell whether a score is a label of this store, in force or not."""
        return score_id in self._score_ids

    @property
    def authors(self) -> list[str]:
        """The people who did anything, the busiest first."""
        return sorted(self._of_author, key=lambda author: (-len(self._of_author[author]), author))
