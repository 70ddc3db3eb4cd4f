"""Why the bill changed: shares sum to the change, equal a brute force over all orders, and go to the right cause."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.compare.cost_factors import FACTORS, effects
from llmlens.compare.shapley import shapley
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces
from tests.examples import examples

MODEL, OTHER = "gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18"


def calls(n: int = 20, **columns: Any) -> Traces:
    """Model calls of one feature, a minute apart: 1,000 tokens in and 100 out, at list price."""
    given = {
        "trace_id": [f"t{i}" for i in range(n)],
        "span_id": "1",
        "kind": "llm",
        "usage_source": "reported",
        "feature": "refunds",
        "provider": "openai",
        "model": MODEL,
        "start": pd.date_range("2026-11-02", periods=n, freq="min", tz="UTC"),
        "input_tokens": 1000,
        "cache_read_tokens": 0,
        "output_tokens": 100,
    } | columns
    frame = pd.DataFrame(given)
    if "cost_usd" not in columns:
        fresh = frame["input_tokens"] - frame["cache_read_tokens"]
        paid = 2.5 * fresh + 1.25 * frame["cache_read_tokens"] + 10 * frame["output_tokens"]
        frame["cost_usd"] = paid / 1e6 * frame["model"].map({OTHER: 0.06}).fillna(1.0)
    return Traces.from_frames({"spans": frame})


def causes(change: pd.DataFrame) -> dict[str, float]:
    """The factors that did anything, in USD."""
    row = change.iloc[0]
    return {name: float(row[name]) for name in FACTORS if abs(row[name]) > 1e-12}


def total_effect(change: pd.DataFrame) -> float:
    return float(change[list(FACTORS)].sum(axis=1).sum())


# ---------------------------------------------------------------- one cause at a time


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        (calls(30), "volume"),
        (calls(input_tokens=1500), "input_tokens"),
        (calls(output_tokens=300), "output_tokens"),
        (calls(cache_read_tokens=800), "cache"),
        (calls(cost_usd=0.01), "price"),
        (calls(cost_usd=[0.0035] * 10 + [None] * 10), "unpriced"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_changed_alone_is_all_of_it(after: Traces, cause: str) -> None:
    change = ll.cost_change(calls(), after)
    assert causes(change) == {cause: pytest.approx(float(change["change"].iloc[0]), rel=1e-12)}
    assert causes(change.total) == {cause: pytest.approx(float(change.total["change"].iloc[0]), rel=1e-12)}


def test_another_mix_of_models_is_mix() -> None:
    before = calls(20, model=[MODEL] * 10 + [OTHER] * 10)
    after = calls(20, model=[MODEL] * 18 + [OTHER] * 2)
    change = ll.cost_change(before, after)
    assert causes(change.total) == {"mix": pytest.approx(float(change.total["change"].iloc[0]))}
    assert change["mix"].tolist() == pytest.approx([8 * 0.0035, -8 * 0.0035 * 0.06])


def test_a_discount_on_the_list_price_is_price() -> None:
    change = ll.cost_change(calls(), calls(cost_usd=0.5 * 0.0035, cache_read_tokens=0))
    assert causes(change) == {"price": pytest.approx(-20 * 0.5 * 0.0035)}


def test_two_causes_share_what_they_did_together() -> None:
    change = ll.cost_change(calls(10, output_tokens=0), calls(20, output_tokens=0, input_tokens=3000))
    unit = 10 * 0.0025  # 1 -> 2 times the calls, 1 -> 3 times the tokens: 5 units more, of which 2 are of both
    assert causes(change) == {"volume": pytest.approx(2 * unit), "input_tokens": pytest.approx(3 * unit)}


# ---------------------------------------------------------------- exactness


def test_effects_sum_to_the_change_and_groups_to_the_total(week: Traces) -> None:
    before, after = week.where(release="4.2.0"), week.where(release="4.3.0")
    for by in (None, "feature", ["feature", "model"], "prompt_version", "user_id"):
        change = ll.cost_change(before, after, by=by)
        for frame in (change, change.total):
            rest = frame[list(FACTORS)].sum(axis=1) - frame["change"]
            assert rest.abs().max() <= 1e-9 * frame[["cost_before", "cost_after"]].max().max()
        assert change.total["cost_before"].iloc[0] == pytest.approx(
            float(ll.cost(before)["cost_usd"].iloc[0]), rel=1e-9
        )
        assert change.total["cost_after"].iloc[0] == pytest.approx(float(ll.cost(after)["cost_usd"].iloc[0]), rel=1e-9)
        assert change["change"].sum() == pytest.approx(float(change.total["change"].iloc[0]), rel=1e-9)


numbers = st.floats(0.01, 1e4)
sums = st.fixed_dictionaries(
    {
        "calls": st.integers(0, 500),
        "known": st.floats(0, 1),
        **{f"tokens_{kind}": st.integers(0, 5000) for kind in ("fresh", "cache_read", "cache_write", "output")},
        **{f"price_{kind}": numbers for kind in ("fresh", "cache_read", "cache_write", "output")},
        "price_call": st.sampled_from([0.0, 3.0]),
    }
)


def columns(groups: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Sums of a side as `call_costs` makes them, which agree with one another."""
    made: dict[str, list[float]] = {}
    for group in groups:
        priced = round(group["calls"] * group["known"])
        row = {"calls": group["calls"], "priced": priced, "cost_call": priced * group["price_call"]}
        for kind in ("fresh", "cache_read", "cache_write", "output"):
            row[f"tokens_{kind}"] = priced * group[f"tokens_{kind}"]
            row[f"cost_{kind}"] = row[f"tokens_{kind}"] * group[f"price_{kind}"]
        row["cost"] = sum(value for name, value in row.items() if name.startswith("cost_"))
        for name, value in row.items():
            made.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in made.items()}


@examples(60)
@given(st.lists(st.tuples(sums, sums), min_size=1, max_size=4))
def test_effects_sum_for_any_groups_new_gone_unpriced_or_unchanged(groups: list[tuple[Any, Any]]) -> None:
    before, after = columns([one for one, _ in groups]), columns([other for _, other in groups])
    found = effects(before, after, (1.0, 1.0))
    tolerance = 1e-9 * max(before["cost"].max(), after["cost"].max(), 1e-9)
    assert np.abs(found.sum(axis=0) - (after["cost"] - before["cost"])).max() <= tolerance


@examples(30)
@given(st.lists(st.floats(0, 10), min_size=8, max_size=8), st.integers(2, 4))
def test_shapley_is_the_average_over_all_orders(values: list[float], n: int) -> None:
    first, last = np.array(values[:4]), np.array(values[4:])

    def value(changed: tuple[bool, ...]) -> np.ndarray:
        chosen = np.where(changed, last[:n], first[:n])
        return np.array([np.prod(chosen), chosen[0] * chosen[-1] - chosen.sum()])

    expected = np.zeros((n, 2))
    orders = list(permutations(range(n)))
    for order in orders:
        changed = [False] * n
        for factor in order:
            before = value(tuple(changed))
            changed[factor] = True
            expected[factor] += (value(tuple(changed)) - before) / len(orders)
    np.testing.assert_allclose(shapley(value, n), expected, atol=1e-9)


def test_effects_equal_the_average_over_all_orders() -> None:
    def side(scale: float) -> dict[str, np.ndarray]:
        base = {"calls": 100, "known": 0.9, "tokens_fresh": 700, "tokens_cache_read": 200, "tokens_cache_write": 50}
        base |= {"tokens_output": 90, "price_fresh": 2.5, "price_cache_read": 1.2, "price_cache_write": 3.0}
        base |= {"price_output": 10.0, "price_call": 5.0}
        varied = [{k: v * (1 + scale * (i + j) / 7) for i, (k, v) in enumerate(base.items())} for j in range(3)]
        return columns([{**each, "calls": round(each["calls"]), "known": min(each["known"], 1)} for each in varied])

    before, after = side(0.3), side(-0.5)
    expected = np.zeros((len(FACTORS), 3))
    orders = list(permutations(range(len(FACTORS))))
    costs = {mask: cost_of(before, after, mask) for mask in np.ndindex(*[2] * len(FACTORS))}
    for order in orders:
        mask = [0] * len(FACTORS)
        for factor in order:
            earlier = costs[tuple(mask)]
            mask[factor] = 1
            expected[factor] += (costs[tuple(mask)] - earlier) / len(orders)
    np.testing.assert_allclose(effects(before, after, (1.0, 1.0)), expected, rtol=1e-9, atol=1e-6)


def cost_of(before: dict[str, np.ndarray], after: dict[str, np.ndarray], mask: tuple[int, ...]) -> np.ndarray:
    """The cost of each group with some factors of after, written out."""

    def pick(name: str) -> dict[str, np.ndarray]:
        return after if mask[list(FACTORS).index(name)] else before

    def inputs(s: dict[str, np.ndarray]) -> np.ndarray:
        return np.asarray(s["tokens_fresh"] + s["tokens_cache_read"] + s["tokens_cache_write"])

    volume, mix, known = pick("volume"), pick("mix"), pick("unpriced")
    read, written, cache, price = pick("input_tokens"), pick("output_tokens"), pick("cache"), pick("price")
    n_priced = volume["calls"].sum() * mix["calls"] / mix["calls"].sum() * known["priced"] / known["calls"]
    of_input = sum(
        cache[f"tokens_{kind}"] / inputs(cache) * price[f"cost_{kind}"] / price[f"tokens_{kind}"]
        for kind in ("fresh", "cache_read", "cache_write")
    )
    paid = inputs(read) / read["priced"] * of_input
    paid = paid + written["tokens_output"] / written["priced"] * price["cost_output"] / price["tokens_output"]
    return np.asarray(n_priced * (paid + price["cost_call"] / price["priced"]))


# ---------------------------------------------------------------- groups that come and go


def test_the_cost_of_a_new_or_vanished_group_is_volume_and_mix() -> None:
    before = calls(30, feature=["refunds"] * 20 + ["old"] * 10)
    after = calls(50, feature=["refunds"] * 20 + ["new"] * 30)
    change = ll.cost_change(before, after, by="feature").set_index("feature")
    for name, note in (("old", "gone"), ("new", "new")):
        row = change.loc[name]
        assert row["volume"] + row["mix"] == pytest.approx(row["change"])
        assert set(row[["input_tokens", "output_tokens", "cache", "price", "unpriced"]]) == {0.0}
        assert row["note"] == note


def test_a_group_whose_calls_lost_their_price_is_no_saving() -> None:
    change = ll.cost_change(calls(), calls(cost_usd=[None] * 20))
    assert causes(change) == {"unpriced": pytest.approx(-20 * 0.0035)}
    assert change["unpriced_after"].tolist() == [20]
    assert "after: 20 calls of unknown cost" in change.total["note"].iloc[0]


def test_calls_that_failed_before_they_used_anything_are_no_calls() -> None:
    failed = {"status": ["ok"] * 10 + ["error"] * 10, "usage_source": ["reported"] * 10 + ["missing"] * 10}
    tokens = {name: [value] * 10 + [None] * 10 for name, value in (("input_tokens", 1000), ("output_tokens", 100))}
    change = ll.cost_change(calls(10), calls(20, **failed, **tokens, cost_usd=[0.0035] * 10 + [None] * 10))
    assert causes(change) == {}
    assert change[["calls_after", "unpriced_after"]].iloc[0].tolist() == [10, 0]


def test_calls_without_a_list_price_say_how_they_were_split() -> None:
    own: dict[str, Any] = {"model": "our-own-7b", "provider": "acme", "cost_usd": 0.0011}
    change = ll.cost_change(calls(**own), calls(**own | {"cost_usd": 0.0012}, output_tokens=200))
    assert "no list price for 40 calls" in change["note"].iloc[0]
    assert causes(change) == {"output_tokens": pytest.approx(20 * 0.0001)}
    prices = {"our-own-7b": {"input_mtok": 0.1, "output_mtok": 10}}
    dear = ll.cost_change(calls(**own), calls(**own | {"cost_usd": 0.0021}, output_tokens=200), prices=prices)
    assert dear["note"].tolist() == [""]
    assert causes(dear) == {"output_tokens": pytest.approx(20 * 0.001)}


def test_groups_without_a_name_are_a_group() -> None:
    change = ll.cost_change(calls(feature=None), calls(30, feature=None), by="feature")
    assert change["feature"].isna().tolist() == [True]
    assert set(causes(change)) == {"volume"}


# ---------------------------------------------------------------- periods


def test_per_compares_what_a_day_costs() -> None:
    week = calls(700, start=pd.date_range("2026-11-02", periods=700, freq="864s", tz="UTC"))
    day = calls(100, start=pd.date_range("2026-11-09", periods=100, freq="864s", tz="UTC"))
    change = ll.cost_change(week, day, per="1D")
    assert change[["cost_before", "cost_after"]].iloc[0].tolist() == pytest.approx([0.35, 0.35])
    assert change.total["change"].iloc[0] == pytest.approx(0, abs=1e-9)
    assert ll.cost_change(week, day).total["volume"].iloc[0] == pytest.approx(-600 * 0.0035)


def test_a_few_calls_do_not_tell_how_long_they_went_on() -> None:
    total = ll.cost_change(calls(2), calls(20), per="1D").total
    assert pd.isna(total["change"].iloc[0])
    assert "the calls of before do not tell how long it lasted" in total["note"].iloc[0]


# ---------------------------------------------------------------- bad input


def test_nothing_on_one_side_is_all_volume_and_on_both_unknown(week: Traces) -> None:
    nothing = week.where(feature="nothing")
    change = ll.cost_change(nothing, week, by="feature")
    assert set(causes(change.total)) == {"volume"}
    assert "before has no model calls" in change.total["note"].iloc[0]
    empty = ll.cost_change(nothing, nothing)
    assert len(empty) == 0
    assert pd.isna(empty.total["change"].iloc[0])


def test_wrong_arguments_are_explained(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.cost_change(week, week, by="featur")
    with pytest.raises(SelectionError, match="after is DataFrame"):
        ll.cost_change(week, week.spans)  # type: ignore[arg-type]
    with pytest.raises(SelectionError, match="per='often' is not a length of time"):
        ll.cost_change(week, week, per="often")
    with pytest.raises(UnknownNameError, match="has no argument 'evry'"):
        ll.cost_change(week, week, evry="1D")  # type: ignore[call-arg]


def test_the_waterfall_goes_from_before_to_after(week: Traces) -> None:
    change = ll.cost_change(week.where(release="4.2.0"), week.where(release="4.3.0"))
    for figure in (change.plot(), change.total.plot()):
        bars = figure.data[0]
        assert list(bars.x) == ["before", *(name.replace("_", " ") for name in FACTORS), "after"]
        assert bars.y[0] + sum(bars.y[1:-1]) == pytest.approx(bars.y[-1])
