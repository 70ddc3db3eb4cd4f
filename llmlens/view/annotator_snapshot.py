"""The panel without scripts: how far everybody is, and what was said of the first items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from llmlens.label.event import Event, Item
    from llmlens.label.score import Score

    from .label_journal import Journal
    from .worklist import Worklist

_ITEMS = 20


def annotator_snapshot(
    items: pd.DataFrame, worklist: Worklist, journal: Journal, scores: Sequence[Score], *, blind: bool
) -> str:
    """Give the progress of each person and a table of the first items, as HTML with inline styles.

    A blind panel shows no label and no judgement: the next person to label may read this copy.
    """
    people = [
        [snapshot.text(row["author"], 60), f"{row['done']:,}", f"{row['skipped']:,}", f"{row['left']:,}"]
        for row in worklist.people()
    ]
    progress = snapshot.table(("Who", "Done", "Skipped", "Left"), people, "lrrr")
    asked = "; ".join(f"{score.name}: {score.described()}" for score in scores)
    parts = [progress, snapshot.note(f"Asked: {asked}")]
    if not blind:
        parts.append(_labels(items, worklist, journal, scores))
    return snapshot.section(f"Labels of {len(worklist.items):,} items", *parts)


def _labels(items: pd.DataFrame, worklist: Worklist, journal: Journal, scores: Sequence[Score]) -> str:
    head = ("Start (UTC)", "Item", "Feature", *(score.name for score in scores))
    shown = items.head(_ITEMS)
    columns = [shown[name] for name in ("start", "name", "feature")]
    rows = [
        [
            _moment(start),
            snapshot.text(_known(name), 40),
            snapshot.text(_known(feature), 30),
            *_said(item, journal, scores),
        ]
        for start, name, feature, item in zip(*columns, worklist.items[:_ITEMS], strict=True)
    ]
    cut = [snapshot.note(f"The first {_ITEMS} of {len(items):,}.")] if len(items) > _ITEMS else []
    return "".join([snapshot.table(head, rows), *cut])


def _said(item: Item, journal: Journal, scores: Sequence[Score]) -> list[str]:
    labels = journal.labels(item)
    by_name = {score.name: [event for (name, _), event in labels.items() if name == score.name] for score in scores}
    return [", ".join(_value(event) for event in events) for events in by_name.values()]


def _value(event: Event) -> str:
    value = event.value
    said = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
    return snapshot.text(f"{said:g}" if isinstance(said, float) else said, 60)


def _known(value: object) -> object:
    return value if isinstance(value, str) else ""


def _moment(start: pd.Timestamp) -> str:
    return f"{start:%Y-%m-%d %H:%M:%S}" if start == start else ""  # noqa: PLR0124  # NaT is not itself
