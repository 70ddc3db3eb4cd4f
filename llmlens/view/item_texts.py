"""What items say, read when it is asked for."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from . import wire
from .annotation_item import item_detail

if TYPE_CHECKING:
    from llmlens.label.event import Item
    from llmlens.traces import Traces

#: Items whose texts are kept between the first part of a text and the rest of it.
_KEPT = 8


class ItemTexts:
    """The texts of items of `traces`; those of the last few are kept."""

    def __init__(self, traces: Traces) -> None:
        """Read nothing yet."""
        self._traces = traces
        self._kept: OrderedDict[Item, dict[str, Any]] = OrderedDict()

    def of(self, item: Item) -> dict[str, Any]:
        """Give what `item_detail` does, as plain values; raises `UnknownNameError` when there is no such item."""
        if item not in self._kept:
            self._kept[item] = wire.clean(item_detail(self._traces, str(item[0]), item[1]))
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(item)
        return self._kept[item]
