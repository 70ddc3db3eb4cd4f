"""Periods, the columns to group by, and results that draw themselves."""

from __future__ import annotations

import pickle
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError
from llmlens.measure.shape import result
from llmlens.traces import Traces
from tests.examples import examples

TIMES = [
    "1969-12-30T23:59:59",
    "1970-01-01T00:00",
    "2025-12-31T23:59:59.999999",
    "2026-01-01T00:00",
    "2026-02-28T12:34:56",
]


def traces_at(times: list[str]) -> Traces:
    start = pd.to_datetime(times, utc=True, format="ISO8601")
    ids = [f"t{n}" for n in range(len(times))]
    return Traces.from_frames(
        {"spans": pd.DataFrame({"trace_id": ids, "span_id": "1", "kind": "llm", "start": start, "cost_usd": 1.0})}
    )


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("s", "2026-02-28T12:34:56"),
        ("10s", "2026-02-28T12:34:50"),
        ("min", "2026-02-28T12:34"),
        ("15min", "2026-02-28T12:30"),
        ("15 minutes", "2026-02-28T12:30"),
        ("1h", "2026-02-28T12:00"),
        ("6H", "2026-02-28T12:00"),
        ("1D", "2026-02-28"),
        ("d", "2026-02-28"),
        ("1W", "2026-02-23"),
        ("M", "2026-02-01"),
        ("1 month", "2026-02-01"),
    ],
)
def test_a_period_begins_where_it_should(every: str, expected: str) -> None:
    frame = ll.cost(traces_at(["2026-02-28T12:34:56.789"]), every=every)
    assert frame["period"].tolist() == [pd.Timestamp(expected, tz="UTC")]
    assert str(frame["period"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("every", "days"), [("2D", 2), ("7D", 7), ("2W", 14), ("1W", 7), ("1D", 1), ("48h", 2), ("36h", 1.5)]
)
def test_periods_of_days_tile_the_time_from_a_monday(every: str, days: float) -> None:
    monday = pd.Timestamp("2026-01-05", tz="UTC")
    frame = ll.cost(traces_at(TIMES), every=every)
    assert frame["calls"].sum() == len(TIMES)
    length = pd.Timedelta(days=days)
    for time in pd.to_datetime(TIMES, utc=True, format="ISO8601"):
        assert ((frame["period"] <= time) & (time < frame["period"] + length)).sum() == 1
    if days == 7:
        assert ((frame["period"] - monday).dt.total_seconds() % length.total_seconds() == 0).all()


@examples(15)
@given(
    count=st.integers(1, 500),
    unit=st.sampled_from(["s", "min", "h", "D", "W"]),
    time=st.datetimes(
        min_value=pd.Timestamp("1950-01-01").to_pydatetime(), max_value=pd.Timestamp("2090-01-01").to_pydatetime()
    ),
)
def test_every_time_is_in_its_period(count: int, unit: str, time: Any) -> None:
    length = pd.Timedelta(f"{count * 7}D" if unit == "W" else f"{count}{unit}")
    at = pd.Timestamp(time, tz="UTC")
    (period,) = ll.cost(traces_at([at.isoformat()]), every=f"{count}{unit}")["period"]
    assert period <= at < period + length


BAD = [
    "",
    "D1",
    "0D",
    "00h",
    "-1h",
    "1.5h",
    "1Y",
    "1Q",
    "1m",
    "fortnight",
    "1D2h",
    "9" * 30 + "s",
    "5000000W",
    5,
    1.5,
    b"1D",
    True,
    ["1D"],
]


@pytest.mark.parametrize("every", BAD)
def test_what_is_no_period_is_an_error(every: Any) -> None:
    with pytest.raises(SelectionError, match="every="):
        ll.cost(traces_at(TIMES), every=every)


def test_months_are_counted_singly() -> None:
    with pytest.raises(SelectionError, match="only single months"):
        ll.cost(traces_at(TIMES), every="2M")


def test_a_part_of_a_result_draws_itself_or_says_what_it_lacks() -> None:
    frame = ll.cost(traces_at(TIMES), by="kind", every="1D")
    assert len(frame.head(2).plot().data) == 1
    assert len(frame[frame["cost_usd"] > 5].plot().data) == 0
    assert len(frame.copy().plot().data) == 1
    with pytest.raises(SelectionError, match="needs all columns"):
        frame[["kind", "cost_usd"]].plot()
    with pytest.raises(SelectionError, match="needs all columns"):
        frame.drop(columns="cost_usd").plot()


def test_a_result_is_a_frame_and_travels() -> None:
    frame = ll.cost(traces_at(TIMES), by="kind")
    again = pickle.loads(pickle.dumps(frame))  # noqa: S301
    pd.testing.assert_frame_equal(again, frame)
    assert isinstance(frame, pd.DataFrame)
    assert frame.sum(numeric_only=True)["calls"] == len(TIMES)


def test_a_notebook_shows_the_notes_below_the_table() -> None:
    nothing = ll.cost(traces_at([]))
    page = nothing._repr_html_() or ""
    assert "There are no model calls." in page.partition("</table>")[2]
    assert "There are no model calls." in (nothing.head(1)._repr_html_() or "")
    noteless = result(pd.DataFrame({"n": [1]}), lambda _: go.Figure(), [""])
    assert (noteless._repr_html_() or "").endswith("</table>\n</div>")


def test_a_note_with_the_words_of_strangers_is_text() -> None:
    made = result(pd.DataFrame({"n": [1]}), lambda _: go.Figure(), ["<img src=x> $\\href{javascript:x}{x}$\u202e"])
    below = (made._repr_html_() or "").partition("</table>")[2]
    assert "&lt;img src=x&gt;" in below
    assert "mathjax_ignore" in below
    assert "\u202e" not in below
