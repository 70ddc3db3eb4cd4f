"""What judges, users and other people said about an item, beside what one says oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import wire

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.label.event import Event, Item
    from llmlens.traces import Traces

    from .label_journal import Journal

_COLUMNS = (
    "score_id", "trace_id", "span_id", "name", "value", "label", "data_type", "source", "author", "comment",
)  # fmt: skip


class GivenScores:
    """The scores of `traces` and the labels of a store, each once though it is in both."""

    def __init__(self, traces: Traces, journal: Journal) -> None:
        """Read the scores."""
        table = traces.table("scores")
        frame = traces.fetch(table.filter(table.trace_id.notnull()).select(*_COLUMNS))
        known = frame["score_id"].map(journal.knows).astype(bool)
        self._frame = frame[~known].reset_index(drop=True)
        self._rows = self._frame.groupby("trace_id").indices
        self._journal = journal

    def all(self, *, but: str) -> pd.DataFrame:
        """Give all of them as rows of the table `scores`, but not the labels of the person `but`."""
        return self._with(self._frame, [event for event in self._journal.current() if event.author != but])

    def of(self, item: Item, *, but: str) -> list[dict[str, Any]]:
        """Give those of an item as dicts, but not the labels of the person `but`.

        A trace has those of its spans too, a span those of its trace.
        """
        trace_id, span_id, _ = item
        frame = self._frame.iloc[self._rows.get(trace_id, [])]
        if span_id is not None:
            frame = frame[frame["span_id"].isna() | (frame["span_id"] == span_id)]
        labels = [event for (_, author), event in self._journal.labels(item).items() if author != but]
        columns = wire.columns(self._with(frame, labels))
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _with(self, frame: pd.DataFrame, labels: list[Event]) -> pd.DataFrame:
        import pandas as pd

        from llmlens.label.exchange import scores_frame

        if not labels:
            return frame
        return pd.concat([frame, scores_frame(labels)[list(_COLUMNS)]], ignore_index=True)
