"""Objectives and error budgets, against the definitions worked out slowly."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces
from tests.examples import examples

from .test_quality import START, scored

HOUR = pd.Timedelta(hours=1)


@examples(25)
@given(st.lists(st.booleans(), min_size=1, max_size=80), st.sampled_from([0.1, 0.7, 5]))
def test_burns_are_what_a_slow_reference_says(good: list[bool], hours: float) -> None:
    (row,) = ll.slo(scored([float(each) for each in good], hours=hours), "good == true", 0.9).to_dict("records")
    times = [START + pd.Timedelta(hours=hours * n) for n in range(len(good))]
    assert row["n"] == len(good)
    assert row["good"] == pytest.approx(sum(good) / len(good))
    assert row["burn"] == pytest.approx((1 - sum(good) / len(good)) / 0.1)
    for name, length in (("1h", HOUR), ("6h", 6 * HOUR), ("3d", 72 * HOUR)):
        # The window ends just after the last judgement.
        inside = [each for each, at in zip(good, times, strict=True) if at > times[-1] - length + pd.Timedelta("1us")]
        assert abs(row[f"n_{name}"] - len(inside)) <= 1
        if row[f"n_{name}"] == len(inside) >= 10:
            assert row[f"burn_{name}"] == pytest.approx((1 - sum(inside) / len(inside)) / 0.1)
        elif row[f"n_{name}"] < 10:
            assert pd.isna(row[f"burn_{name}"])


def test_a_burn_of_one_spends_the_budget_in_its_period() -> None:
    traces = scored([0.0 if n % 20 == 10 else 1.0 for n in range(24 * 15)], hours=1)
    (row,) = ll.slo(traces, "good >= 0.5", 0.95).to_dict("records")
    assert row["burn"] == pytest.approx(1, abs=0.01)
    assert row["budget_left"] == pytest.approx(0.5, abs=0.01)
    assert row["budget_left_low"] < row["budget_left"] < row["budget_left_high"]
    assert row["runs_out_low"] < row["runs_out"] < row["runs_out_high"]


def test_a_budget_that_is_spent_says_since_when() -> None:
    traces = scored([1.0] * 100 + [0.0] * 100, hours=1)
    (row,) = ll.slo(traces, "good >= 0.5", 0.9, days=30).to_dict("records")
    spent = 0.1 * 200 * 30 * 24 / 199
    assert row["budget_left"] < 0
    assert row["runs_out"] == pytest.approx(START + 100 * HOUR + HOUR * spent, abs=2 * HOUR)


@pytest.mark.parametrize(
    ("bad", "alert"), [(lambda n: n >= 300, "page"), (lambda n: n % 10 == 0, "ticket"), (lambda _: False, "none")]
)
def test_alerts_are_those_of_the_workbook(bad: Any, alert: str) -> None:
    traces = scored([0.0 if bad(n) else 1.0 for n in range(400)], hours=0.05)
    assert ll.slo(traces, "good >= 0.5", 0.95)["alert"].tolist() == [alert]


def test_an_alert_ends_when_what_it_is_about_has_ended() -> None:
    values = [1.0] * 200 + [0.0] * 200 + [1.0] * 400
    rows = ll.slo(scored(values, hours=0.05), "good >= 0.5", 0.95, every="1h").set_index("period")
    assert rows["alert"].iloc[18] == "page"
    assert rows["alert"].iloc[-1] != "page"


def test_each_bucket_stands_as_it_did_at_its_end_and_each_group_has_its_budget() -> None:
    traces = scored([1.0] * 48 + [0.0] * 48, hours=1, features="ab")
    frame = ll.slo(traces, "good >= 0.5", every="1D", by="feature")
    assert frame["feature"].tolist() == ["a"] * 4 + ["b"] * 4
    first = frame[frame["feature"] == "a"].reset_index(drop=True)
    assert first["budget_left"].tolist()[:2] == [1.0, 1.0]
    assert first["budget_left"].is_monotonic_decreasing
    assert first["at"].iloc[0] == START + pd.Timedelta(days=1)
    assert len(frame.plot().data) == 2


def test_what_is_not_known_is_na_and_said(week: Traces) -> None:
    frame = ll.slo(week.where(feature="nothing"), "helpfulness >= 0.7")
    assert frame["n"].tolist() == [0]
    assert frame.drop(columns=["n", "n_1h", "n_6h", "n_3d"]).isna().all(axis=None)
    assert "nothing is known" in frame.notes[0]
    labels = ll.slo(scored([None, 1.0], label=["x", None]), "good >= 0.5")
    assert labels["n"].tolist() == [1]
    assert "cannot be compared" in labels.notes[0]


def test_a_target_that_can_never_page_is_said(week: Traces) -> None:
    assert any("no burn pages over 1h" in note for note in ll.slo(week, "helpfulness >= 0.7", 0.9).notes)


@pytest.mark.parametrize("target", [0, 1, 95, -0.1, "0.95", None, True])
def test_a_target_that_is_no_share_is_an_error(week: Traces, target: Any) -> None:
    with pytest.raises(SelectionError, match="share between 0 and 1"):
        ll.slo(week, "helpfulness >= 0.7", target)


def test_misuse_is_named(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'helpfulness'"):
        ll.slo(week, "helpfulnes >= 0.7")
    with pytest.raises(SelectionError, match="days=0"):
        ll.slo(week, "helpfulness >= 0.7", days=0)
    with pytest.raises(SelectionError, match=r"95 % is 0\.95"):
        ll.slo(week, "helpfulness >= 0.7", 95)


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([0.0, 0.6, 0.7, 1.0])), min_size=1, max_size=40))
def test_an_objective_is_what_a_loop_over_scores_says(given_: list[tuple[int, float]]) -> None:
    hours, values = [hour for hour, _ in given_], [value for _, value in given_]
    ids = [f"t{n}" for n in range(len(given_))]
    begun = [START + pd.Timedelta(hours=hour) for hour in hours]
    spans = pd.DataFrame({"trace_id": ids, "span_id": "1", "kind": "llm", "start": begun})
    scores = pd.DataFrame({"score_id": ids, "trace_id": ids, "name": "good", "value": values})
    (row,) = ll.slo(Traces.from_frames({"spans": spans, "scores": scores}), "good >= 0.7", 0.9).to_dict("records")
    met = [value >= 0.7 for value in values]
    assert (row["n"], row["good"]) == (len(met), pytest.approx(sum(met) / len(met)))
    assert row["burn"] == pytest.approx((1 - sum(met) / len(met)) / 0.1)
    for name, length in (("1h", 1), ("6h", 6), ("3d", 72)):
        # The window ends just after the last score.
        recent = [ok for hour, ok in zip(hours, met, strict=True) if hour > max(hours) - length]
        assert row[f"n_{name}"] == len(recent)
        burn = pytest.approx((1 - sum(recent) / len(recent)) / 0.1) if len(recent) >= 10 else None
        assert (None if pd.isna(row[f"burn_{name}"]) else row[f"burn_{name}"]) == burn
