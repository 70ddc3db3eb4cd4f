"""What one person says about items: labels and marks, taken back and done again, and how far each has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.errors import unknown

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from llmlens.label.event import Event, Item
    from llmlens.label.score import Score

    from .label_journal import Journal
    from .label_target import Target


class Labelling:
    """The labels of `author`, kept in the target's store before anything else happens to them."""

    def __init__(self, target: Target, journal: Journal, author: str, scores: Sequence[Score]) -> None:
        """Begin with nothing to do again; `scores` are what can be said."""
        self._target = target
        self._store = target.store
        self._journal = journal
        self._author = author
        self._scores = {score.name: score for score in scores}
        self._undone: list[tuple[Event, Event]] = []

    def label(self, item: Item, name: str, value: Any, comment: str | None = None) -> None:
        """Give a label; raises `UnknownNameError` for a score that is not asked, `LabelError` for a value it lacks."""
        if name not in self._scores:
            what = "score"
            raise unknown(what, str(name), self._scores)
        about = {"trace_id": item[0], "span_id": item[1], "comment": comment, "author": self._author}
        self._store.add(self._scores[name], value, **about, queue_id=self._target.queue_id)
        self._undone.clear()

    def done(self, item: Item) -> None:
        """Mark an item as done, once."""
        mark = self._journal.mark(item, self._author)
        if mark is None or mark.kind != "done":
            self._store.done(author=self._author, trace_id=item[0], span_id=item[1], queue_id=self._target.queue_id)
            self._undone.clear()

    def skip(self, item: Item, reason: str | None = None) -> None:
        """Mark an item as skipped."""
        self._store.skip(reason=reason, author=self._author, trace_id=item[0], span_id=item[1])
        self._undone.clear()

    def undo(self, items: Container[Item]) -> Event | None:
        """Take back the last thing this person did to one of the items; gives what that was."""
        self._journal.refresh()
        last = self._journal.last(self._author, items)
        if last is not None:
            self._undone.append((last, self._store.undo(last, author=self._author)))
        return last

    def redo(self) -> Event | None:
        """Do again what was last taken back here; gives what that is."""
        if not self._undone:
            return None
        event, undone = self._undone.pop()
        self._store.undo(undone, author=self._author)
        return event

    def status(self, item: Item) -> dict[str, Any]:
        """Say what this person did with an item, and how far the labels are on their way."""
        self._journal.refresh()
        own = {name: event for (name, author), event in self._journal.labels(item).items() if author == self._author}
        states = self._target.states([str(event.score_id) for event in own.values()])
        labels = []
        for name, event in ((name, own[name]) for name in self._scores if name in own):
            state, reason = states.get(str(event.score_id), ("saved", None))
            same = {"name": name, "value": event.value, "comment": event.comment, "score_id": event.score_id}
            labels.append({**same, "state": state, "reason": reason})
        mark = self._journal.mark(item, self._author)
        return {
            "labels": labels,
            "mark": None if mark is None else {"kind": mark.kind, "reason": mark.comment},
            "completed": self._target.completed(item),
            "deliveries": self._target.counts(),
            "trouble": self._target.trouble,
        }

    def retry(self, score_id: str | None) -> None:
        """Send again what was rejected: one label, or all."""
        if self._target.sender is not None:
            self._target.sender.retry(score_id)
