"""Errors by class: each rule by an example, where errors come from, what was tried again, and rules of one's own."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.measure.error_rules import RULES
from llmlens.traces import Traces
from tests.examples import examples

START = pd.Timestamp("2026-01-01", tz="UTC")


def seconds(*values: float) -> list[pd.Timestamp]:
    return [START + pd.Timedelta(seconds=v) for v in values]


def spans(n: int, **columns: Any) -> Traces:
    given = {
        "trace_id": [f"t{i}" for i in range(n)],
        "span_id": [f"s{i}" for i in range(n)],
        "kind": "llm",
        "name": "chat",
        "status": "ok",
        "finish_reason": "stop",
        "start": START,
        "end": START,
    }
    return Traces.from_frames({"spans": pd.DataFrame(given | columns)})


def found(traces: Traces, **asked: Any) -> list[tuple[str, str]]:
    return pairs(ll.errors(traces, **asked))


def pairs(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return list(zip(frame["family"], frame["error"], strict=True))


def classes(frame: pd.DataFrame, place: int) -> list[tuple[str, str]]:
    return pairs(frame[frame["feature"] == f"{place}"])


#: Type and message of an error, and its class.
SAID = (
    ("RateLimitError", "Error code: 429", ("provider", "rate limit")),
    ("APITimeoutError", "Request timed out.", ("provider", "timeout")),
    ("APIConnectionError", "connection refused", ("provider", "unavailable")),
    ("OverloadedError", "Error code: 529", ("provider", "unavailable")),
    ("InternalServerError", "Error code: 500", ("provider", "5xx")),
    ("BadRequestError", "Error code: 400 - bad field", ("application", "bad request")),
    ("BadRequestError", "400 prompt is too long: 204659 tokens > 200000", ("application", "context overflow")),
    ("OutputParserException", "Could not parse LLM output", ("application", "output not parsed")),
    ("ValidationError", "'items' is a required property", ("application", "bad arguments")),
    ("ToolNotFoundError", "Unknown tool: x", ("application", "unknown tool")),
    ("AuthenticationError", "Error code: 401", ("application", "not allowed")),
    ("BadRequestError", "blocked by content filter", ("semantic", "refusal")),
    ("KeyError", "'x'", ("other", "not classified")),
    (None, None, ("other", "not classified")),
)


@cache
def of_failures() -> pd.DataFrame:
    """Ask of all failures at once, each a feature of its own."""
    types, messages, _ = (list(column) for column in zip(*SAID, strict=True))
    features = [f"{place}" for place in range(len(SAID))]
    traces = spans(len(SAID), status="error", error_type=types, status_message=messages, feature=features)
    return ll.errors(traces, by="feature")


@pytest.mark.parametrize("place", range(len(SAID)), ids=lambda place: f"{SAID[place][0]}-{SAID[place][1]}")
def test_a_failed_span_is_classed_by_what_it_says(place: int) -> None:
    assert classes(of_failures(), place) == [SAID[place][2]]


#: Question, answer, more columns of the call, and its classes.
ANSWERED: tuple[tuple[str, str | None, dict[str, Any], list[tuple[str, str]]], ...] = (
    ("hi", "I'm sorry, but I can't help with that.", {}, [("semantic", "refusal")]),
    ("hi", "Hello there", {"finish_reason": "length"}, [("semantic", "cut by length")]),
    ("hi", "Hello there", {"finish_reason": "content_filter"}, [("semantic", "refusal")]),
    ("hi", None, {"output_tokens": 0}, [("semantic", "empty")]),
    ("hi", None, {}, []),
    ("hi", None, {"output_tokens": 0, "finish_reason": "tool_calls"}, []),
    ("hi", "Something went wrong on our side.", {}, [("semantic", "fallback answer")]),
    (
        "hi",
        "no json",
        {"params": '{"response_format":{"type":"json_object"}}'},
        [("application", "output not parsed")],
    ),
    ("hi", '{"a": 1}', {"params": '{"response_format":{"type":"json_object"}}'}, []),
    (
        "wo ist meine bestellung und ist sie auf dem weg zu mir",
        "The order is on its way to you and will be there.",
        {},
        [("semantic", "wrong language")],
    ),
    (
        "translate: wo ist die bestellung und ist sie auf dem weg",
        "Where is the order and is it on the way to you",
        {},
        [],
    ),
    ("where is the order and is it on the way to me", "The order is on its way to you and will be there.", {}, []),
)


@cache
def of_answers() -> pd.DataFrame:
    """Ask of all answers at once, each a feature of its own."""
    questions, answers, more, _ = zip(*ANSWERED, strict=True)
    ids = {"trace_id": [f"t{place}" for place in range(len(ANSWERED))], "span_id": "s"}
    given = {"kind": "llm", "name": "chat", "status": "ok", "start": START, "finish_reason": "stop"}
    calls = pd.DataFrame([given | {"feature": f"{place}"} | columns for place, columns in enumerate(more)])
    said = {"input": [f'[{{"role":"user","content":"{question}"}}]' for question in questions], "output": answers}
    frames = {"spans": calls.assign(**ids), "contents": pd.DataFrame(ids | said | {"attributes": "{}"})}
    return ll.errors(Traces.from_frames(frames), by="feature")


@pytest.mark.parametrize("place", range(len(ANSWERED)), ids=lambda place: f"{ANSWERED[place][:3]}")
def test_an_answer_is_classed_by_its_words(place: int) -> None:
    assert classes(of_answers(), place) == ANSWERED[place][3]


def test_an_error_counts_where_it_came_from() -> None:
    frame = pd.DataFrame(
        {
            "trace_id": "t",
            "span_id": ["a", "b", "c"],
            "parent_id": [None, "a", "b"],
            "kind": ["chain", "agent", "tool"],
            "status": "error",
            "error_type": ["X", "X", "RateLimitError"],
            "start": START,
        }
    )
    assert found(Traces.from_frames({"spans": frame})) == [("provider", "rate limit")]


def test_what_was_tried_again_and_what_it_cost() -> None:
    frame = pd.DataFrame(
        {
            "trace_id": ["t"] * 3 + ["u", "u", "v"],
            "span_id": list("abcdef"),
            "parent_id": ["r"] * 6,
            "kind": "llm",
            "name": "chat",
            "status": ["error", "error", "ok", "error", "ok", "ok"],
            "error_type": ["TimeoutError"] * 2 + [None, "TimeoutError", None, None],
            "start": seconds(0, 3, 6, 0, 500, 0),
            "end": seconds(2, 5, 7, 2, 501, 1),
            "duration_s": [2.0, 2.0, 1.0, 2.0, 1.0, 1.0],
            "cost_usd": [0.5, None, 1.0, 7.0, 1.0, 1.0],
        }
    )
    (row,) = ll.errors(Traces.from_frames({"spans": frame})).to_dict("records")
    assert (row["spans"], row["traces"], row["n"]) == (3, 2, 3)
    assert (row["retried"], row["recovered"], row["lost_s"], row["lost_usd"]) == (2, 1, 6.0, 0.5)
    assert row["share"] == pytest.approx(2 / 3)
    assert row["low"] < row["share"] < row["high"]


def test_rules_are_data_that_a_user_extends() -> None:
    traces = spans(2, status=["error", "ok"], error_type=["RateLimitError", None], finish_reason=[None, "paused"])
    own = ll.rules(
        [("provider", "our gateway", "error", "ratelimit"), ("semantic", "paused", "finish_reason", "^paused$")]
    )
    result = ll.errors(traces, rules=own)
    assert set(zip(result["family"], result["error"], strict=True)) == {
        ("provider", "our gateway"),
        ("semantic", "paused"),
    }
    assert result.beside["rules"]["spans"].tolist()[:3] == [1, 1, 0]
    assert len(result.beside["examples"]) == 2
    assert found(traces, rules=own.iloc[:0]) == []


@pytest.mark.parametrize(
    ("own", "error", "said"),
    [
        ([("a", "b", "eror", "x")], UnknownNameError, "Did you mean 'error'"),
        ([("a", "b", "error", "(")], SelectionError, "pattern"),
        ([("a", "b")], SelectionError, r"\(family, error, field, pattern\)"),
    ],
)
def test_a_rule_that_is_none_is_an_error(own: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        ll.rules(own)


def test_what_is_no_table_of_rules_is_an_error(week: Traces) -> None:
    with pytest.raises(SelectionError, match="no family"):
        ll.errors(week, rules=pd.DataFrame({"error": ["x"]}))


def test_groups_periods_and_nothing(week: Traces) -> None:
    frame = ll.errors(week, by="feature", every="1D")
    assert list(frame.columns[:4]) == ["feature", "period", "family", "error"]
    assert (frame["traces"] <= frame["n"]).all()
    assert frame.plot().data
    assert ll.errors(week).plot().data
    assert len(ll.errors(week.where(feature="nothing"), by="feature", every="1D")) == 0
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.errors(week, by="featur")


FAILURES = (
    "Error code: 429",
    "Request timed out.",
    "503 overloaded",
    "500 Internal Server Error",
    "prompt is too long",
)


@examples(8)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from([None, *FAILURES]), st.sampled_from(["stop", "length"])),
        min_size=12,
        max_size=60,
    )
)
def test_counts_are_those_of_a_loop_over_the_rules(rows: list[tuple[str, str | None, str]]) -> None:
    features, messages, reasons = (list(column) for column in zip(*rows, strict=True))
    status = ["ok" if message is None else "error" for message in messages]
    said = {"feature": features, "status": status, "status_message": messages, "finish_reason": reasons}
    frame = ll.errors(spans(len(rows), **said), by="feature")
    expected: Counter[tuple[str, str, str]] = Counter()
    for feature, message, reason in rows:
        seen = {"finish_reason": reason} | ({"error": message} if message else {})
        first = next((r for r in RULES if r.field in seen and re.search(r.pattern, seen[r.field], re.IGNORECASE)), None)
        if first is not None:
            expected[feature, first.family, first.error] += 1
    told = frame.set_index(["feature", "family", "error"])["spans"]
    assert {key: int(n) for key, n in told.items()} == expected
    assert dict(zip(frame["feature"], frame["n"], strict=True)).items() <= Counter(features).items()
