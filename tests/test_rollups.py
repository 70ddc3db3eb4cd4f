"""Traces and sessions rolled up from spans, against the same sums made by hand in pandas."""

from __future__ import annotations

import pandas as pd
import pytest

from llmlens.schema import USAGE_KINDS
from llmlens.traces import Traces


def rollup(**columns: object) -> pd.Series:
    frame = pd.DataFrame({"trace_id": "a", **columns})
    if "span_id" not in frame:
        frame["span_id"] = [str(n) for n in range(len(frame))]
    return Traces.from_frames({"spans": frame}).traces.iloc[0]


def test_sums_are_those_of_the_spans(week: Traces) -> None:
    spans, traces = week.spans, week.traces.set_index("trace_id")
    calls = spans[spans["kind"].isin(USAGE_KINDS)].groupby("trace_id")
    for column in ("input_tokens", "output_tokens", "cost_usd"):
        expected = calls[column].sum(min_count=1)
        pd.testing.assert_series_equal(
            traces[column].dropna().sort_index(), expected.dropna().sort_index(), check_dtype=False, rtol=1e-12
        )
    by_trace = spans.groupby("trace_id")
    for column, expected in {
        "n_spans": by_trace.size(),
        "n_llm_calls": by_trace["kind"].agg(lambda k: (k == "llm").sum()),
        "n_tool_calls": by_trace["kind"].agg(lambda k: (k == "tool").sum()),
        "n_errors": by_trace["status"].agg(lambda s: (s == "error").sum()),
        "max_depth": by_trace["depth"].max(),
    }.items():
        assert (traces[column] == expected.reindex(traces.index)).all(), column


def test_every_trace_and_session_has_one_row(week: Traces) -> None:
    assert set(week.traces["trace_id"]) == set(week.spans["trace_id"])
    assert week.traces["trace_id"].is_unique
    assert set(week.sessions["session_id"]) == set(week.traces["session_id"].dropna())
    assert week.sessions["session_id"].is_unique
    assert week.sessions["n_traces"].sum() == week.traces["session_id"].notna().sum()


def test_agents_that_repeat_the_usage_of_their_children_do_not_count() -> None:
    row = rollup(kind=["agent", "llm", "embedding"], input_tokens=[30, 20, 10], cost_usd=[3.0, 2.0, 1.0])
    assert (row["input_tokens"], row["cost_usd"]) == (30, 3.0)


def test_what_is_not_known_is_na_and_not_zero() -> None:
    row = rollup(kind=["llm", "llm"], input_tokens=[None, 5], usage_source=["missing", "reported"])
    assert row["input_tokens"] == 5
    assert row[["cost_usd", "output_tokens", "cache_read_tokens", "start", "duration_s"]].isna().all()
    assert row["n_unpriced"] == 1


def test_a_known_cost_of_nothing_is_zero() -> None:
    row = rollup(kind=["llm"], cost_usd=[0.0], usage_source=["reported"])
    assert (row["cost_usd"], row["n_unpriced"]) == (0.0, 0)


def test_a_call_with_tokens_and_no_cost_is_unpriced_also_when_nobody_says_where_they_are_from() -> None:
    assert rollup(kind=["llm"], input_tokens=[5])["n_unpriced"] == 1
    assert rollup(kind=["llm"], name=["no tokens"])["n_unpriced"] == 0
    assert rollup(kind=["chain"], input_tokens=[5])["n_unpriced"] == 0


def test_the_root_names_the_trace_and_lends_it_its_feature() -> None:
    row = rollup(
        span_id=["r", "c"],
        parent_id=[None, "r"],
        name=["root", "child"],
        feature=["a", "b"],
        start=pd.to_datetime(["2026-01-02", "2026-01-01"], utc=True),
    )
    assert (row["name"], row["feature"], row["start"]) == ("root", "a", pd.Timestamp("2026-01-01", tz="UTC"))


def test_the_earliest_of_several_roots_is_the_root() -> None:
    row = rollup(name=["later", "earlier"], start=pd.to_datetime(["2026-01-02", "2026-01-01"], utc=True))
    assert row["name"] == "earlier"


def test_a_trace_lasts_to_the_end_of_its_last_span_or_the_start_of_an_unended_one() -> None:
    start = pd.to_datetime(["2026-01-01T00:00:00", "2026-01-01T00:00:05"], utc=True)
    end = pd.to_datetime(pd.Series(["2026-01-01T00:00:02.5", None]), utc=True, format="ISO8601")
    assert rollup(start=start, end=end)["duration_s"] == 5.0
    assert rollup(start=start[:1], end=end[:1])["duration_s"] == 2.5


def test_status_is_error_when_the_root_or_a_model_call_failed() -> None:
    tree = {"span_id": ["r", "c"], "parent_id": [None, "r"]}
    assert rollup(**tree, kind=["chain", "llm"], status=["ok", "error"])["status"] == "error"
    assert rollup(**tree, kind=["chain", "llm"], status=["error", "ok"])["status"] == "error"
    failed_tool = rollup(**tree, kind=["chain", "tool"], status=["ok", "error"])
    assert (failed_tool["status"], failed_tool["n_errors"]) == ("ok", 1)
    assert pd.isna(rollup(kind=["llm"])["status"])


def test_a_session_spans_its_traces() -> None:
    frame = pd.DataFrame(
        {
            "trace_id": ["a", "b", "c"],
            "span_id": "1",
            "session_id": ["s", "s", None],
            "kind": "llm",
            "cost_usd": [1.0, None, 4.0],
            "start": pd.to_datetime(["2026-01-01T00:00", "2026-01-01T01:00", "2026-01-01"], utc=True, format="ISO8601"),
            "end": pd.to_datetime(pd.Series(["2026-01-01T00:01", None, None]), utc=True, format="ISO8601"),
        }
    )
    (session,) = Traces.from_frames({"spans": frame}).sessions.to_dict("records")
    assert (session["session_id"], session["n_traces"], session["cost_usd"]) == ("s", 2, 1.0)
    assert (session["end"], session["duration_s"]) == (pd.Timestamp("2026-01-01T01:00", tz="UTC"), 3600.0)


def test_the_rollup_of_selected_spans_is_about_these_spans(week: Traces) -> None:
    calls = week.where(kind="llm", spans_only=True)
    assert (calls.traces["n_spans"] == calls.traces["n_llm_calls"]).all()
    assert calls.traces["cost_usd"].sum() == pytest.approx(calls.spans["cost_usd"].sum(), abs=1e-9)
