"""What is to be labelled, in which order, and how far each person has come with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from llmlens.label.event import Item

    from .label_journal import Journal

State: TypeAlias = Literal["left", "done", "skipped"]

_STATES: dict[str, State] = {"done": "done", "skip": "skipped"}


class Worklist:
    """Items in their order, with what one person has done of them."""

    def __init__(self, items: list[Item], journal: Journal, author: str) -> None:
        """Make the list; `items` are different."""
        self.items = items
        self.places = {item: place for place, item in enumerate(items)}
        self._journal = journal
        self._author = author

    def states(self) -> list[State]:
        """Give the state of each item."""
        marks = self._journal.marks(self._author)
        return [_STATES[marks[item].kind] if item in marks else "left" for item in self.items]

    def start(self) -> int:
        """Find where to go on: at the item last worked on, or the next that is left; -1 when there is no item."""
        states = self.states()
        last = self._journal.last(self._author, self.places)
        first = 0 if last is None else self.places[last.item]
        order = [*range(first, len(states)), *range(first)]
        if not order:
            return -1
        return next((place for place in order if states[place] == "left"), first)

    def people(self, *, others: bool = True) -> list[dict[str, Any]]:
        """Count what each person has done, skipped and left: `author`, `done`, `skipped`, `left`; oneself first."""
        authors = [self._author, *(a for a in self._journal.authors if others and a != self._author)]
        counted = [self._counted(author) for author in authors]
        return [counted[0], *(row for row in counted[1:] if row["done"] or row["skipped"])]

    def _counted(self, author: str) -> dict[str, Any]:
        marks = self._journal.marks(author)
        kinds = [marks[item].kind for item in marks.keys() & self.places.keys()]
        done, skipped = kinds.count("done"), kinds.count("skip")
        return {"author": author, "done": done, "skipped": skipped, "left": len(self.items) - done - skipped}
