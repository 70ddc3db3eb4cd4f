"""`Annotator`: label traces or spans by keyboard; every label is on the disk before the panel calls it saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from llmlens.errors import SelectionError, UnknownNameError, unknown

from . import span_detail, wire
from .annotator_snapshot import annotator_snapshot
from .base import View, css, esm, handles
from .given_scores import GivenScores
from .item_texts import ItemTexts
from .label_journal import Journal
from .label_target import target
from .labelling import Labelling
from .worklist import Worklist
from .worklist_items import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from llmlens.label.event import Event, Item
    from llmlens.label.score import Score
    from llmlens.label.store import LabelStore
    from llmlens.traces import Traces

#: What a copy without a kernel carries: the texts of so many items.
_STATIC_ITEMS = 50
_PER_ITEM = ("trace", "span")

_FILES = (
    "open_item.js", "format_text.js", "kind_badge.js", "chat.js", "span_parts.js", "annotator_fields.js",
    "annotator_form.js", "annotator_reader.js", "annotator_progress.js", "annotator_keys.js", "annotator.js",
)  # fmt: skip


class Annotator(View):
    """Label traces, or spans of them, one after the other. Press `?` for the keys.

    `source` is a `Traces`, or another view whose selection is then labelled; after an explorer with `per_item="span"`
    the panel goes to the span that is open there. `scores` are what is asked, `llmlens.Score`s; with a server in `to`
    also names of its score configs, or nothing for all of them.

    `to`: a store of labels (`llmlens.labels()` when it is left out), where they stay; or what they are sent to from
    there: a connection to Langfuse, another sink, or a sender. With `to` one of Langfuse's annotation queues, those of
    its items are labelled that are among the traces (all when `per_item` is left out), by its scores; an item is
    completed there when its answers are confirmed. `store` is then the store, or its path, if it is not
    `llmlens.labels()`. `author` tells people apart and is the name of the user of this computer unless it is given.

    `order`: "lowest" (lowest scored first), "disagreement" (where scores are furthest apart), "random" (repeatable, by
    `seed`), or a column of the table of what is labelled, with a "-" before it for the largest first. `blind` hides
    what judges and other people said; the order may still tell something of it, so use "random" then.

    Opening a panel on the same store goes on where its author stopped. `.selection` is the `Traces` of the open item.
    Raises `LabelError` for scores that cannot be asked, or that the server would reject, and `UnknownNameError` for an
    unknown order or option. While the server cannot be reached, answers wait in the store.
    """

    _esm = esm(*_FILES)
    _css = css("span_parts.css", "annotator.css")

    trace_id = traitlets.Unicode(None, allow_none=True, help="the trace of the open item").tag(sync=True)
    span_id = traitlets.Unicode(None, allow_none=True, help="the span of the open item, if it is one").tag(sync=True)

    def __init__(
        self,
        source: Traces | View,
        scores: Sequence[Score | str] | None = None,
        *,
        to: Any = None,
        author: str | None = None,
        order: str = "lowest",
        blind: bool = False,
        per_item: str | None = None,
        seed: int = 0,
        store: LabelStore | str | Path | None = None,
        **options: Any,
    ) -> None:
        """Open the panel; see the class."""
        from llmlens.label.checks import default_author

        known = self.class_trait_names(option=True)
        for name in options:
            if name not in known:
                own = ("scores", "to", "author", "order", "blind", "per_item", "seed", "store")
                raise unknown("option of Annotator:", name, [*own, *known])
        if per_item is not None and per_item not in _PER_ITEM:
            raise SelectionError(f'per_item= is what one label is about, "trace" or "span"; got {per_item!r}.')
        self._following = False
        self._list: Worklist | None = None
        self.blind = bool(blind)
        self.author = author or default_author()
        self._target = target(to, store)
        self.store = self._target.store
        try:
            self.scores = self._target.scores(scores)
            queued = self._target.items()
        except BaseException:
            self._target.close()
            raise
        self._wanted = Wanted(order, per_item, seed, self.blind, queued, self._target.queue_id)
        self._journal = Journal(self.store)
        self._labelling = Labelling(self._target, self._journal, self.author, self.scores)
        super().__init__(source, **options)
        self._texts = ItemTexts(self.traces)
        self._worklist()  # an unknown order is an error here, not in the browser
        if isinstance(source, View) and source.has_trait("span_id"):
            source.observe(self._span_opened, "span_id")

    # What is labelled -------------------------------------------------------------------------------------------

    def _worklist(self) -> Worklist:
        if self._list is None:
            self._given = GivenScores(self.traces, self._journal)
            given = self._given.all(but=self.author)  # one's own would change the order as one goes
            names = [score.name for score in self.scores]
            self._items = self._wanted.items(self.traces, self._journal, given, names)
            ids = zip(self._items["trace_id"], self._items["span_id"], strict=True)
            own: list[Item] = [(trace, span if isinstance(span, str) else None, None) for trace, span in ids]
            self._list = Worklist(own, self._journal, self.author)
        return self._list

    def traces_changed(self) -> None:
        """Forget the former worklist, and close the open item when it is not on the new one."""
        self._texts = ItemTexts(self.traces)
        self._list = None
        item = (self.trace_id, self.span_id, None)
        if self.trace_id is None or item in self._worklist().places:
            return
        self._following = True
        with self.hold_sync():
            self.span_id = None
            self.trace_id = None
        self._following = False

    def _span_opened(self, change: dict[str, Any]) -> None:
        opened = change["owner"]
        if (opened.trace_id, change["new"], None) in self._worklist().places:
            self._open(opened.trace_id, change["new"])

    def show(self, trace_id: str, span_id: str | None = None) -> None:
        """Open an item; raises `UnknownNameError` when it is not on the list."""
        self._item(trace_id, span_id)
        self._open(trace_id, span_id)

    def _open(self, trace_id: str, span_id: str | None) -> None:
        with self.hold_sync():
            self.trace_id, self.span_id = trace_id, span_id

    @traitlets.observe("trace_id")
    def _opened(self, change: dict[str, Any]) -> None:
        if self._following or not hasattr(self, "_traces"):
            return
        try:
            self.select(self.traces.trace(change["new"]) if change["new"] else None)
        except UnknownNameError:
            self.select(None)

    def close(self) -> None:
        """Close the widget; labels that were not sent yet wait in the store."""
        if hasattr(self, "_callbacks"):  # else __init__ refused its arguments
            source = self._source() if self._source is not None else None
            if source is not None and source.has_trait("span_id"):
                source.unobserve(self._span_opened, "span_id")
        if hasattr(self, "_target"):
            self._target.close()
        super().close()

    def _item(self, trace_id: str, span_id: str | None) -> Item:
        item = (trace_id, span_id, None)
        if item not in self._worklist().places:
            raise UnknownNameError(f"There is no {self._wanted.noun} {span_id or trace_id!r} on this list.")
        return item

    # Reading ----------------------------------------------------------------------------------------------------

    @handles("worklist")
    def _overview(self) -> dict[str, Any]:
        self._journal.refresh()
        worklist = self._worklist()
        opened = worklist.places.get((self.trace_id, self.span_id, None)) if self.trace_id else None
        return {
            "states": [state[0] for state in worklist.states()],
            "place": worklist.start() if opened is None else opened,
            "people": worklist.people(),
            "scores": [_asked(score) for score in self.scores],
            "author": self.author,
            "per_item": self._wanted.noun,
            "blind": self.blind,
            "to": self._target.name,
            "note": self._wanted.left_out(worklist.items),
            "deliveries": self._target.counts(),
            "trouble": self._target.trouble,
            "store": self.store.path.name,
        }

    @handles("item")
    def _detail_of(self, place: int) -> dict[str, Any]:
        items = self._worklist().items
        if not 0 <= int(place) < len(items):
            raise UnknownNameError(f"There is no place {place} on this list of {len(items):,}.")
        item = items[int(place)]
        self._journal.refresh()
        head = {name: values[0] for name, values in wire.columns(self._items.iloc[[int(place)]]).items()}
        return {
            "trace_id": item[0],
            "span_id": item[1],
            "head": head,
            **span_detail.clip(self._texts.of(item)),
            "given": [] if self.blind else self._given.of(item, but=self.author),
            "status": self._status(item),
        }

    @handles("place")
    def _place(self, trace_id: str, span_id: str | None) -> int:
        return self._worklist().places[self._item(trace_id, span_id)]

    @handles("more")
    def _more(self, trace_id: str, span_id: str | None, path: list[str | int], offset: int) -> dict[str, Any]:
        return span_detail.more(self._texts.of(self._item(trace_id, span_id)), list(path), max(0, int(offset)))

    @handles("status")
    def _status_of(self, trace_id: str, span_id: str | None) -> dict[str, Any]:
        return self._status(self._item(trace_id, span_id))

    def _status(self, item: Item) -> dict[str, Any]:
        """Say what this person did with an item, how far its labels are, and how far everybody is."""
        return {**self._labelling.status(item), "people": self._worklist().people()}

    # Labelling --------------------------------------------------------------------------------------------------

    @handles("label")
    def _label(
        self, trace_id: str, span_id: str | None, name: str, value: Any, comment: str | None = None
    ) -> dict[str, Any]:
        item = self._item(trace_id, span_id)
        self._labelling.label(item, name, value, comment)
        return self._status(item)

    @handles("done")
    def _done(self, trace_id: str, span_id: str | None) -> dict[str, Any]:
        item = self._item(trace_id, span_id)
        self._labelling.done(item)
        return self._status(item)

    @handles("skip")
    def _skip(self, trace_id: str, span_id: str | None, reason: str | None = None) -> dict[str, Any]:
        item = self._item(trace_id, span_id)
        self._labelling.skip(item, reason)
        return self._status(item)

    @handles("undo")
    def _undo(self) -> dict[str, Any]:
        """Take back the last thing this person did to an item of the list, wherever it was."""
        return self._went(self._labelling.undo(self._worklist().places))

    @handles("redo")
    def _redo(self) -> dict[str, Any]:
        """Do again what was last taken back here."""
        return self._went(self._labelling.redo())

    def _went(self, event: Event | None) -> dict[str, Any]:
        place = None if event is None else self._worklist().places.get(event.item)
        if event is None or place is None:  # another list may be shown by now
            return {"place": None}
        return {"place": place, "kind": event.kind, "name": event.name, "status": self._status(event.item)}

    @handles("retry")
    def _retry(self, trace_id: str, span_id: str | None, score_id: str | None = None) -> dict[str, Any]:
        self._labelling.retry(score_id)
        return self._status(self._item(trace_id, span_id))

    # Copies without a kernel ------------------------------------------------------------------------------------

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name the list."""
        return [("worklist", {})]

    def static_texts(self, *, every: bool = False) -> Iterable[tuple[str, dict[str, Any]]]:
        """Name the items from the open one on, or all of them."""
        count = len(self._worklist().items)
        first = max(0, self.answer("worklist")["place"])
        for step in range(count if every else min(count, _STATIC_ITEMS)):
            yield "item", {"place": (first + step) % count}

    def static_replies(self, texts: str = "shown") -> Iterator[dict[str, Any]]:
        """Answer as the base does; of a blind panel without labels, which the next reader must not see."""
        for reply in super().static_replies(texts):
            if self.blind and reply["kind"] == "item":
                reply["result"]["status"]["labels"] = []
            yield reply

    def __repr__(self) -> str:
        """Say in one line how far it is."""
        self._journal.refresh()
        mine = self._worklist().people(others=False)[0]
        counted = ", ".join(f"{mine[kind]:,} {kind}" for kind in ("done", "skipped", "left"))
        return f"<Annotator of {len(self._worklist().items):,} {self._wanted.noun}s by {self.author}: {counted}>"

    def snapshot(self) -> str:
        """Give how far everybody is as script-free HTML, and the labels unless the panel is blind."""
        self._journal.refresh()
        return annotator_snapshot(self._items, self._worklist(), self._journal, self.scores, blind=self.blind)


def _asked(score: Score) -> dict[str, Any]:
    return {
        "name": score.name,
        "data_type": score.data_type,
        "minimum": score.minimum,
        "maximum": score.maximum,
        "categories": [label for label, _ in score.categories],
        "help": score.help,
    }
