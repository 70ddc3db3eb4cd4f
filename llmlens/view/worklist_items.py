"""What there is to label: the traces or the spans of a selection, or those of them that a queue asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .annotation_item import judges
from .worklist_order import in_order

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    import pandas as pd

    from llmlens.label.annotation_queues import QueueItem
    from llmlens.label.event import Item
    from llmlens.traces import Traces

    from .label_journal import Journal

#: What is said of every item above its texts.
_HEAD = ("trace_id", "name", "feature", "user_id", "session_id", "start", "duration_s", "cost_usd")


@dataclass(frozen=True)
class Wanted:
    """What a panel is to label and in which order: options of `Annotator`, and what a queue holds, if it is one."""

    order: str
    per_item: str | None
    seed: int
    blind: bool
    queued: Sequence[QueueItem] | None
    queue_id: str | None

    @property
    def noun(self) -> str:
        """What one item is called."""
        mixed = self.queued and any(each.object_type != "TRACE" for each in self.queued)
        return self.per_item or ("item" if mixed else "trace")

    def items(self, traces: Traces, journal: Journal, scores: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        """Read the items in their order; of a queue what of it is still pending or was labelled here.

        `scores` are those given to them, `names` those that are asked; raises `UnknownNameError` for another order.
        """
        judged = not self.blind
        if self.queued is None:
            found = find_items(traces, self.per_item or "trace", self.order, judged=judged)
        else:
            wanted = wanted_items(traces, self.queued) | journal.queued(str(self.queue_id))
            found = queue_items(traces, wanted, self.order, per_item=self.per_item, judged=judged)
        return in_order(found, scores, self.order, names=names, seed=self.seed)

    def left_out(self, items: Iterable[Item]) -> str | None:
        """Say what of the queue is not among the items of the list; None where all is."""
        if self.queued is None:
            return None
        there = {object_id for trace_id, span_id, _ in items for object_id in (trace_id, span_id)}
        sessions = sum(each.object_type == "SESSION" for each in self.queued)
        lacking = sum(each.object_type != "SESSION" and each.object_id not in there for each in self.queued)
        parts = [f"{sessions:,} whole sessions"] * (sessions > 0)
        parts += [f"{lacking:,} items that are not among these traces"] * (lacking > 0)
        return f"This queue also has {' and '.join(parts)}: they are not on this list." if parts else None


def find_items(traces: Traces, per_item: str, order: str, *, judged: bool = True) -> pd.DataFrame:
    """Read the traces, or the spans, that there are to label, with the column to order them by.

    Without `judged`, what a judge did is left out: it would tell its verdict.
    """
    table = traces.table("traces" if per_item == "trace" else "spans")
    column = order.removeprefix("-")
    more = ["span_id", "parent_id", "kind", "model"] if per_item == "span" else ["n_errors"]
    names = dict.fromkeys([*_HEAD, *more, *([column] if column in table.columns else [])])
    frame = traces.fetch(table.select(*names))
    if per_item == "trace":
        return frame.assign(span_id=None)
    if not judged:
        whole = frame.assign(**{name: frame["trace_id"] + ":" + frame[name] for name in ("span_id", "parent_id")})
        frame = frame[~judges(whole)]
    return frame


def wanted_items(traces: Traces, queued: Iterable[QueueItem]) -> set[Item]:
    """Give the items of an annotation queue as they are labelled here: traces, and spans of these traces."""
    objects = {(each.object_type, each.object_id) for each in queued}
    wanted: set[Item] = {(object_id, None, None) for kind, object_id in objects if kind == "TRACE"}
    span_ids = sorted(object_id for kind, object_id in objects if kind == "OBSERVATION")
    if span_ids:
        spans = traces.table("spans")
        found = traces.fetch(spans.filter(spans.span_id.isin(span_ids)).select("trace_id", "span_id"))
        wanted |= {(trace_id, span_id, None) for trace_id, span_id in zip(found.trace_id, found.span_id, strict=True)}
    return wanted


def queue_items(
    traces: Traces, wanted: Container[Item], order: str, *, per_item: str | None = None, judged: bool = True
) -> pd.DataFrame:
    """Read the items of an annotation queue that are among the traces, traces and spans, as `find_items` does."""
    import pandas as pd

    parts = []
    for kind in (per_item,) if per_item else ("trace", "span"):
        found = find_items(traces, kind, order, judged=judged)
        ids = zip(found["trace_id"], found["span_id"], strict=True)
        parts.append(found[[(trace, None if kind == "trace" else span, None) in wanted for trace, span in ids]])
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
