"""The texts of spans are the same, whichever way they are asked for."""

from __future__ import annotations

import json
from typing import Any

from llmlens.read.texts import fill_texts, make_contents

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


def test_texts_are_the_same_before_and_after_the_table_is_made(otlp: Any) -> None:
    spans = [
        otlp.span({"input.value": "i", "output.value": "o"}),
        otlp.span(CHAT, n=2, events=[("gen_ai.user.message", 0, {"content": "x"})]),
    ]
    store = otlp.read(*spans)._store
    rows = store.arrow("SELECT * FROM raw_contents ORDER BY span_id").to_pylist()
    early = [(row["input"], row["output"]) for row in map(fill_texts, rows)]
    assert not store.has("contents")
    make_contents(store)
    late = store.arrow("SELECT input, output FROM contents ORDER BY span_id").to_pylist()
    assert early == [(row["input"], row["output"]) for row in late]


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
