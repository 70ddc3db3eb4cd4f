"""The texts of spans are the same, whichever way they are asked for."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

CHAT = {"gen_ai.operation.name": "chat"}


def test_the_first_attribute_that_says_something_is_the_text(otlp: Any) -> None:
    said = [
        {"langfuse.observation.input": "a", "input.value": "b"},
        {"langfuse.observation.input": "", "input.value": "b"},
        {"gen_ai.input.messages": "null", "input.value": "b"},
        {"input.value": {"k": 1}},
        {"input.value": 5},
        {"input.value": ""},
        {},
    ]
    traces = otlp.read(*(otlp.span(each, n=n) for n, each in enumerate(said, 1)))
    found = traces.contents.sort_values("span_id")["input"]
    assert found.iloc[:5].tolist() == ["a", "b", "b", '{"k":1}', "5"]
    assert found.iloc[5:].isna().all()


def test_what_is_spread_over_attributes_events_or_logs_is_put_together(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span({**CHAT, "llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": "hi"}),
        otlp.span(CHAT, n=2, events=[("gen_ai.user.message", 0, {"content": "from an event"})]),
        otlp.span(CHAT, n=3),
        logs=[otlp.log("gen_ai.user.message", {}, n=3, body=otlp.value({"content": "from a log"}))],
    )
    found = [json.loads(text)[0]["content"] for text in traces.contents.sort_values("span_id")["input"]]
    assert found == ["hi", "from an event", "from a log"]


@pytest.mark.parametrize("first", ["documents", "messages"])
def test_tables_are_the_same_whichever_is_asked_for_first(otlp: Any, first: str) -> None:
    asked = '[{"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"look","arguments":{"q":1}}]}]'
    spans = [
        otlp.span({"input.value": "i", "output.value": "o"}),
        otlp.span(
            {**CHAT, "gen_ai.output.messages": asked}, n=2, events=[("gen_ai.user.message", 0, {"content": "x"})]
        ),
        otlp.span({"openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.content": "d"}, n=3),
        otlp.span({"openinference.span.kind": "EMBEDDING"}, n=4, events=[("gen_ai.user.message", 0, {"content": "y"})]),
    ]
    names = ("contents", "messages", "documents", "tool_calls")
    usual, other = otlp.read(*spans), otlp.read(*spans)
    tables = {name: getattr(usual, name) for name in names}
    assert len(getattr(other, first))
    for name in names:
        pd.testing.assert_frame_equal(getattr(other, name), tables[name])
    assert tables["contents"]["input"].notna().tolist() == [True, True, False, True]


def test_the_resource_and_scope_are_kept_with_every_span(otlp: Any) -> None:
    traces = otlp.read(otlp.span(), otlp.span(n=2), resource={"service.name": "shop", "odd": {"a": [1, None]}})
    for text in traces.contents["resource"]:
        assert json.loads(text) == {
            "attributes": {"service.name": "shop", "odd": {"a": [1, None]}},
            "scope": {"name": "test"},
        }


def test_a_load_without_any_text_has_contents(otlp: Any) -> None:
    traces = otlp.read(otlp.span(attributes=[]))
    assert traces.contents[["input", "output"]].isna().all(axis=None)
    assert traces.contents["attributes"].tolist() == ["{}"]
