"""Agents, sessions, context, hand-offs and repeated usage of random small forests, beside plain loops over spans."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from tests.examples import examples

from .forests import chain, described, groves, plainly, told

Rows = list[dict[str, Any]]


def by_trace(rows: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[row["trace_id"]].append(row)
    return found


def depth(row: dict[str, Any], family: Rows) -> int:
    above = [each for each in family if each["span_id"] == row["parent_id"]]
    return 1 + depth(above[0], family) if above else 0


def tokens(rows: Rows) -> list[float]:
    return [row["input_tokens"] for row in rows if row["kind"] == "llm" and row["input_tokens"] is not None]


@examples(8)
@given(groves())
def test_agents_go_as_far_as_a_loop_over_traces_says(grove: list[Rows]) -> None:
    for rows, frame in told(ll.agents, grove):
        agents_go_far(rows, frame)


def agents_go_far(rows: Rows, frame: pd.DataFrame) -> None:
    agentic = [f for f in by_trace(rows).values() if {"agent", "tool"} & {row["kind"] for row in f}]
    count = {kind: [sum(row["kind"] == kind for row in f) for f in agentic] for kind in ("llm", "tool")}
    assert described(frame, "model_calls") == pytest.approx(plainly([float(n) for n in count["llm"]]))
    assert described(frame, "tool_calls") == pytest.approx(plainly([float(n) for n in count["tool"]]))
    steps = [float(a + b) for a, b in zip(count["llm"], count["tool"], strict=True)]
    assert described(frame, "steps") == pytest.approx(plainly(steps))
    depths = [float(max(depth(row, f) for row in f)) for f in agentic]
    assert described(frame, "depth") == pytest.approx(plainly(depths))
    children = [Counter(row["parent_id"] for row in f if row["parent_id"]) for f in agentic]
    assert described(frame, "fan_out") == pytest.approx(plainly([float(max(c.values(), default=0)) for c in children]))
    lengths = [(max(r["end"] for r in f) - min(r["start"] for r in f)).total_seconds() for f in agentic]
    assert described(frame, "seconds") == pytest.approx(plainly(lengths))


@examples(8)
@given(groves())
def test_sessions_are_those_of_a_loop(grove: list[Rows]) -> None:
    for rows, frame in told(ll.sessions, grove):
        sessions_are_told(rows, frame)


def sessions_are_told(rows: Rows, frame: pd.DataFrame) -> None:
    spoken: dict[str, set[str]] = defaultdict(set)
    used: dict[str, Rows] = defaultdict(list)
    for row in rows:
        if row["session_id"]:
            spoken[row["session_id"]].add(row["trace_id"])
            used[row["session_id"]].append(row)
    assert described(frame, "turns") == pytest.approx(plainly([float(len(t)) for t in spoken.values()]))
    calls = [float(sum(row["kind"] == "llm" for row in each)) for each in used.values()]
    assert described(frame, "model_calls") == pytest.approx(plainly(calls))
    lengths = [(max(r["end"] for r in each) - min(r["start"] for r in each)).total_seconds() for each in used.values()]
    assert described(frame, "seconds") == pytest.approx(plainly(lengths))


@examples(8)
@given(groves())
def test_users_are_those_of_a_loop(grove: list[Rows]) -> None:
    for rows, frame in told(ll.users, grove):
        people: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            people[row["user_id"]].add(row["trace_id"])
        (of_users,) = frame.to_dict("records")
        assert (of_users["users"], of_users["traces"]) == (len(people), sum(len(each) for each in people.values()))


@examples(8)
@given(groves("llm"))
def test_context_grows_as_a_loop_over_conversations_says(grove: list[Rows]) -> None:
    for rows, frame in told(ll.context_growth, grove, windows={"model a": 1000, "model b": 500}):
        context_grows(rows, frame)


def context_grows(rows: Rows, frame: pd.DataFrame) -> None:
    talks: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["start"]):
        if row["kind"] == "llm" and row["input_tokens"] is not None:
            talks[row["trace_id"], row["parent_id"], row["model"]].append(float(row["input_tokens"]))
    for model, window in (("model a", 1000), ("model b", 500)):
        own = [given for key, given in talks.items() if key[2] == model]
        part = frame[frame["model"] == model]
        assert described(part, "steps") == pytest.approx(plainly([float(len(given)) for given in own]))
        assert described(part, "first") == pytest.approx(plainly([given[0] for given in own]))
        assert described(part, "peak") == pytest.approx(plainly([max(given) for given in own]))
        assert described(part, "share") == pytest.approx(plainly([max(given) / window for given in own]))
        growth = [(given[-1] - given[0]) / (len(given) - 1) for given in own if len(given) > 1]
        assert described(part, "growth") == pytest.approx(plainly(growth))


def owner(row: dict[str, Any], family: Rows) -> dict[str, Any] | None:
    """Give the nearest agent above."""
    above = next((each for each in family if each["span_id"] == row["parent_id"]), None)
    return above if above is None or above["kind"] == "agent" else owner(above, family)


@examples(10)
@given(groves("agent", "agent", "llm", "tool"))
def test_hand_offs_are_those_of_a_loop(grove: list[Rows]) -> None:
    for rows, frame in told(ll.handoffs, grove):
        hand_offs_are_told(rows, frame)


def hand_offs_are_told(rows: Rows, frame: pd.DataFrame) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    for family in by_trace(rows).values():
        before = None
        for row in sorted((r for r in family if r["kind"] == "agent"), key=lambda r: r["start"]):
            giver = owner(row, family)
            if giver is None:
                giver, before = before, row
                if giver is not None and giver["agent_name"] == row["agent_name"]:
                    giver = None
            if giver is not None:
                pair = (giver["agent_name"], row["agent_name"])
                expected[pair] += 1
                spent[pair] += tokens([r for r in family if owner(r, family) is row])
    found = {(row["from_agent"], row["to_agent"]): row for row in frame.to_dict("records")}
    assert {pair: row["n"] for pair, row in found.items()} == dict(expected)
    told = {pair: None if pd.isna(row["tokens"]) else row["tokens"] for pair, row in found.items()}
    assert told == {pair: sum(spent[pair]) if spent[pair] else None for pair in expected}


def right_below(row: dict[str, Any], family: Rows) -> Rows:
    """Give the nearest spans below that say what they used."""
    found = []
    for child in (each for each in family if each["parent_id"] == row["span_id"]):
        says = child["input_tokens"] is not None or child["cost_usd"] is not None
        found += [child] if says else right_below(child, family)
    return found


def repeats(row: dict[str, Any], below: Rows) -> bool:
    """Say whether a span says what those below it say in sum: tokens, or the cost where none tells tokens."""
    used, paid = (sum(each[name] or 0 for each in below) for name in ("input_tokens", "cost_usd"))
    if row["input_tokens"] or used:
        return bool(row["input_tokens"]) and abs(row["input_tokens"] - used) <= max(1.0, 1e-3 * used)
    return bool(row["cost_usd"]) and abs(row["cost_usd"] - paid) <= 1e-3 * paid


@examples(14)
@given(groves(), st.booleans())
@example([chain(("agent", 3), ("chain", None), ("llm", 3))], False)
def test_repeated_usage_is_that_of_a_recursion(grove: list[Rows], with_tokens: bool) -> None:
    if not with_tokens:
        grove = [[row | {"input_tokens": None, "output_tokens": None} for row in rows] for rows in grove]
    for rows, frame in told(ll.cost_audit, grove):
        repeated_usage_is_told(rows, frame)


def repeated_usage_is_told(rows: Rows, frame: pd.DataFrame) -> None:
    expected: Counter[str] = Counter()
    for family in by_trace(rows).values():
        for row in family:
            says = row["input_tokens"] is not None or row["cost_usd"] is not None
            below = right_below(row, family)
            if says and below and repeats(row, below):
                expected["call counted twice" if row["kind"] == "llm" else "parent repeats calls"] += 1
    found = frame[frame["finding"].isin(["call counted twice", "parent repeats calls"]) & (frame["n"] > 0)]
    assert dict(zip(found["finding"], found["n"], strict=True)) == expected
