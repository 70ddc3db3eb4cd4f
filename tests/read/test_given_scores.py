"""Scores that a user gives: what is completed, and what is refused by its row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmlens.errors import SelectionError, UnknownNameError
from llmlens.read.raw import RawScore
from llmlens.read.scores import complete_scores, score_rows
from llmlens.schema import SCORES


def given(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"trace_id": ["a", "b"], "name": "q", "value": [1.0, 2.0]} | columns, index=[10, 11])


def test_what_is_missing_is_completed() -> None:
    whole = complete_scores(given(value=[True, "2.5"], created=["2026-11-02", datetime(2026, 11, 3, tzinfo=UTC)]))
    assert list(whole.columns) == SCORES.names
    assert whole["value"].tolist() == [1, 2.5]
    assert whole["data_type"].tolist() == ["boolean", "numeric"]
    assert whole["created"].dt.day.tolist() == [2, 3]
    assert whole["score_id"].nunique() == 2


def test_what_is_given_is_left_as_it_was() -> None:
    frame = given(value=[1, None])
    before = frame.copy()
    complete_scores(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("none", [None, np.nan, pd.NA])
def test_a_value_that_is_not_there_is_none(none: Any) -> None:
    whole = complete_scores(given(value=[1, none], label=[None, "rude"], created=pd.NaT))
    assert whole["value"].isna().tolist() == [False, True]
    assert whole["data_type"].tolist() == ["numeric", "categorical"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"value": [1, "good"]}, "row 11 has a value that is no number: 'good'"),
        ({"value": ["bad", "good"]}, "row 10 .* 'bad'. So have 1 more"),
        ({"created": ["2026-11-02", "yesterday"]}, "row 11 has a created that is no time: 'yesterday'"),
        ({"trace_id": ["a", None]}, "row 11 has neither a trace_id nor a session_id"),
        ({"name": ["q", None]}, "row 11 has no name"),
    ],
)
def test_a_row_that_is_wrong_is_named(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        complete_scores(given(**columns))


@pytest.mark.parametrize("other", [None, [1], {"trace_id": ["a"]}, pd.Series([1])])
def test_something_that_is_no_frame_is_refused(other: Any) -> None:
    with pytest.raises(SelectionError, match="Scores are a DataFrame"):
        complete_scores(other)


def test_columns_that_are_missing_or_unknown_are_named() -> None:
    with pytest.raises(SelectionError, match="need the columns"):
        complete_scores(given().drop(columns="trace_id"))
    with pytest.raises(UnknownNameError, match="'scor'"):
        complete_scores(given(scor=1))


def test_scores_of_sessions_are_told_apart_from_each_other_and_from_traces() -> None:
    frame = pd.DataFrame({"session_id": ["s", "r"], "name": "q", "value": [1, 2]})
    assert len(complete_scores(frame)) == 2
    trace = complete_scores(given(trace_id=["s", "r"]))
    assert not set(trace["score_id"]) & set(complete_scores(frame)["score_id"])
    raw = [RawScore(trace_id="", span_id=None, session_id=session, name="q", value=1.0) for session in "sr"]
    assert len(score_rows(raw)) == 2
