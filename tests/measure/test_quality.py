"""Scores over time: what is counted, what passes, what is too little to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.measure.condition import Condition, objective
from llmlens.statistics.intervals import mean_interval, quantile_interval
from llmlens.statistics.shares import wilson
from llmlens.traces import Traces
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

START = pd.Timestamp("2026-01-05", tz="UTC")


def scored(values: Sequence[float | None], *, hours: float = 24, features: str = "a", **columns: Any) -> Traces:
    """Make a trace a value, so many hours apart, with a score `good`; features are given in turn."""
    ids = [f"t{n}" for n in range(len(values))]
    start = [START + pd.Timedelta(hours=hours * n) for n in range(len(values))]
    spans = {"trace_id": ids, "span_id": "1", "kind": "llm", "depth": 0, "start": start}
    spans["feature"] = [features[n % len(features)] for n in range(len(values))]
    scores = {"score_id": ids, "trace_id": ids, "name": "good", "value": list(values), "source": "judge"} | columns
    return Traces.from_frames({"spans": pd.DataFrame(spans), "scores": pd.DataFrame(scores)})


@examples(25)
@given(st.lists(st.floats(0, 1).map(lambda x: round(x, 2)), min_size=1, max_size=60), st.sampled_from(["a", "ab"]))
def test_quality_is_what_a_slow_reference_says(values: list[float], features: str) -> None:
    frame = ll.quality(scored(list(values), features=features), by="feature", passing=0.7)
    for place, feature in enumerate(features):
        mine = values[place :: len(features)]
        rows = frame[frame["feature"] == feature]
        if not mine:
            assert rows.empty
            continue
        (row,) = rows.to_dict("records")
        share = sum(value >= 0.7 for value in mine) / len(mine)
        assert row["n"] == len(mine)
        assert row["mean"] == pytest.approx(sum(mine) / len(mine))
        assert (row["pass_rate_low"], row["pass_rate_high"]) == pytest.approx(wilson(share, len(mine)))
        graded = not all(value in (0, 1) for value in values)
        assert pd.isna(row["p5"]) == (len(mine) < 20 or not graded)
        if not pd.isna(row["p10"]):
            assert row["p10"] == pytest.approx(np.quantile(mine, 0.1, method="hazen"))


def test_the_interval_of_a_quantile_covers_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    found = [quantile_interval(random.exponential(size=120), 0.1) for _ in range(400)]
    truth = -np.log(0.9)
    assert np.mean([low <= truth <= high for _, low, high in found]) >= 0.93


@pytest.mark.parametrize(("n", "known"), [(19, False), (20, True), (71, True), (72, True)])
def test_a_bound_beyond_all_values_is_not_made_up(n: int, known: bool) -> None:
    value, low, _ = quantile_interval(np.arange(float(n)), 0.05)
    assert np.isnan(value) != known
    assert np.isnan(low) == (n < 72)


def test_several_judgements_of_a_trace_count_once() -> None:
    traces = scored([0.2, 0.6, 1.0], trace_id=["t0", "t0", "t1"], score_id=["a", "b", "c"])
    (row,) = ll.quality(traces, passing=0.5).to_dict("records")
    assert (row["n"], row["mean"], row["pass_rate"]) == (2, pytest.approx(0.7), 0.75)


def test_true_and_false_pass_by_themselves_and_have_no_percentiles() -> None:
    (row,) = ll.quality(scored([1.0] * 30 + [0.0] * 10, data_type="boolean")).to_dict("records")
    assert (row["kind"], row["mean"], row["pass_rate"]) == ("boolean", 0.75, 0.75)
    assert pd.isna(row["p5"])
    assert row["mean_low"] == row["pass_rate_low"]


def test_mixed_kinds_under_one_name_are_parted_and_said() -> None:
    traces = scored([0.5, None, 1.0], label=[None, "fine", None], data_type=["numeric", "categorical", "boolean"])
    frame = ll.quality(traces)
    assert sorted(frame["kind"]) == ["boolean", "categorical", "numeric"]
    assert any("several kinds (boolean, categorical, numeric)" in note for note in frame.notes)
    assert any("labels have no order" in note for note in frame.notes)


def test_labels_pass_by_a_condition() -> None:
    traces = scored([None] * 4, label=["good", "bad", "good", "good"], data_type="categorical")
    (row,) = ll.quality(traces, passing={"good": "== 'good'"}).to_dict("records")
    assert row["pass_rate"] == 0.75
    assert pd.isna(row["mean"])


def test_texts_are_not_counted_and_sessions_are() -> None:
    traces = scored([0.5, 1.0], data_type=["text", "numeric"], trace_id=["t0", None], session_id=[None, "s"])
    assert ll.quality(traces)[["n", "mean"]].to_numpy().tolist() == [[1, 1.0]]


def test_a_session_that_was_judged_is_where_its_first_trace_is() -> None:
    spans = pd.DataFrame({"trace_id": ["a", "b"], "span_id": "1", "kind": "llm", "depth": 0, "session_id": "s",
                          "start": [START, START + pd.Timedelta(days=2)], "feature": ["x", "y"]})  # fmt: skip
    scores = pd.DataFrame({"session_id": ["s"], "name": ["good"], "value": [0.5]})
    frame = ll.quality(Traces.from_frames({"spans": spans}).with_scores(scores), by="feature", every="1D")
    assert frame[["feature", "period", "n"]].to_numpy().tolist() == [["x", START, 1]]


def test_nothing_is_said_of_nothing(week: Traces) -> None:
    empty = week.where(feature="nothing")
    frame = ll.quality(empty, by="feature", every="1D", name="helpfulness", passing=0.7)
    assert len(frame) == 0
    assert frame.notes == ("There are no scores: traces.with_scores(frame) adds some.",)
    assert list(frame.columns) == list(ll.quality(week, by="feature", every="1D").columns)
    assert len(frame.plot().data) == 0


def test_few_scores_have_a_mean_and_no_interval() -> None:
    (row,) = ll.quality(scored([0.1, 0.5, 0.9])).to_dict("records")
    assert row["mean"] == pytest.approx(0.5)
    assert pd.isna(row["mean_low"])
    assert pd.isna(row["p10"])


def test_an_unknown_score_names_the_nearest(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'helpfulness'"):
        ll.quality(week, name="helpfulnes")
    with pytest.raises(UnknownNameError, match="in passing"):
        ll.quality(week, passing={"helpfulnes": 0.7})
    with pytest.raises(SelectionError, match="what is measured"):
        ll.quality(week, by="kind")


@pytest.mark.parametrize("passing", ["0.7", ">= ", "good", ">= 0.7 and <= 0.9", "> 'good'", True, float("nan"), [0.7]])
def test_what_cannot_pass_is_an_error(week: Traces, passing: Any) -> None:
    with pytest.raises(SelectionError, match="passing"):
        ll.quality(week, passing=passing)


def test_lines_and_points_show_the_means_with_their_intervals(week: Traces) -> None:
    frame = ll.quality(week, by="feature")
    (points,) = frame.plot().data
    assert list(points.x) == pytest.approx(frame["mean"].tolist())
    assert len(ll.quality(week, every="1D", name="helpfulness").plot().data) >= 1


@pytest.mark.parametrize(
    ("text", "name", "condition"),
    [
        ("helpfulness >= 0.7", "helpfulness", Condition(">=", 0.7)),
        ("  user.thumbs==true ", "user.thumbs", Condition("==", 1.0)),
        ("`is helpful` != 'no'", "is helpful", Condition("!=", "no")),
        ("x<-1e-3", "x", Condition("<", -0.001)),
        ('verdict == "good"', "verdict", Condition("==", "good")),
    ],
)
def test_objectives_are_read(text: str, name: str, condition: Condition) -> None:
    assert objective(text) == (name, condition)


@pytest.mark.parametrize(
    "text",
    ["", "helpfulness", ">= 0.7", "helpfulness 0.7", "helpfulness => 0.7", "a >= 1 and b >= 2", "0.7 <= a", 5, None,
     "a b >= 1", "a >= b", "a > 'x'", "a >= 1 >= 0"],
)  # fmt: skip
def test_what_is_no_objective_is_an_error_that_shows_one(text: Any) -> None:
    with pytest.raises(SelectionError, match=r"objective.*[Ee]xpected|objective: labels have no order"):
        objective(text)


def test_the_interval_of_a_mean_covers_skewed_values_of_few_and_of_many() -> None:
    random = np.random.default_rng(1)
    for n in (30, 400):
        found = [mean_interval(random.exponential(size=n), seed) for seed in range(300)]
        assert np.mean([each.low <= 1 <= each.high for each in found]) >= 0.91


def test_the_figure_names_of_a_score_only_what_tells_the_rows_apart() -> None:
    ids = [f"t{n}" for n in range(24)]
    start = pd.date_range("2026-11-02", periods=24, freq="h", tz="UTC")
    spans = pd.DataFrame({"trace_id": ids, "span_id": "s", "feature": ["a", "b"] * 12, "start": start, "depth": 0})
    scores = pd.DataFrame({"trace_id": ids, "name": "good", "value": np.linspace(0.1, 0.9, 24), "source": "judge"})
    traces = Traces.from_frames({"spans": spans}).with_scores(scores)
    figure = ll.quality(traces, by="feature", every="1D").plot()
    assert {line.name for line in figure.data} == {"a · good", "b · good"}
    both = traces.with_scores(scores.assign(source="human", author="kim", value=0.5))
    figure = ll.quality(both, by="feature", every="1D").plot()
    assert {line.name for line in figure.data} == {f"{f} · good · {s}" for f in "ab" for s in ("judge", "human")}
