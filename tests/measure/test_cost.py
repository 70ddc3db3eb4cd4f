"""Costs: sums are conserved, what is not known is not zero, and the figure shows what the frame says."""

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

COLUMNS = ["calls", "traces", "sessions", "input_tokens", "cache_read_tokens", "output_tokens", "cost_usd"]
COLUMNS += ["cost_per_call", "cost_per_trace", "cost_per_session", "share", "n_unpriced"]


def calls(**columns: Any) -> Traces:
    length = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    given = {"trace_id": [f"t{n}" for n in range(length)], "span_id": "1", "kind": "llm", "usage_source": "reported"}
    return Traces.from_frames({"spans": pd.DataFrame(given | columns)})


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(None if pd.isna(v) else v for v in row) for row in frame[list(columns)].itertuples(index=False)]


@pytest.mark.parametrize(
    ("by", "every"),
    [
        (None, "1h"),
        (None, "W"),
        ("feature", None),
        ("feature", "1D"),
        (["feature", "model"], None),
        (["feature", "model"], "3D"),
        ("session_id", "1M"),
        ("prompt_version", None),
    ],
)
def test_sums_are_conserved_whatever_the_grouping(week: Traces, by: Any, every: str | None) -> None:
    whole, parts = ll.cost(week).iloc[0], ll.cost(week, by=by, every=every)
    calls = week.spans[week.spans["kind"].isin(["llm", "embedding", "reranker"])]
    assert whole["cost_usd"] == pytest.approx(calls["cost_usd"].sum(), abs=1e-9)
    assert parts["cost_usd"].sum() == pytest.approx(whole["cost_usd"], abs=1e-9)
    for column in ("calls", "input_tokens", "output_tokens", "n_unpriced"):
        assert parts[column].sum() == whole[column]
    totals = parts.assign(period=0 if every is None else parts["period"]).groupby("period")[["share", "cost_usd"]].sum()
    assert (totals.loc[totals["cost_usd"] > 0, "share"] - 1).abs().max() < 1e-9


def test_columns_come_in_the_order_of_the_question(week: Traces) -> None:
    assert list(ll.cost(week).columns) == COLUMNS
    assert list(ll.cost(week, by=("feature", "model"), every="1D").columns) == ["feature", "model", "period", *COLUMNS]
    assert list(ll.cost(week, by=["feature", "feature"]).columns) == ["feature", *COLUMNS]


def test_the_most_expensive_comes_first_within_its_period(week: Traces) -> None:
    assert ll.cost(week, by="feature")["cost_usd"].is_monotonic_decreasing
    over_time = ll.cost(week, by="feature", every="1D")
    assert over_time["period"].is_monotonic_increasing
    for _, period in over_time.groupby("period"):
        assert period["cost_usd"].is_monotonic_decreasing


def test_agents_do_not_count() -> None:
    traces = calls(kind=["llm", "agent", "embedding"], cost_usd=[1.0, 100.0, 2.0])
    assert rows(ll.cost(traces), "calls", "cost_usd") == [(2, 3.0)]


def test_a_cost_that_is_not_known_is_na_and_counted() -> None:
    traces = calls(feature=["a", "b", "b"], cost_usd=[None, 1.0, None], input_tokens=[5, 5, 5])
    assert rows(ll.cost(traces, by="feature"), "feature", "cost_usd", "cost_per_call", "share", "n_unpriced") == [
        ("b", 1.0, 0.5, 1.0, 1),
        ("a", None, None, None, 1),
    ]


def test_a_known_cost_of_nothing_is_zero_and_has_no_share() -> None:
    traces = calls(cost_usd=[0.0, 0.0])
    assert rows(ll.cost(traces), "cost_usd", "cost_per_call", "share", "n_unpriced") == [(0.0, 0.0, None, 0)]


def test_cost_per_session_is_of_the_calls_in_sessions() -> None:
    traces = calls(session_id=["s", "s", None], cost_usd=[1.0, 2.0, 40.0])
    assert rows(ll.cost(traces), "sessions", "cost_per_session", "cost_per_trace") == [(1, 3.0, 43 / 3)]
    assert rows(ll.cost(calls(cost_usd=[1.0])), "sessions", "cost_per_session") == [(0, None)]


def test_nothing_selected_costs_nothing_known(week: Traces) -> None:
    empty = week.where(feature="nothing")
    assert rows(ll.cost(empty), "calls", "cost_usd", "share", "n_unpriced") == [(0, None, None, 0)]
    for asked in ({"by": "feature"}, {"every": "1D"}, {"by": ["feature", "model"], "every": "1D"}):
        frame = ll.cost(empty, **asked)
        assert len(frame) == 0
        assert {c: str(t) for c, t in frame.dtypes.items()} == {
            c: str(t) for c, t in ll.cost(week, **asked).dtypes.items()
        }


def test_a_group_without_a_name_is_a_group() -> None:
    assert rows(ll.cost(calls(feature=["a", None], cost_usd=[1.0, 2.0]), by="feature"), "feature", "cost_usd") == [
        (None, 2.0),
        ("a", 1.0),
    ]


def test_calls_without_a_time_are_a_period_without_a_time() -> None:
    traces = calls(start=pd.to_datetime(pd.Series(["2026-01-01", None]), utc=True), cost_usd=[1.0, 2.0])
    frame = ll.cost(traces, every="1D")
    assert frame["cost_usd"].tolist() == [1.0, 2.0]
    assert frame["period"].isna().tolist() == [False, True]
    assert frame["share"].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("by", ["modle", ["feature", "modle"]])
def test_an_unknown_column_names_the_nearest(week: Traces, by: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"column of spans: 'modle'. Did you mean 'model'"):
        ll.cost(week, by=by)


@pytest.mark.parametrize("by", [5, [5], [None], b"model"])
def test_what_is_no_column_is_an_error(week: Traces, by: Any) -> None:
    with pytest.raises(UnknownNameError):
        ll.cost(week, by=by)


@pytest.mark.parametrize(
    ("by", "said"), [("cost_usd", "what is measured"), ("input_tokens", "measured"), ("tags", "several")]
)
def test_what_cannot_make_groups_is_an_error(week: Traces, by: str, said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        ll.cost(week, by=by)


# ---------------------------------------------------------------------- figures


def test_bars_show_the_frame(week: Traces) -> None:
    frame = ll.cost(week, by="feature")
    (bar,) = frame.plot().data
    assert list(bar.y) == frame["feature"].tolist()
    assert list(bar.x) == pytest.approx(frame["cost_usd"].tolist())


def test_a_single_bar_and_none() -> None:
    (bar,) = ll.cost(calls(cost_usd=[2.0])).plot().data
    assert (list(bar.y), list(bar.x)) == (["all"], [2.0])
    (none,) = ll.cost(calls(cost_usd=[2.0]).where(feature="nothing"), by=["feature", "model"]).plot().data
    assert (list(none.y), list(none.x)) == ([], [])


def test_a_line_for_each_group_over_time(week: Traces) -> None:
    frame = ll.cost(week, by="feature", every="1D")
    lines = {line.name: line for line in frame.plot().data}
    assert set(lines) == set(frame["feature"])
    for name, group in frame.groupby("feature"):
        shown = pd.Series(lines[name].y, index=pd.DatetimeIndex(lines[name].x)).dropna()
        assert shown.tolist() == pytest.approx(group.sort_values("period")["cost_usd"].tolist())


def test_no_lines_of_nothing(week: Traces) -> None:
    empty = week.where(feature="nothing")
    assert len(ll.cost(empty, every="1D").plot().data) == 0
    assert len(ll.cost(empty, by=["feature", "model"], every="1D").plot().data) == 0


def test_the_smallest_of_many_lines_are_summed_as_other() -> None:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    many = calls(feature=[f"f{n}" for n in range(40)], cost_usd=[float(n) for n in range(40)], start=start)
    lines = ll.cost(many, by="feature", every="1D").plot().data
    assert [line.name for line in lines[:2]] == ["f39", "f38"]
    assert len(lines) == 12
    assert lines[-1].name == "(other)"
    assert sum(line.y[0] for line in lines) == pytest.approx(sum(range(40)))


def test_what_is_not_known_is_a_gap_in_the_line() -> None:
    start = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"], utc=True)
    traces = calls(start=start, cost_usd=[1.0, None, 3.0], input_tokens=[1, 1, 1])
    (line,) = ll.cost(traces, every="1D").plot().data
    assert line.y[0] == 1.0
    assert pd.isna(line.y[1])
    assert line.y[2] == 3.0


@pytest.mark.parametrize("every", [None, "1D"])
def test_groups_that_read_the_same_stay_apart(every: str | None) -> None:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    features = ["a · b", "a", "(none)", None, "(other)", "x" * 100 + "1", "x" * 100 + "2"]
    models = ["c", "b · c", "m", "m", "m", "m", "m"]
    traces = calls(feature=features, model=models, cost_usd=[float(2**n) for n in range(7)], start=start)
    data = ll.cost(traces, by=["feature", "model"], every=every).plot().data
    names = [line.name for line in data] if every else list(data[0].y)
    values = [line.y[0] for line in data] if every else list(data[0].x)
    assert len(set(names)) == 7
    assert sorted(values) == [float(2**n) for n in range(7)]


def test_hostile_names_are_text_in_the_figure() -> None:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    traces = calls(feature=["<a href='javascript:alert(1)'>%{x}</a>"], cost_usd=[1.0], start=start)
    for figure in (ll.cost(traces, by="feature").plot(), ll.cost(traces, by="feature", every="1D").plot()):
        page = figure.to_json().replace("\\u003c", "<")
        assert "<a href" not in page
        assert "%{x}</a>" not in page


def test_costs_in_another_currency_are_told() -> None:
    start = pd.Timestamp("2026-01-01", tz="UTC")
    frame = pd.DataFrame({"trace_id": ["a", "b", "c", "d"], "span_id": "1", "kind": "llm", "start": start})
    frame = frame.assign(cost_usd=1.0, cost_source=["reported", "reported", "reported", "priced"])
    told = ['{"currency":"EUR"}', '{"currency": "USD"}', '{"tenant":"x"}', '{"currency":"GBP"}']
    found = ll.cost(Traces.from_frames({"spans": frame.assign(metadata=told)}))
    assert found["cost_usd"].tolist() == [4.0]
    assert "1 reported costs are not in USD (EUR 1): summed as if they were." in found.notes
    assert not any("USD" in note for note in ll.cost(Traces.from_frames({"spans": frame})).notes)


@examples(25)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["llm", "tool", "agent", "embedding"]),
            st.sampled_from("ab"),
            st.none() | st.integers(0, 999),
            st.none() | st.integers(0, 5),
        ),
        min_size=1,
        max_size=15,
    )
)
def test_each_group_is_what_a_loop_over_its_calls_says(rows: list[tuple[str, str, int | None, int | None]]) -> None:
    kinds, features, tokens, cents = (list(column) for column in zip(*rows, strict=True))
    cost = pd.array([None if each is None else each / 100 for each in cents], dtype="Float64")
    frame = ll.cost(
        calls(
            kind=kinds, feature=features, input_tokens=pd.array(tokens, dtype="Int64").tolist(), cost_usd=cost.tolist()
        ),
        by="feature",
    )
    expected = {}
    for feature in set(features):
        mine = [row for row in rows if row[1] == feature and row[0] in ("llm", "embedding")]
        if mine:
            known = [row[3] for row in mine if row[3] is not None]
            told = [row[2] for row in mine if row[2] is not None]
            expected[feature] = (len(mine), sum(told) if told else None, sum(known) / 100 if known else None)
    found = frame.set_index("feature")[["calls", "input_tokens", "cost_usd"]]
    assert set(found.index) == set(expected)
    for feature, row in found.iterrows():
        for value, reference in zip(row, expected[str(feature)], strict=True):
            assert pd.isna(value) if reference is None else value == pytest.approx(reference)
