"""How far the items are that people label."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .event import Event, Item


@dataclass(frozen=True, slots=True)
class ItemState:
    """What was said about one item: the labels in force, and the last `skip` or `done`."""

    item: Item
    labels: tuple[Event, ...] = ()
    mark: Event | None = None

    @property
    def state(self) -> Literal["done", "skipped", "open"]:
        """Whether it is finished, put off, or still to be done, with or without labels."""
        if self.mark is None:
            return "open"
        return "done" if self.mark.kind == "done" else "skipped"


def item_states(events: Iterable[Event]) -> dict[Item, ItemState]:
    """Gather events, in order, by item."""
    states: dict[Item, ItemState] = {}
    for event in events:
        state = states.get(event.item, ItemState(event.item))
        if event.kind == "score":
            states[event.item] = replace(state, labels=(*state.labels, event))
        else:
            states[event.item] = replace(state, mark=event)
    return states
