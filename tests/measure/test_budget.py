"""The budget: sums to the cent, the rhythm of the week is used, and what is not known is not told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError
from llmlens.measure.rhythm import weekday_factors
from llmlens.traces import Traces
from tests.examples import examples

RHYTHM = np.array([1.3, 1.3, 1.3, 1.3, 1.3, 0.25, 0.25])


def days(costs: Any, start: str = "2026-02-02") -> Traces:
    """Make eight calls a day, from midnight on."""
    costs = np.asarray(costs, dtype=float)
    at = pd.date_range(start, periods=len(costs) * 8, freq="3h", tz="UTC")
    spans = {"trace_id": [f"t{n}" for n in range(len(at))], "span_id": "1", "kind": "llm", "usage_source": "reported"}
    return Traces.from_frames({"spans": pd.DataFrame(spans | {"start": at, "cost_usd": np.repeat(costs / 8, 8)})})


def test_what_is_spent_is_the_sum_of_the_month() -> None:
    traces = days(np.arange(1.0, 41.0), start="2026-01-20")
    row = ll.budget(traces, 100, at="2026-02-11").iloc[0]
    assert row["month"] == pd.Timestamp("2026-02-01", tz="UTC")
    assert row["spent_usd"] == pytest.approx(sum(range(13, 23)))
    assert row["spent_share"] == pytest.approx(row["spent_usd"] / 100)
    later = ll.cost(traces.where(since="2026-02-01", until="2026-02-11"))["cost_usd"].iloc[0]
    assert row["spent_usd"] == pytest.approx(later)


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 80), st.one_of(st.none(), st.integers(0, 50))), min_size=1, max_size=30))
def test_spent_is_the_sum_of_a_loop_over_the_calls_of_the_month(calls: list[tuple[int, int | None]]) -> None:
    start, at = pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-02-20", tz="UTC")
    spans = pd.DataFrame(
        {
            "trace_id": [f"t{n}" for n in range(len(calls))],
            "span_id": "1",
            "kind": "llm",
            "usage_source": "reported",
            "start": [start + pd.Timedelta(days=day, hours=1) for day, _ in calls],
            "cost_usd": pd.array([cost for _, cost in calls], dtype="Float64"),
        }
    )
    row = ll.budget(Traces.from_frames({"spans": spans}), 100, at=at).iloc[0]
    first = pd.Timestamp("2026-02-01", tz="UTC")
    own = [cost or 0 for day, cost in calls if first <= start + pd.Timedelta(days=day, hours=1) < at]
    assert (0 if pd.isna(row["spent_usd"]) else row["spent_usd"]) == pytest.approx(sum(own))


def test_even_days_are_forecast_to_the_end_of_the_month() -> None:
    random = np.random.default_rng(1)
    budget = ll.budget(days(random.normal(10, 0.5, 20), start="2026-02-01"), 210, at="2026-02-21")
    row = budget.iloc[0]
    assert row["run_rate_low"] < 10 < row["run_rate_high"]
    assert row["forecast_low"] < 280 < row["forecast_high"]
    passing = budget.beside["passing"]
    assert passing["state"].tolist() == ["passed", "expected", "not this month"]
    assert passing["date"].iloc[0].day in (17, 18)
    assert pd.Timestamp("2026-02-20", tz="UTC") <= passing["low"].iloc[1] <= passing["high"].iloc[1]
    budget.plot()


def test_the_weekend_is_known_after_two_weeks() -> None:
    costs = np.tile(RHYTHM, 3) * 10
    row = ll.budget(days(costs), 1000, at="2026-02-21").iloc[0]  # a Saturday, after nineteen days
    assert row["forecast_usd"] == pytest.approx(10 * RHYTHM[np.arange(27) % 7].sum(), rel=0.02)


def test_weekday_factors_are_those_planted_also_when_costs_grow() -> None:
    growth = 1.01 ** np.arange(28)
    factors = weekday_factors(np.tile(RHYTHM, 4) * growth, np.arange(28) % 7)
    assert factors == pytest.approx(RHYTHM / RHYTHM.mean(), abs=0.06)
    assert factors.mean() == pytest.approx(1)
    assert weekday_factors(np.ones(13), np.arange(13) % 7).tolist() == [1.0] * 7


def test_few_days_give_no_interval_and_none_no_forecast() -> None:
    few = ll.budget(days([10, 11, 12, 10], start="2026-02-01"), 100)
    assert few.iloc[0]["forecast_usd"] == pytest.approx(43 + 11 * 24, rel=0.2)
    assert few.iloc[0][["run_rate_low", "forecast_low", "over"]].isna().all()
    assert any("too few for intervals" in note for note in few.notes)
    first = ll.budget(days([10.0], start="2026-02-01"), 100)
    assert pd.isna(first.iloc[0]["forecast_usd"])
    assert first.beside["passing"]["state"].tolist() == ["not known"] * 3
    first.plot()


def test_a_rise_is_said() -> None:
    random = np.random.default_rng(0)
    rising = ll.budget(days(1.05 ** np.arange(26) * random.normal(1, 0.03, 26), start="2026-02-01"), 100)
    assert any("climbs" in note and "lower bound" in note for note in rising.notes)
    even = ll.budget(days(random.normal(1, 0.03, 26), start="2026-02-01"), 100)
    assert not any("climbs" in note for note in even.notes)


def test_the_same_seed_says_the_same() -> None:
    traces = days(np.random.default_rng(0).normal(10, 2, 20))
    one, same, other = (ll.budget(traces, 100, seed=seed).iloc[0]["forecast_high"] for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_calls_of_unknown_cost_make_a_lower_bound() -> None:
    at = pd.date_range("2026-02-01", periods=20, freq="12h", tz="UTC")
    spans = {"trace_id": [f"t{n}" for n in range(20)], "span_id": "1", "kind": "llm", "usage_source": "reported"}
    frame = pd.DataFrame(spans | {"start": at, "cost_usd": [1.0, None] * 10})
    budget = ll.budget(Traces.from_frames({"spans": frame}), 100)
    assert budget.iloc[0]["spent_usd"] == 10
    assert any("10 calls of unknown cost" in note for note in budget.notes)


def test_no_calls_say_so(week: Traces) -> None:
    for budget in (ll.budget(week.where(feature="nothing"), 5), ll.budget(week, 5, at="2020-01-01")):
        assert len(budget) == 1
        assert pd.isna(budget.iloc[0]["spent_usd"])
        assert "no model calls" in budget.notes[0]
        budget.plot()


@pytest.mark.parametrize("monthly", [0, -1, float("nan"), float("inf"), "47k", True])
def test_a_budget_is_an_amount_of_money(week: Traces, monthly: Any) -> None:
    with pytest.raises(SelectionError, match="not a budget"):
        ll.budget(week, monthly)
