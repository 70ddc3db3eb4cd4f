"""Latency: quantiles and intervals are those of a plain sort, too few values give NA, odd clocks are counted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownArgumentError, UnknownNameError
from llmlens.measure.spread import LEVELS, SPREAD
from llmlens.traces import Traces
from tests.examples import examples

START = pd.Timestamp("2026-01-01", tz="UTC")


def calls(**columns: Any) -> Traces:
    length = max(len(c) for c in columns.values() if isinstance(c, list))
    given = {"trace_id": [f"t{n}" for n in range(length)], "span_id": "1", "kind": "llm", "start": START}
    frame = pd.DataFrame(given | columns)
    if "duration_s" in frame:
        frame["end"] = frame["start"] + pd.to_timedelta(frame["duration_s"], unit="s")
    return Traces.from_frames({"spans": frame})


def plain(values: list[float], level: float) -> tuple[float | None, float | None, float | None]:
    """Give the quantile and its interval by sorting."""
    n, ranked = len(values), sorted(values)
    if n < 1 / (1 - level) - 1e-9:
        return None, None, None
    value = float(np.quantile(ranked, level, method="hazen"))
    margin = 1.959963984540054 * math.sqrt(n * level * (1 - level))
    low, high = math.floor(n * level - margin), math.ceil(n * level + margin) + 1
    return value, ranked[low - 1] if 1 <= low <= n else None, ranked[high - 1] if 1 <= high <= n else None


def same(found: Any, expected: float | None) -> bool:
    return bool(pd.isna(found)) if expected is None else found == pytest.approx(expected)


@examples(25)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 40)), min_size=1, max_size=250))
def test_quantiles_are_those_of_a_plain_sort(rows: list[tuple[str, int]]) -> None:
    traces = calls(feature=[f for f, _ in rows], duration_s=[float(d) for _, d in rows])
    frame = ll.latency(traces, by="feature")
    for feature in {f for f, _ in rows}:
        values = [float(d) for f, d in rows if f == feature]
        for measure in ("trace", "call"):
            (row,) = frame[(frame["feature"] == feature) & (frame["measure"] == measure)].to_dict("records")
            assert row["n"] == len(values)
            assert row["mean"] == pytest.approx(np.mean(values))
            assert row["max"] == max(values)
            for name, level in LEVELS.items():
                for end, expected in zip(("", "_low", "_high"), plain(values, level), strict=True):
                    assert same(row[name + end], expected), (name + end, values)


def test_an_interval_covers_the_quantile_of_the_population() -> None:
    random = np.random.default_rng(3)
    frame = ll.latency(
        calls(feature=[f"f{n % 400}" for n in range(400 * 60)], duration_s=list(random.exponential(size=400 * 60))),
        by="feature",
    )
    at = -math.log(0.5)
    inside = (frame["p50_low"] <= at) & (at <= frame["p50_high"])
    assert inside[frame["measure"] == "call"].mean() >= 0.94


@pytest.mark.parametrize(
    ("n", "known"),
    [(1, []), (2, ["p50"]), (19, ["p50"]), (20, ["p50", "p95"]), (99, ["p50", "p95"]), (100, ["p50", "p95", "p99"])],
)
def test_too_few_calls_have_no_quantile(n: int, known: list[str]) -> None:
    frame = ll.latency(calls(duration_s=[float(i) for i in range(n)]))
    call = frame[frame["measure"] == "call"].to_dict("records")[0]
    assert [name for name in LEVELS if not pd.isna(call[name])] == known


def test_time_per_output_token_is_after_the_first() -> None:
    traces = calls(duration_s=[2.0, 5.0, 5.0], ttft_s=[1.0, 1.0, 6.0], output_tokens=[11, 1, 10])
    frame = ll.latency(traces)
    rows = {row["measure"]: row for row in frame.to_dict("records")}
    assert (rows["tpot"]["n"], rows["tpot"]["mean"]) == (1, pytest.approx(0.1))
    assert rows["ttft"]["n"] == 3
    assert any("after their end" in note for note in frame.notes)


def test_a_trace_lasts_from_its_first_start_to_its_last_end() -> None:
    spans = pd.DataFrame(
        {"trace_id": "t", "span_id": ["1", "2"], "parent_id": [None, "1"], "kind": ["chain", "llm"],
         "start": [START, START + pd.Timedelta(seconds=1)], "end": [START + pd.Timedelta(seconds=3)] * 2,
         "duration_s": [3.0, 2.0], "feature": ["x", None]}
    )  # fmt: skip
    frame = ll.latency(Traces.from_frames({"spans": spans}), by="feature")
    whole = frame[frame["measure"] == "trace"].iloc[0]
    assert (whole["feature"], whole["mean"]) == ("x", 3.0)


def test_odd_clocks_and_open_calls_are_counted_and_left_out() -> None:
    traces = calls(duration_s=[-3.0, None, 2.0])
    frame = ll.latency(traces)
    (call,) = frame[frame["measure"] == "call"].to_dict("records")
    assert (call["n"], call["max"]) == (1, 2.0)
    assert any(note.startswith("1 of 3 calls ended before they began") for note in frame.notes)
    assert any(note.startswith("1 of 3 calls never ended") for note in frame.notes)


def test_columns_and_nothing(week: Traces) -> None:
    assert list(ll.latency(week, by="feature", every="1D").columns) == ["feature", "period", "measure", *SPREAD]
    empty = ll.latency(week.where(feature="nothing"), by="feature", every="1D")
    assert len(empty) == 0
    assert len(ll.latency(week, by="model").plot().data) == 2
    assert len(ll.latency(week, by="feature", every="1D").plot().data) > 2
    assert len(empty.plot().data) == 0


def test_wrong_arguments_name_the_right_ones(week: Traces) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.latency(week, by="featur")
    with pytest.raises(SelectionError, match="every="):
        ll.latency(week, every="often")
    with pytest.raises(UnknownArgumentError, match="has no argument 'evry'"):
        ll.latency(week, evry="1D")  # type: ignore[call-arg]  # what is tested
    with pytest.raises(SelectionError, match="what is measured"):
        ll.latency(week, by="duration_s")
