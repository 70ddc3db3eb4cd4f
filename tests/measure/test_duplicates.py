"""Requests asked before: the planted share is recovered, and savings are those of the traces that repeat."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

#: None are so alike that a hash could miss it, or nearly so.
ASKED = ["How long can I return my boots?", "how long, can I return my BOOTS", "How long can I return my boot?",
         "Do you ship to Norway?", "Where is my order 1234?", "Where is my order 1235?"]  # fmt: skip
DATA = Path(__file__).resolve().parents[2] / "data_samples/budget_overrun.otlp.jsonl.gz"


def asked(texts: Sequence[str | None], **columns: object) -> Traces:
    n = len(texts)
    spans = {"trace_id": [f"t{i}" for i in range(n)], "span_id": "1", "kind": "llm", "depth": 0, "feature": "a"}
    spans |= {"input_tokens": 10, "output_tokens": 1, "cost_usd": [2.0**i for i in range(n)]}
    spans |= {"start": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(range(n), unit="D")}
    spans |= {"usage_source": "reported", "status": "ok", **columns}
    contents = {"trace_id": [f"t{i}" for i in range(n)], "span_id": "1", "input": texts}
    return Traces.from_frames({"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents)})


def test_the_planted_share_is_recovered() -> None:
    found = ll.duplicates(ll.read_otlp(DATA)).set_index("feature").loc["gear_advice"]
    assert found["share"] == pytest.approx(0.31, abs=0.01)
    assert found["exact"] > 0
    assert found["near"] > 0
    assert found["low"] < 0.31 < found["high"]


def test_a_repeat_saves_what_its_trace_cost_and_the_first_saves_nothing() -> None:
    texts = ["Which tent is light?", "which tent is light", "Which tent is light?!!", "How do I return my boots?"]
    found = ll.duplicates(asked(texts))
    row = found.iloc[0]
    assert (row["n"], row["exact"], row["near"], row["saved_calls"], row["saved_tokens"]) == (4, 2, 0, 2, 22)
    assert row["saved_usd"] == 2 + 4
    assert row["cost_usd"] == 15
    repeated = found.beside["repeated"].iloc[0]
    assert (repeated["text"], repeated["n"], repeated["trace_id"], repeated["again"]) == (texts[0], 3, "t0", "t2")
    found.plot()
    found.beside["repeated"].plot()


def test_groups_do_not_share_a_cache() -> None:
    traces = asked(["the same question"] * 2, feature=["a", "b"])
    assert ll.duplicates(traces)["exact"].tolist() == [0, 0]
    assert ll.duplicates(traces, by=None)["exact"].tolist() == [1]


def test_a_request_counts_in_its_own_period() -> None:
    found = ll.duplicates(asked(["the same question"] * 3), by=None, every="1D")
    assert found["exact"].tolist() == [0, 1, 1]
    assert found["period"].is_monotonic_increasing
    found.plot()


def test_repeats_of_unknown_cost_are_counted_and_save_nothing_known() -> None:
    found = ll.duplicates(asked(["the same question"] * 2, cost_usd=[1.0, None])).iloc[0]
    assert found["n_unpriced"] == 1
    assert pd.isna(found["saved_usd"])


def test_where_nothing_repeats_nothing_is_saved_whatever_is_known_of_its_cost() -> None:
    unknown = {"cost_usd": [None] * 2, "input_tokens": None, "output_tokens": None}
    found = ll.duplicates(asked(["one question", "and another thing"], **unknown)).iloc[0]
    assert (found["exact"], found["near"], found["saved_calls"]) == (0, 0, 0)
    assert (found["saved_tokens"], found["saved_usd"]) == (0, 0.0)


def test_traces_that_do_not_say_what_was_asked_are_noted() -> None:
    found = ll.duplicates(asked(["a question", None, "  "]))
    assert found["n"].tolist() == [1]
    assert found.notes == ("2 of 3 traces do not say what they were asked",)
    nothing = ll.duplicates(asked([None, None]))
    assert len(nothing) == 0
    assert len(nothing.beside["repeated"]) == 0
    assert ll.duplicates(asked([None]), by=None)["n"].tolist() == [0]


@pytest.mark.parametrize("threshold", [0, 1.1, "high", True])
def test_a_threshold_is_a_similarity(threshold: object) -> None:
    with pytest.raises(SelectionError, match="not a similarity"):
        ll.duplicates(asked(["x"]), threshold=threshold)  # type: ignore[arg-type]


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.duplicates(asked(["x"]), by="featur")


@examples(20)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(ASKED), st.integers(0, 4)), min_size=1, max_size=10))
def test_repeats_are_those_of_comparing_each_with_all_before(rows: list[tuple[str, str, int]]) -> None:
    def grams(text: str) -> set[str]:
        plain = " ".join(re.findall(r"\w+", text.casefold()))
        return {plain[i : i + 4] for i in range(max(len(plain) - 3, 1))}

    costs = [float(cost) for *_, cost in rows]
    traces = asked([text for _, text, _ in rows], feature=[feature for feature, *_ in rows], cost_usd=costs)
    frame = ll.duplicates(traces, threshold=0.6)
    for row in frame.to_dict("records"):
        own = [(grams(text), cost) for feature, text, cost in rows if feature == row["feature"]]
        exact = [any(a == b for b, _ in own[:n]) for n, (a, _) in enumerate(own)]
        near = [
            not exact[n] and any(len(a & b) / len(a | b) >= 0.6 for b, _ in own[:n]) for n, (a, _) in enumerate(own)
        ]
        again = [one or other for one, other in zip(exact, near, strict=True)]
        assert (row["n"], row["exact"], row["near"]) == (len(own), sum(exact), sum(near))
        assert row["share"] == pytest.approx(sum(again) / len(own))
        assert (row["saved_calls"], row["saved_tokens"]) == (sum(again), 11 * sum(again))
        assert row["saved_usd"] == pytest.approx(
            sum(cost for (_, cost), is_one in zip(own, again, strict=True) if is_one)
        )
    assert frame["n"].sum() == len(rows)
