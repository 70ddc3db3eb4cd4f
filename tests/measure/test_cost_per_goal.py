"""Cost per goal: what failed is paid, what nobody judged is left out, and sums are those of a plain loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError
from llmlens.statistics.ratios import ratio_of_sums
from llmlens.traces import Traces
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Sequence


def made(costs: Sequence[float | None], resolved: Sequence[float | None] | None = None, **columns: Any) -> Traces:
    n = len(costs)
    spans = {"trace_id": [f"t{i}" for i in range(n)], "span_id": "1", "kind": "llm", "depth": 0, "status": "ok"}
    spans |= {"cost_usd": pd.array(costs, dtype="Float64"), "usage_source": "reported", "user_id": "u"}
    spans |= {"start": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(range(n), unit="h")}
    spans |= columns
    frames = {"spans": pd.DataFrame(spans)}
    if resolved is not None:
        judged = [(f"t{i}", value) for i, value in enumerate(resolved) if value is not None]
        scores = pd.DataFrame(judged, columns=["trace_id", "value"]).assign(name="resolved")
        frames["scores"] = scores.assign(score_id=[f"s{i}" for i in range(len(scores))])
    return Traces.from_frames(frames)


def test_what_failed_is_paid_by_what_was_done() -> None:
    row = ll.cost_per_goal(made([1.0, 2.0, 3.0], [1, 0, 1]), done="resolved >= 1").iloc[0]
    assert (row["n"], row["n_judged"], row["n_done"]) == (3, 3, 2)
    assert row["cost_per_unit"] == 2
    assert row["cost_per_done"] == 3
    assert pd.isna(row["cost_per_done_low"])  # three traces tell no interval


def test_traces_without_a_judgement_are_in_no_cost_per_goal() -> None:
    found = ll.cost_per_goal(made([1.0, 2.0, 40.0], [1, 0, None]), done="resolved >= 1")
    assert found.iloc[0]["cost_per_done"] == 3
    assert found.iloc[0]["cost_usd"] == 43
    assert "1 of 3 traces have no score 'resolved'" in found.notes[0]


@pytest.mark.parametrize(
    "rule", ["user_id == 'a'", lambda frame: frame["user_id"] == "a", lambda frame: frame["user_id"].eq("a").tolist()]
)
def test_a_rule_is_an_expression_a_function_or_a_selection(rule: Any) -> None:
    traces = made([1.0, 2.0, 3.0], user_id=["a", "b", "a"])
    assert ll.cost_per_goal(traces, done=rule).iloc[0]["n_done"] == 2
    assert ll.cost_per_goal(traces, done=traces.where(user_id="a")).iloc[0]["cost_per_done"] == 3


def test_a_session_costs_what_its_traces_do() -> None:
    traces = made([1.0, 2.0, 4.0, 8.0], [1, 1, 0, 1], session_id=["s", "s", "r", None])
    found = ll.cost_per_goal(traces, done="resolved >= 1", per="session")
    row = found.iloc[0]
    assert (row["n"], row["cost_per_unit"], row["n_done"]) == (2, 3.5, 2)
    assert "1 traces belong to no session: left out" in found.notes


def test_calls_without_a_time_are_a_period_without_a_time() -> None:
    traces = made([1.0, 2.0], start=pd.to_datetime(pd.Series([None, None]), utc=True))
    found = ll.cost_per_goal(traces, every="1D")
    assert found["cost_usd"].tolist() == [3]
    assert found["period"].isna().all()
    found.plot()
    assert isinstance(found["period"].dtype, pd.DatetimeTZDtype)


def test_units_of_unknown_cost_are_left_out_and_counted() -> None:
    row = ll.cost_per_goal(made([1.0, None, 3.0], [1, 1, 0]), done="resolved >= 1").iloc[0]
    assert (row["n"], row["n_unpriced"], row["cost_per_done"]) == (2, 1, 4)


def test_a_rule_that_matches_nothing_has_no_cost_per_goal() -> None:
    found = ll.cost_per_goal(made([1.0] * 12, [0] * 12), done="resolved >= 1", by="user_id")
    assert found["cost_per_done"].isna().all()
    assert found["done_share"].tolist() == [0]
    assert any("matches no trace" in note for note in found.notes)
    found.plot()


def test_nothing_selected_and_no_rule_say_so(week: Traces) -> None:
    found = ll.cost_per_goal(week.where(feature="nothing"), done="helpfulness >= 0.7")
    assert found["n"].tolist() == [0]
    assert len(ll.cost_per_goal(week.where(feature="nothing"), by="feature", every="1D")) == 0
    plain = ll.cost_per_goal(week, per="user", by="feature")
    assert plain["cost_per_done"].isna().all()
    assert plain["cost_per_unit_low"].notna().any()
    assert any("no rule" in note for note in plain.notes)
    plain.plot()


@examples(25)
@given(st.data())
def test_sums_are_those_of_a_plain_loop(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    costs = data.draw(st.lists(st.sampled_from([0.5, 1.0, 2.0]), min_size=n, max_size=n))
    resolved = data.draw(st.lists(st.sampled_from([0.0, 1.0, None]), min_size=n, max_size=n))
    users = data.draw(st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    traces = made(costs, resolved, user_id=users)
    if not any(each is not None for each in resolved):
        return
    for row in ll.cost_per_goal(traces, done="resolved >= 1", by="user_id").to_dict("records"):
        of = [i for i in range(n) if users[i] == row["user_id"]]
        done = sum(resolved[i] == 1 for i in of)
        spent = sum(costs[i] for i in of if resolved[i] is not None)
        assert row["cost_usd"] == pytest.approx(sum(costs[i] for i in of))
        assert pd.isna(row["cost_per_done"]) if not done else row["cost_per_done"] == pytest.approx(spent / done)


def test_the_interval_of_a_ratio_covers_it() -> None:
    covered = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        done = (random.random(60) < 0.7).astype(float)
        cost = random.lognormal(0, 0.7, 60) + (1 - done)
        truth = (np.exp(0.245) + 0.3) / 0.7
        found = ratio_of_sums(cost, done, random)
        covered += found.low <= truth <= found.high
    assert 0.9 <= covered / 200 <= 0.99


def test_wrong_arguments_name_the_right_ones(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'helpfulness'"):
        ll.cost_per_goal(week, done="helpfulnes >= 0.5")
    with pytest.raises(UnknownArgumentError, match=r"per='sesion'.*Did you mean 'session'"):
        ll.cost_per_goal(week, per="sesion")
    with pytest.raises(SelectionError, match="is no rule"):
        ll.cost_per_goal(week, done=5)  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="the function gave"):
        ll.cost_per_goal(week, done=lambda frame: ["perhaps"] * len(frame))
