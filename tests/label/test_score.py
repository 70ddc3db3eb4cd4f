"""What a score takes, and what it refuses before anything is stored."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from llmlens.errors import LabelError
from llmlens.label.score import Score

RANGE = Score("helpfulness", 1, 5)
TONE = Score("tone", ["polite", "rude"])
CORRECT = Score("correct", bool)
NOTE = Score("note", str)


@pytest.mark.parametrize(
    ("score", "value", "stored"),
    [
        (RANGE, 1, 1.0),
        (RANGE, 5, 5.0),
        (RANGE, np.float32(2.5), 2.5),
        (Score("free"), -1e9, -1e9),
        (Score("free", float), 3, 3.0),
        (Score("low", 0), 1e9, 1e9),
        (TONE, "rude", "rude"),
        (Score("scale", {"bad": 0, "good": 10}), "good", "good"),
        (CORRECT, True, True),
        (CORRECT, np.False_, False),
        (CORRECT, 1, True),
        (CORRECT, "no", False),
        (NOTE, "x" * 500, "x" * 500),
        (Score.correction(), "x" * 501, "x" * 501),
    ],
)
def test_a_value_that_fits_is_stored_in_the_type_of_its_score(score: Score, value: Any, stored: Any) -> None:
    checked = score.check(value)
    assert checked == stored
    assert type(checked) is type(stored)


@pytest.mark.parametrize(
    ("score", "value", "said"),
    [
        (RANGE, 0.99, "'helpfulness' takes 1 to 5; got 0.99"),
        (RANGE, 6, "got 6"),
        (RANGE, float("nan"), "got nan"),
        (RANGE, float("inf"), "got inf"),
        (RANGE, 10**400, "takes 1 to 5"),
        (RANGE, "4", "got '4'"),
        (RANGE, True, "got True"),
        (RANGE, None, "got None"),
        (TONE, "polit", "Did you mean 'polite'"),
        (TONE, 1, "takes 'polite' or 'rude'; got 1"),
        (TONE, ["rude"], "got"),
        (CORRECT, 2, "takes yes or no; got 2"),
        (CORRECT, "maybe", "got 'maybe'"),
        (NOTE, "", "is not empty"),
        (NOTE, " \n", "is not empty"),
        (NOTE, 3, "got 3"),
        (NOTE, "x" * 501, "at most 500 characters; this has 501"),
        (NOTE, "😀" * 251, "at most 500 characters; this has 502"),
        (NOTE, "half \ud800", "not one"),
        (NOTE, "nul \0", "not one"),
        (Score.correction(), "x" * 100_001, "at most 100,000"),
        (Score("old", 1, 5, archived=True), 3, "archived"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(score: Score, value: Any, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        score.check(value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Score(""), "name"),
        (lambda: Score(3), "name"),  # type: ignore[arg-type]  # misuse
        (lambda: Score("x", 5, 1), "minimum must be below"),
        (lambda: Score("x", 5, 5), "minimum must be below"),
        (lambda: Score("x", 1, "5"), "maximum"),  # type: ignore[arg-type]  # misuse
        (lambda: Score("x", float("nan")), "smallest number"),
        (lambda: Score("x", []), "at least one"),
        (lambda: Score("x", ["a", "a"]), "different"),
        (lambda: Score("x", ["a", 1]), "different texts"),  # type: ignore[list-item]  # misuse
        (lambda: Score("x", {"a": "b"}), "numbers as values"),  # type: ignore[dict-item]  # misuse
        (lambda: Score("x", ["a"], 3), "only numbers have a maximum"),
        (lambda: Score("x", bool, 3), "only numbers have a maximum"),
        (lambda: Score("x", object()), "expected"),  # type: ignore[arg-type]  # misuse
        (lambda: Score("x", True), "expected"),
        (lambda: Score("x", data_type="stars"), "'stars'"),  # type: ignore[arg-type]  # misuse
        (lambda: Score("x", data_type="categorical"), "'categorical'"),
        (lambda: Score("x", ["a"], data_type="text"), "'text'"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(make: Any, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        make()


@pytest.mark.parametrize("score", [RANGE, TONE, CORRECT, NOTE, Score("a", 0), Score("s", {"bad": -1, "good": 2})])
def test_a_config_goes_to_langfuse_and_comes_back_the_same(score: Score) -> None:
    there = score.to_langfuse() | {"id": "c1", "isArchived": False}
    back = Score.from_langfuse(there)
    assert back.config_id == "c1"
    assert (back.name, back.data_type, back.minimum, back.maximum) == (
        score.name, score.data_type, score.minimum, score.maximum,
    )  # fmt: skip
    assert back.categories == score.categories


def test_an_archived_config_of_langfuse_takes_no_labels() -> None:
    score = Score.from_langfuse({"id": "c", "name": "old", "dataType": "BOOLEAN", "isArchived": True})
    with pytest.raises(LabelError, match="archived"):
        score.check(True)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"id": "c", "name": "n", "dataType": "STARS"},
        {"id": "c", "name": "n", "dataType": "CATEGORICAL", "categories": [{}]},
        {"id": "c", "name": "n", "dataType": "CATEGORICAL", "categories": None},
    ],
)
def test_a_config_that_is_not_understood_is_an_error(config: dict[str, Any]) -> None:
    with pytest.raises(LabelError):
        Score.from_langfuse(config)


@pytest.mark.parametrize("name", ["x" * 36, "a/b", "what?", "a\nb"])
def test_names_that_langfuse_refuses_are_fine_here_and_refused_on_the_way_there(name: str) -> None:
    score = Score(name, bool)
    assert score.check(True) is True
    with pytest.raises(LabelError, match="35"):
        score.to_langfuse()


def test_names_that_langfuse_takes_pass() -> None:
    assert Score("Größe (x.y)-_ 2", bool).to_langfuse()["name"] == "Größe (x.y)-_ 2"


def test_corrections_have_the_name_and_no_config() -> None:
    assert Score.correction().name == "output"
    with pytest.raises(LabelError, match="without"):
        Score.correction().to_langfuse()


def test_scores_are_values() -> None:
    assert Score("a", ["x"]) == Score("a", ["x"]) != Score("a", ["y"])
    assert len({Score("a", 1, 5), Score("a", 1, 5)}) == 1
    assert pickle.loads(pickle.dumps(TONE)) == TONE  # noqa: S301  # our own
