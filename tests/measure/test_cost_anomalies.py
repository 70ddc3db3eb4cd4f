"""Anomalies of cost: the planted day is found, weekends and growth are none, quiet months are quiet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError
from llmlens.measure.rhythm import medians_of_others
from llmlens.traces import Traces

RHYTHM = (1.3, 1.2, 1.2, 1.1, 1.1, 0.5, 0.4)


def month(seed: int = 0, *, odd: int | None = None, growth: float = 1.0, days: int = 28) -> Traces:
    random = np.random.default_rng(seed)
    parts = []
    for feature, calls in (("a", 60), ("b", 40)):
        for day in range(days):
            n = int(calls * RHYTHM[day % 7])
            cost = random.lognormal(0, 0.3, n) * growth**day * (1.6 if day == odd and feature == "a" else 1)
            at = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta((day + np.arange(n) / n) * 86_400, unit="s")
            parts.append(pd.DataFrame({"feature": feature, "cost_usd": cost, "start": at}))
    frame = pd.concat(parts, ignore_index=True).assign(span_id="1", kind="llm", usage_source="reported")
    return Traces.from_frames({"spans": frame.assign(trace_id=[f"t{n}" for n in range(len(frame))])})


def found(traces: Traces) -> set[tuple[str, int]]:
    frame = ll.cost_anomalies(traces)
    odd = frame[frame["anomaly"].fillna(value=False)]
    days = (odd["period"] - pd.Timestamp("2026-11-02", tz="UTC")).dt.days
    return set(zip(odd["feature"].tolist(), days.tolist(), strict=True))


@pytest.mark.parametrize("odd", [2, 12, 20, 25])
def test_the_planted_day_is_found_and_no_other(odd: int) -> None:
    assert found(month(odd, odd=odd)) == {("a", odd)}


@pytest.mark.parametrize("seed", range(3))
def test_weekends_and_growth_are_no_anomalies(seed: int) -> None:
    assert found(month(seed)) == set()
    assert found(month(seed, growth=1.03)) == set()


def test_an_anomaly_comes_first_and_says_what_it_cost() -> None:
    first = ll.cost_anomalies(month(odd=12)).iloc[0]
    assert first["feature"] == "a"
    assert first["value"] > first["high"] > first["expected"] > first["low"]
    assert first["change"] == pytest.approx(0.6, abs=0.2)
    assert first["effect_usd"] > 0


def test_the_values_are_those_of_cost() -> None:
    traces = month()
    frame = ll.cost_anomalies(traces).query("measure == 'cost_usd'").set_index(["feature", "period"])["value"]
    plain = ll.cost(traces, by="feature", every="1D").set_index(["feature", "period"])["cost_usd"]
    assert frame.sort_index().to_numpy() == pytest.approx(plain.sort_index().to_numpy())


def test_too_few_days_say_so() -> None:
    frame = ll.cost_anomalies(month(days=5))
    assert frame["p"].isna().all()
    assert frame["anomaly"].isna().all()
    assert any("too few" in note for note in frame.notes)
    frame.plot()


def test_no_calls_give_no_rows_of_the_same_types(week: Traces) -> None:
    empty, full = ll.cost_anomalies(week.where(feature="nothing")), ll.cost_anomalies(week)
    assert len(empty) == 0
    assert list(empty.columns) == list(full.columns)
    empty.plot()
    full.plot()


def test_without_groups_and_by_the_hour(week: Traces) -> None:
    assert "feature" not in ll.cost_anomalies(week, by=None, every="6h")
    with pytest.raises(SelectionError, match="not a period"):
        ll.cost_anomalies(week, every="often")
    with pytest.raises(SelectionError, match="not a period"):
        ll.cost_anomalies(week, every=None)  # type: ignore[arg-type]


@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5)), min_size=1, max_size=12), st.integers(0, 4))
def test_medians_of_others_are_the_plain_ones(values: list[float], reach: int) -> None:
    places = np.arange(len(values))
    near = np.abs(places[:, None] - places[None, :]) <= reach
    medians, counts = medians_of_others(np.array(values), near)
    for i in range(len(values)):
        others = [v for j, v in enumerate(values) if j != i and abs(i - j) <= reach and not np.isnan(v)]
        assert counts[i] == len(others)
        assert medians[i] == pytest.approx(np.median(others)) if others else np.isnan(medians[i])
