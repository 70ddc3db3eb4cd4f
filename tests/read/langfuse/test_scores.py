"""Scores and comments of Langfuse, in every shape they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pytest

from llmlens.read.langfuse.observations import to_raw
from llmlens.read.langfuse.scores import comment_raw, score_raw
from llmlens.read.raw import Problem, RawScore

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = {"id": "s1", "name": "quality", "source": "API", "timestamp": "2026-11-21T05:12:04.094Z"}

# What Langfuse says; then the type, the value and the label that are read.
Case: TypeAlias = tuple[dict[str, Any], str, float | None, str | None]
V3: list[Case] = [
    ({"dataType": "NUMERIC", "value": 3}, "numeric", 3.0, None),
    ({"dataType": "BOOLEAN", "value": True}, "boolean", 1.0, None),
    ({"dataType": "BOOLEAN", "value": False}, "boolean", 0.0, None),
    ({"dataType": "CATEGORICAL", "value": "good"}, "categorical", None, "good"),
    ({"dataType": "CATEGORICAL", "value": "7"}, "categorical", None, "7"),
    ({"dataType": "TEXT", "value": "well said"}, "text", None, "well said"),
    ({"dataType": "CORRECTION", "value": "better answer"}, "correction", None, "better answer"),
]
V2: list[Case] = [
    ({"dataType": "NUMERIC", "value": 3, "stringValue": None}, "numeric", 3.0, None),
    ({"dataType": "BOOLEAN", "value": 1, "stringValue": "True"}, "boolean", 1.0, None),
    ({"dataType": "BOOLEAN", "value": 0, "stringValue": "False"}, "boolean", 0.0, None),
    ({"dataType": "CATEGORICAL", "value": 0, "stringValue": "good"}, "categorical", None, "good"),
    ({"dataType": "CORRECTION", "value": 0, "stringValue": "better"}, "correction", None, "better"),
]
BLOB: list[Case] = [
    ({"data_type": "NUMERIC", "value": "0.25", "string_value": ""}, "numeric", 0.25, None),
    ({"data_type": "BOOLEAN", "value": "1", "string_value": "True"}, "boolean", 1.0, None),
    ({"data_type": "CATEGORICAL", "value": "0", "string_value": "good"}, "categorical", None, "good"),
]


@pytest.mark.parametrize(("said", "data_type", "value", "label"), V3 + V2)
def test_every_type_of_score_is_read(said: dict[str, Any], data_type: str, value: float | None, label: str) -> None:
    score = score_raw({**BASE, "traceId": "t", **said})
    assert isinstance(score, RawScore)
    assert (score.data_type, score.value, score.label) == (data_type, value, label)


@pytest.mark.parametrize(("said", "data_type", "value", "label"), BLOB)
def test_every_type_of_exported_score_is_read(
    said: dict[str, Any], data_type: str, value: float | None, label: str
) -> None:
    where = {"trace_id": "t", "observation_id": ""}
    score = score_raw({**BASE, **where, "timestamp": "2026-11-21 05:12:04.094000", **said})
    assert isinstance(score, RawScore)
    assert (score.trace_id, score.span_id) == ("t", None)
    assert (score.data_type, score.value, score.label) == (data_type, value, label)
    assert score.created_ns == 1_795_237_924_094_000_000


@pytest.mark.parametrize(
    ("said", "subject"),
    [
        ({"subject": {"kind": "trace", "id": "t"}}, ("t", None, None)),
        ({"subject": {"kind": "observation", "id": "o", "traceId": "t"}}, ("t", "o", None)),
        ({"subject": {"kind": "session", "id": "s"}}, (None, None, "s")),
        ({"traceId": "t", "observationId": "o"}, ("t", "o", None)),
        ({"traceId": "t", "observationId": None, "sessionId": "s"}, ("t", None, None)),
        ({"traceId": None, "sessionId": "s"}, (None, None, "s")),
    ],
)
def test_a_score_is_of_what_it_is_about(said: dict[str, Any], subject: tuple[str | None, ...]) -> None:
    score = score_raw({**BASE, "dataType": "NUMERIC", "value": 1, **said})
    assert isinstance(score, RawScore)
    assert (score.trace_id, score.span_id, score.session_id) == subject


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({**BASE, "value": 1, "subject": {"kind": "experiment", "id": "e"}}, "the score is of an experiment"),
        ({**BASE, "value": 1, "datasetRunId": "r"}, "the score is of a dataset run"),
        ({**BASE, "value": 1}, "the score is of something it does not tell"),
        ({**BASE, "traceId": "t", "name": ""}, "the score has no name"),
        ({**BASE, "traceId": "t", "dataType": "NUMERIC", "value": "high"}, "no value that a numeric score can have"),
        ({**BASE, "traceId": "t", "dataType": "BOOLEAN", "value": None}, "no value that a boolean score can have"),
        ([1], "not a score"),
    ],
)
def test_what_cannot_be_a_score_is_a_problem(row: Any, reason: str) -> None:
    problem = score_raw(row, line=4)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.action) == (4, "dropped")
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("said", "author"),
    [
        ({"authorUserId": "u9"}, "u9"),
        ({"metadata": {"annotator": "me"}}, "me"),
        ({"metadata": '{"annotator": "me"}', "authorUserId": "u9"}, "me"),
        ({"authorUserName": "Ann", "authorUserId": "u9"}, "Ann"),
        ({}, None),
    ],
)
def test_the_author_is_who_labelled(said: dict[str, Any], author: str | None) -> None:
    score = score_raw({**BASE, "traceId": "t", "value": 1, **said})
    assert isinstance(score, RawScore)
    assert score.author == author


def test_real_scores_are_read(langfuse: Any, captured: Callable[[str], Any]) -> None:
    rows = captured("v3_scores_all")["data"]
    scores = langfuse.load(score_raw(row) for row in rows).scores.set_index("score_id")
    assert len(scores) == len(rows)
    ann = scores.loc["s-ann"]
    assert (ann.span_id, ann["value"]) == ("4b7f120a83c28cc3", 0)
    assert (ann.source, ann.author, ann.comment) == ("human", "me", "c2")
    assert scores.loc["s-sess", "session_id"] == "s1"
    assert pd.isna(scores.loc["s-sess", "trace_id"])
    assert scores["data_type"].value_counts().to_dict() == {
        "numeric": 3, "boolean": 2, "categorical": 2, "text": 1, "correction": 1,
    }  # fmt: skip


def test_the_same_scores_of_the_older_api_are_the_same(langfuse: Any, captured: Callable[[str], Any]) -> None:
    new = langfuse.load(map(score_raw, captured("v3_scores_all")["data"])).scores.set_index("score_id")
    old = langfuse.load(map(score_raw, captured("legacy_v2_scores")["data"])).scores.set_index("score_id")
    pd.testing.assert_frame_equal(new.loc[old.index], old)


def test_session_scores_are_found_by_the_session(langfuse: Any) -> None:
    score = score_raw({**BASE, "value": 1, "subject": {"kind": "session", "id": "s1"}})
    traces = langfuse.load([*to_raw([langfuse.observation()]), score])
    assert len(traces.where(session_id="s1").scores) == 1
    assert len(traces.where(session_id="s2").scores) == 0


def test_comments_are_scores_in_words(langfuse: Any) -> None:
    said = {"content": "odd answer", "authorUserId": "u9", "createdAt": "2026-11-21T05:07:43.866Z"}
    on = {"TRACE": langfuse.trace, "OBSERVATION": langfuse.span, "SESSION": "s1"}
    rows = [{**said, "id": kind, "objectType": kind, "objectId": its_id} for kind, its_id in on.items()]
    comments = map(comment_raw, rows)
    scores = langfuse.load([*to_raw([langfuse.observation()]), *comments]).scores.set_index("score_id")
    assert set(scores["name"]) == {"comment"}
    assert set(scores["comment"]) == {"odd answer"}
    assert set(scores["source"]) == {"human"}
    assert set(scores["data_type"]) == {"text"}
    assert scores.loc["TRACE", "trace_id"] == langfuse.trace
    # The API does not tell the trace of an observation.
    assert scores.loc["OBSERVATION", ["trace_id", "span_id"]].tolist() == [langfuse.trace, langfuse.span]
    assert scores.loc["SESSION", "session_id"] == "s1"


@pytest.mark.parametrize(
    "row",
    [{"objectType": "PROMPT", "objectId": "p", "content": "x"}, {"objectType": "TRACE", "objectId": "t"}, {}, None],
)
def test_a_comment_on_something_else_is_a_problem(row: Any) -> None:
    assert isinstance(comment_raw(row), Problem)
