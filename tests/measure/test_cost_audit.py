"""The audit finds what is planted, in its own row, with its dollars; what is right is not accused."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import llmlens as ll
from llmlens.errors import UnknownNameError
from llmlens.traces import Traces

#: USD per million tokens of gpt-4o-2024-08-06: input, cached, output.
FULL, CACHED, OUT = 2.5, 1.25, 10.0


def spans(rows: list[dict[str, Any]]) -> Traces:
    common: dict[str, Any] = {
        "span_id": "1",
        "parent_id": None,
        "kind": "llm",
        "provider": "openai",
        "model": "gpt-4o-2024-08-06",
    }
    common |= {"start": pd.Timestamp("2025-03-01", tz="UTC"), "usage_source": "reported"}
    common |= {"input_tokens": None, "cache_read_tokens": None, "output_tokens": None, "cost_usd": None}
    common |= {"cost_source": "reported", "status": "ok"}
    frame = pd.DataFrame([{"trace_id": f"t{n}", **common, **row} for n, row in enumerate(rows)])
    whole = dict.fromkeys(("input_tokens", "cache_read_tokens", "output_tokens"), "Int64")
    return Traces.from_frames({"spans": frame.astype({**whole, "cost_usd": "Float64"})})


def paid(given: int, read: int, written: int, *, twice: int = 0) -> dict[str, Any]:
    cost = ((given - read) * FULL + read * CACHED + written * OUT + twice * FULL) / 1e6
    return {"input_tokens": given, "cache_read_tokens": read, "output_tokens": written, "cost_usd": cost}


def found(traces: Traces) -> dict[str, Any]:
    rows = ll.cost_audit(traces).to_dict("records")
    return {
        str(row["finding"]): (row["n"], None if pd.isna(row["effect_usd"]) else row["effect_usd"], row["examples"])
        for row in rows
        if row["n"]
    }


def test_what_is_right_is_not_accused() -> None:
    assert found(spans([paid(10_000, 4_000, 500), paid(3_000, 0, 100)])) == {}


def test_cached_tokens_billed_twice_are_told_from_the_list() -> None:
    traces = spans([paid(10_000, 4_000, 500), paid(10_000, 4_000, 500, twice=4_000)])
    assert found(traces) == {"cached billed twice": (1, pytest.approx(4_000 * FULL / 1e6), "t1")}


def test_cached_tokens_in_the_input_twice_are_told_where_the_cost_is_right() -> None:
    row = paid(10_000, 4_000, 500) | {"input_tokens": 14_000}
    assert found(spans([row])) == {"cached counted twice": (1, pytest.approx(4_000 * FULL / 1e6), "t0")}


def test_an_agent_that_sums_up_its_calls_is_not_in_the_cost() -> None:
    call = paid(1_000, 0, 100)
    rows = [
        {
            "trace_id": "a",
            "kind": "agent",
            "input_tokens": 2_000,
            "output_tokens": 200,
            "cost_usd": 2 * call["cost_usd"],
        },
        {"trace_id": "a", "span_id": "2", "parent_id": "1", "kind": "chain"},
        {"trace_id": "a", "span_id": "3", "parent_id": "2", **call},
        {"trace_id": "a", "span_id": "4", "parent_id": "1", **call},
    ]
    told = found(spans(rows))
    assert told == {"parent repeats calls": (1, pytest.approx(2 * call["cost_usd"]), "a")}


def test_a_call_around_a_call_is_counted_twice_and_another_is_not() -> None:
    call = paid(1_000, 0, 100)
    rows = [
        {"trace_id": "a", **call},
        {"trace_id": "a", "span_id": "2", "parent_id": "1", **call},
        {"trace_id": "b", **paid(5_000, 0, 70)},
        {"trace_id": "b", "span_id": "2", "parent_id": "1", **call},
    ]
    assert found(spans(rows)) == {"call counted twice": (1, pytest.approx(call["cost_usd"]), "a")}


def test_parents_without_tokens_are_compared_by_cost() -> None:
    call = {"input_tokens": None, "output_tokens": None, "cost_usd": 0.25}
    rows = [{"trace_id": "a", "kind": "agent", "cost_usd": 0.25}]
    rows += [{"trace_id": "a", "span_id": "2", "parent_id": "1", **call}]
    assert found(spans(rows))["parent repeats calls"][:2] == (1, 0.25)


def test_a_price_of_an_earlier_date_is_outdated() -> None:
    row = {"model": "o3", "input_tokens": 1_000_000, "output_tokens": 100_000, "cost_usd": 14.0}
    row["start"] = pd.Timestamp("2025-07-15", tz="UTC")
    assert found(spans([row])) == {"outdated price": (1, pytest.approx(11.2), "t0")}


def test_a_discount_is_no_double_counting() -> None:
    rows = [paid(10_000, read, 500) for read in range(0, 10_000, 250)]
    rows = [row | {"cost_usd": row["cost_usd"] * 0.8} for row in rows]
    assert set(found(spans(rows))) == {"unlike list price"}


def test_a_model_nobody_knows_has_no_price_and_no_made_up_effect() -> None:
    row = {"model": "acme-1", "provider": "acme", "input_tokens": 10, "output_tokens": 5}
    assert found(spans([row])) == {"no price": (1, None, "t0")}
    frame = ll.cost_audit(spans([row | {"cost_usd": 1.0}]))
    assert any("without a list price" in note for note in frame.notes)


def test_groups_have_their_own_rows() -> None:
    traces = spans([paid(10_000, 4_000, 500, twice=4_000), paid(9_000, 3_000, 50)])
    frame = ll.cost_audit(traces, by=["provider", "model"])
    assert frame[["finding", "provider", "n", "checked"]].iloc[0].tolist() == ["cached billed twice", "openai", 1, 2]
    frame.plot()


def test_nothing_to_audit_says_so() -> None:
    empty = spans([paid(1, 0, 1)]).where(model="nothing")
    frame = ll.cost_audit(empty)
    assert (frame["n"] == 0).all()
    assert frame["share"].isna().all()
    assert any("nothing to hold against the list" in note for note in frame.notes)
    assert len(ll.cost_audit(empty, by="model")) == 0
    frame.plot()


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'model'"):
        ll.cost_audit(spans([paid(1, 0, 1)]), by="modle")
