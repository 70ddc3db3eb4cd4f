"""The earliest and the latest row: one without a time never wins over one that has one; equal times have an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from llmlens.ordering import earliest, latest
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

START = pd.Timestamp("2026-01-05", tz="UTC")


def ends(names: Sequence[str | None], seconds: Sequence[float | None]) -> tuple[str | None, str | None]:
    """Give what the earliest and the latest of these spans are called; their ids are in this order."""
    times = [None if each is None else START + pd.Timedelta(seconds=each) for each in seconds]
    frame = pd.DataFrame({"trace_id": "t", "span_id": list("abc"[: len(times)]), "name": names, "start": times})
    traces = Traces.from_frames({"spans": frame.astype({"start": "datetime64[us, UTC]"})})
    spans = traces.table("spans")
    found = spans.agg(
        first=earliest(spans.name, spans.start, spans.span_id), last=latest(spans.name, spans.start, spans.span_id)
    )
    first, last = traces.fetch_arrow(found).to_pylist()[0].values()
    return first, last


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ((1, 3, 2), ("x", "y")),
        ((3, 1, 2), ("y", "x")),
        ((None, 3, 2), ("z", "y")),
        ((None, 3, None), ("y", "y")),
        ((None, None, None), ("x", "z")),
        ((1, 1, 1), ("x", "z")),
        ((2, 1, 1), ("y", "x")),
    ],
)
def test_time_tells_then_the_id(seconds: Sequence[float | None], expected: tuple[str, str]) -> None:
    assert ends(["x", "y", "z"], seconds) == expected


def test_a_row_that_says_nothing_is_still_the_earliest() -> None:
    assert ends([None, "y", "z"], (1, 2, 3)) == (None, "z")
