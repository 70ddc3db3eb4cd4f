"""The texts of a trace whose root says nothing are those of its model calls, in order of time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.texts import text_rows
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Mapping

START = pd.Timestamp("2026-01-05", tz="UTC")


def said_of(calls: Mapping[str, tuple[int | None, str | None, str | None, str | None]]) -> dict[str, Any]:
    """Give the text of a silent root over calls: id -> milliseconds, what was asked, what was answered, the model."""
    spans: list[dict[str, Any]] = [{"span_id": "root", "kind": "chain", "start": START}]
    spans += [
        {"span_id": each, "parent_id": "root", "kind": "llm", "model": model,
         "start": None if at is None else START + pd.Timedelta(milliseconds=at)}
        for each, (at, _, _, model) in calls.items()
    ]  # fmt: skip
    texts = [{"span_id": each, "input": asked, "output": told} for each, (_, asked, told, _) in calls.items()]
    frames = {"spans": pd.DataFrame(spans).assign(trace_id="t"), "contents": pd.DataFrame(texts).assign(trace_id="t")}
    (row,) = text_rows(Traces.from_frames(frames), by="model").to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_the_last_answer_is_taken_also_within_a_second() -> None:
    row = said_of({"a": (100, "which?", "These.", "m"), "b": (200, "and which?", "Those.", "m")})
    assert (row["span_id"], row["text"], row["prompt"]) == ("b", "Those.", "which?")


def test_a_call_that_does_not_say_it_is_passed_over() -> None:
    row = said_of({"a": (1, None, "One.", None), "b": (2, "which?", "Two.", "m"), "c": (3, "what?", "Three.", None)})
    assert (row["prompt"], row["text"], row["model"]) == ("which?", "Three.", "m")


def test_calls_without_a_time_are_neither_first_nor_last() -> None:
    row = said_of({"a": (None, "a?", "A.", "ma"), "b": (1, "b?", "B.", "mb"), "c": (None, "c?", "C.", "mc")})
    assert (row["prompt"], row["text"], row["model"]) == ("b?", "B.", "mb")


def test_of_calls_at_the_same_time_the_ids_tell() -> None:
    row = said_of({"b": (1, "b?", "B.", "mb"), "a": (1, "a?", "A.", "ma")})
    assert (row["prompt"], row["text"], row["model"]) == ("a?", "B.", "mb")


def state(*messages: tuple[str, str]) -> dict[str, Any]:
    """Give the text of a root that gives back a conversation, as LangGraph's does: (role, content) in order."""
    told = [{"role": role, "parts": [{"type": "text", "content": content}]} for role, content in messages]
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.output.messages": json.dumps(told)}
    frames = {
        "spans": pd.DataFrame([{"trace_id": "t", "span_id": "root", "kind": "agent", "start": START}]),
        "contents": pd.DataFrame([{"trace_id": "t", "span_id": "root", "attributes": json.dumps(attributes)}]),
    }
    rows = text_rows(Traces.from_frames(frames)).to_dict("records")
    return {str(name): value for name, value in rows[0].items()} if rows else {}


def test_what_an_agent_was_asked_and_what_its_tools_gave_is_no_answer() -> None:
    said = state(("user", "Who decides?"), ("assistant", "I look it up."), ("tool", "[]"), ("assistant", "Nobody."))
    assert said["text"] == "I look it up.\nNobody."


def test_what_was_answered_to_earlier_questions_is_no_answer_to_this_one() -> None:
    said = state(("user", "Who?"), ("assistant", "Ann."), ("user", "Since when?"), ("assistant", "Since May."))
    assert said["text"] == "Since May."
    assert state(("user", "Who?"), ("tool", "[]")) == {}
