"""`Traces.where`: whole traces, conditions on one span, lists, tags, metadata, times."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces

METADATA = [
    json.dumps({"tenant": "acme", "n": 3, "deep": {"er": "x"}}),
    None,
    json.dumps({"tenant": "o'hara", "n": 7.5, "a.b": "q", 'x"y': "r", "s/t~u": "v", "flag": True}),
    "{}",
    json.dumps({"tenant": None, "n": "12"}),
]


@pytest.fixture(scope="module")
def traces() -> Traces:
    start = ["2026-01-01T00:00:00", "2026-01-01T00:00:01", "2026-01-02T00:00:00", "2026-01-03", "2026-01-03"]
    frame = pd.DataFrame(
        {
            "trace_id": ["a", "a", "b", "c", "c"],
            "span_id": ["1", "2", "3", "4", "5"],
            "parent_id": [None, "1", None, None, "4"],
            "kind": ["agent", "llm", "llm", "chain", "llm"],
            "feature": ["x", "x", "y", None, "z"],
            "model": [None, "m1", "m2", None, None],
            "start": pd.to_datetime(start, utc=True, format="ISO8601"),
            "duration_s": [3.0, 1.0, None, 0.0, 0.0],
            "input_tokens": [None, 10, 20, None, 5],
            "cost_usd": [None, 0.1, 0.2, None, None],
            "usage_source": ["missing", "reported", "reported", "missing", "reported"],
            "tags": [["t1", "t2"], ["t1"], None, [], ["t3"]],
            "metadata": METADATA,
        }
    )
    return Traces.from_frames({"spans": frame})


def test_a_condition_on_a_span_keeps_the_whole_trace(traces: Traces) -> None:
    assert traces.where(model="m1").spans["span_id"].tolist() == ["1", "2"]
    assert traces.where("model == 'm1'").spans["span_id"].tolist() == ["1", "2"]


def test_spans_only_keeps_the_spans_that_fit(traces: Traces) -> None:
    calls = traces.where(model="m1", spans_only=True)
    assert calls.spans["span_id"].tolist() == ["2"]
    assert calls.traces["n_spans"].tolist() == [1]
    assert calls.where(kind="llm").spans["span_id"].tolist() == ["2"]
    assert len(calls.where(kind="agent")) == 0
    assert traces.where(kind="llm", spans_only=True).where(feature="y").spans["span_id"].tolist() == ["3"]


def test_spans_only_with_a_condition_on_traces_keeps_them_whole(traces: Traces) -> None:
    assert traces.where(n_spans=2, spans_only=True).spans["span_id"].tolist() == ["1", "2", "4", "5"]


def test_several_conditions_hold_together_on_one_span(traces: Traces) -> None:
    assert traces.where(kind="agent", feature="x").trace_ids == ["a"]
    assert traces.where(kind="agent", model="m1").trace_ids == []
    assert traces.where("kind == 'agent'", model="m1").trace_ids == []
    assert traces.where(kind="agent").where(model="m1").trace_ids == ["a"]


def test_conditions_on_spans_and_on_traces_go_together(traces: Traces) -> None:
    assert traces.where(kind="llm", n_spans=2).trace_ids == ["a", "c"]
    assert traces.where("trace.n_spans == 2 and model == 'm1'").trace_ids == ["a"]
    assert traces.where("trace.cost_usd > 0.15").trace_ids == ["b"]
    assert traces.where("span.kind == 'chain' and n_llm_calls == 1").trace_ids == ["c"]


@pytest.mark.parametrize(
    ("equals", "expected"),
    [
        ({"model": ["m1", "m2"]}, ["a", "b"]),
        ({"model": ("m1", None)}, ["a", "c"]),
        ({"model": {"m1"}}, ["a"]),
        ({"model": np.array(["m1"])}, ["a"]),
        ({"model": pd.Series(["m1", None])}, ["a", "c"]),
        ({"model": iter(["m1"])}, ["a"]),
        ({"model": []}, []),
        ({"model": None}, ["a", "c"]),
        ({"duration_s": float("nan")}, ["b"]),
        ({"duration_s": pd.NA}, ["b"]),
        ({"tags": "t1"}, ["a"]),
        ({"tags": ["t2", "t3"]}, ["a", "c"]),
        ({"tags": None}, ["b"]),
        ({"tags": []}, []),
        ({"n_spans": np.int64(2)}, ["a", "c"]),
        ({"n_spans": 2.0}, ["a", "c"]),
        ({"n_spans": 2.5}, []),
        ({"input_tokens": 10**30}, []),
        ({"input_tokens": 10**400}, []),
        ({"input_tokens": float("inf")}, []),
        ({"cost_usd": Decimal("0.1")}, ["a"]),
        ({"start": "2026-01-02"}, ["b"]),
        ({"start": [pd.Timestamp("2026-01-02T01:00+01:00"), None]}, ["b"]),
        ({"metadata": "{}"}, ["c"]),
        ({"trace_id": ["a", "c", "nowhere"]}, ["a", "c"]),
    ],
)
def test_a_column_equals_a_value_one_of_many_or_na(traces: Traces, equals: dict[str, Any], expected: list[str]) -> None:
    assert traces.where(**equals).trace_ids == expected


def test_a_long_list_selects_as_a_short_one_does(traces: Traces) -> None:
    other = [f"none{i}" for i in range(10_000)]
    assert traces.where(trace_id=[*other, "b", "c"]).trace_ids == ["b", "c"]
    assert traces.where(feature=[*other, None, "y"]).trace_ids == ["b", "c"]
    assert traces.where(trace_id=[*other, "o\x1fdd", "", "it's", "b"]).trace_ids == ["b"]
    assert traces.where(trace_id=other).trace_ids == []


@pytest.mark.parametrize(
    ("equals", "said"),
    [
        ({"model": True}, "model=True does not fit: model is text"),
        ({"model": b"m1"}, "model is text"),
        ({"model": {"a": 1}}, "model is text"),
        ({"model": [["m1"]]}, "model is text"),
        ({"model": object()}, "model is text"),
        ({"duration_s": "3"}, "duration_s='3' does not fit: duration_s is a number"),
        ({"n_spans": True}, "n_spans is a number"),
        ({"start": "soon"}, "start='soon' is not a time"),
        ({"start": 5}, "start=5 is not a time"),
    ],
)
def test_a_value_that_the_column_cannot_have_is_an_error(traces: Traces, equals: dict[str, Any], said: str) -> None:
    with pytest.raises(SelectionError, match=said):
        traces.where(**equals)


@pytest.mark.parametrize(("name", "right"), [("modle", "model"), ("nspans", "n_spans"), ("sinse", "since")])
def test_an_unknown_argument_names_the_nearest(traces: Traces, name: str, right: str) -> None:
    unknown: dict[str, Any] = {name: "x"}
    with pytest.raises(UnknownNameError, match=f"'{name}'. Did you mean '{right}'"):
        traces.where(**unknown)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("metadata.tenant == 'acme'", ["a"]),
        ('metadata["tenant"] == "o\'hara"', ["b"]),
        ("metadata['a.b'] == 'q'", ["b"]),
        ("metadata['x\"y'] == 'r'", ["b"]),
        ("metadata['s/t~u'] == 'v'", ["b"]),
        ("metadata.deep.er == 'x'", ["a"]),
        ("metadata['deep']['er'] == 'x'", ["a"]),
        ("metadata.deep.missing == 'x'", []),
        ("metadata.n == 3", ["a"]),
        ("metadata.n > 5", ["b", "c"]),
        ("5 < metadata.n < 10", ["b"]),
        ("metadata.n in [3, 12]", ["a", "c"]),
        ("metadata.tenant > 5", []),
        ("metadata.flag == True", ["b"]),
        ("isna(metadata.tenant) and n_spans == 1", []),
        ("metadata.tenant in ['acme', \"o'hara\"]", ["a", "b"]),
    ],
)
def test_expressions_look_into_metadata(traces: Traces, expression: str, expected: list[str]) -> None:
    assert traces.where(expression).trace_ids == expected


def test_metadata_that_is_not_json_holds_nothing() -> None:
    frame = pd.DataFrame({"trace_id": ["a", "b"], "span_id": "1", "metadata": ["{torn", '{"k": "v"}']})
    assert Traces.from_frames({"spans": frame}).where("metadata.k == 'v'").trace_ids == ["b"]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-01-02", None, ["b", "c"]),
        (None, "2026-01-02", ["a"]),
        ("2026-01-02", "2026-01-03", ["b"]),
        ("2026-01-02T01:00+01:00", None, ["b", "c"]),
        ("2026-01-02T00:00:00.000001", None, ["c"]),
        (date(2026, 1, 2), date(2026, 1, 3), ["b"]),
        (datetime(2026, 1, 2), None, ["b", "c"]),  # noqa: DTZ001
        (datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=5))), None, ["b", "c"]),
        (np.datetime64("2026-01-02"), None, ["b", "c"]),
        (pd.Timestamp("2026-01-02T00:00:00.000000001", tz=UTC), None, ["b", "c"]),
        ("2026-02-01", "2026-01-01", []),
    ],
)
def test_since_is_inclusive_and_until_exclusive(traces: Traces, since: Any, until: Any, expected: list[str]) -> None:
    assert traces.where(since=since, until=until).trace_ids == expected
    assert traces.where(since=since, until=until, kind=["llm", "agent", "chain"]).trace_ids == expected


def test_since_is_about_the_trace_and_not_the_span(traces: Traces) -> None:
    assert traces.where(since="2026-01-01T00:00:01", until="2026-01-02", model="m1").trace_ids == []


@pytest.mark.parametrize(
    "bad", ["junk", "", 5, 5.0, True, [], "99999-01-01", "0001-01-01T00:00+14:00", pd.NaT, b"2026"]
)
def test_what_is_no_time_is_an_error(traces: Traces, bad: Any) -> None:
    with pytest.raises(SelectionError, match=r"since=.*is not a time\. Expected a date such as"):
        traces.where(since=bad)
    with pytest.raises(SelectionError, match=r"until=.*is not a time"):
        traces.where(until=bad)


def test_asking_nothing_selects_everything(traces: Traces) -> None:
    assert traces.where() is traces
    assert traces.where(spans_only=True) is traces


def test_selections_chain(traces: Traces) -> None:
    chained = traces.where(kind="llm").where(since="2026-01-02").where("input_tokens < 10")
    assert chained.trace_ids == ["c"]
    assert chained.where(feature="x").trace_ids == []
    assert chained.where(feature="x").where(kind="llm").sample(2).trace_ids == []


def test_where_takes_an_expression_as_text(traces: Traces) -> None:
    with pytest.raises(SelectionError, match=r"as text.*got 5"):
        traces.where(5)  # type: ignore[arg-type]  # misuse
