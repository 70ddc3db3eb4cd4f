from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.read.contents import (
    Message,
    SpanContent,
    assemble_input,
    assemble_output,
    documents,
    messages,
    scores,
    tool_calls,
)
from llmlens.read.contents.indexed import FAMILIES
from llmlens.read.contents.sources import INPUT, OUTPUT
from llmlens.read.contents.values import unpacked
from llmlens.schema import KINDS, MESSAGES
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

CAPITAL = ("user", "What is the capital of France?")
PARIS = ("assistant", "Stub answer: The capital of France is Paris. (asked: What is the capital of France?)")
WEATHER = ("user", "What is the weather in Paris?")


def span(
    attributes: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    *,
    kind: str = "llm",
    input: str | None = None,
    output: str | None = None,
) -> SpanContent:
    return SpanContent("t", "s", None, kind, "n", "ok", input, output, attributes or {}, events or [])


def event(name: str, **attributes: Any) -> dict[str, Any]:
    return {"name": name, "time": None, "attributes": attributes}


def said(found: SpanContent) -> list[tuple[str, str, str | None]]:
    return [(row.direction, row.role, row.content) for row in messages(found)]


HELLO = [("input", "system", "Be nice"), ("input", "user", "hi"), ("output", "assistant", "hello")]

CHAT = json.dumps([{"role": "system", "content": "Be nice"}, {"role": "user", "content": "hi"}])
PARTS_IN = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
PARTS_OUT = [{"role": "assistant", "parts": [{"type": "text", "content": "hello"}], "finish_reason": "stop"}]
SYSTEM = [{"type": "text", "content": "Be nice"}]
LANGCHAIN_IN = {
    "messages": [
        [
            {
                "lc": 1,
                "type": "constructor",
                "id": ["x", "SystemMessage"],
                "kwargs": {"content": "Be nice", "type": "system"},
            },
            {"lc": 1, "type": "constructor", "id": ["x", "HumanMessage"], "kwargs": {"content": "hi", "type": "human"}},
        ]
    ]
}
LANGCHAIN_OUT = {
    "generations": [
        [
            {
                "text": "hello",
                "message": {"lc": 1, "type": "constructor", "id": ["x", "AIMessage"], "kwargs": {"content": "hello"}},
            }
        ]
    ]
}
GEMINI_IN = {
    "model": "gemini",
    "config": {"system_instruction": "Be nice"},
    "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
}

CONVENTIONS: dict[str, SpanContent] = {
    "OpenTelemetry, JSON texts": span(
        {
            "gen_ai.system_instructions": json.dumps(SYSTEM),
            "gen_ai.input.messages": json.dumps(PARTS_IN),
            "gen_ai.output.messages": json.dumps(PARTS_OUT),
        }
    ),
    "OpenTelemetry, structured": span(
        {
            "gen_ai.system_instructions": SYSTEM,
            "gen_ai.input.messages": PARTS_IN,
            "gen_ai.output.messages": PARTS_OUT,
        }
    ),
    "OpenTelemetry, instructions as plain text": span(
        {
            "gen_ai.system_instructions": "Be nice",
            "gen_ai.input.messages": PARTS_IN,
            "gen_ai.output.messages": PARTS_OUT,
        }
    ),
    "OpenTelemetry, one event of details": span(
        events=[
            event(
                "gen_ai.client.inference.operation.details",
                **{
                    "gen_ai.system_instructions": SYSTEM,
                    "gen_ai.input.messages": PARTS_IN,
                    "gen_ai.output.messages": PARTS_OUT,
                },
            )
        ]
    ),
    "Strands, an event of details for each": span(
        events=[
            event("gen_ai.client.inference.operation.details", **{key: json.dumps(value)})
            for key, value in (
                ("gen_ai.system_instructions", SYSTEM),
                ("gen_ai.input.messages", PARTS_IN),
                ("gen_ai.output.messages", PARTS_OUT),
            )
        ]
    ),
    "OpenTelemetry, log records with bodies": span(
        events=[
            event("gen_ai.system.message", body={"content": "Be nice"}),
            event("gen_ai.user.message", body={"content": "hi"}),
            event(
                "gen_ai.choice",
                body={"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}},
            ),
        ]
    ),
    "Semantic Kernel, bodies as JSON and names as attributes": span(
        events=[
            event("", body='{"role": "system", "content": "Be nice"}', **{"event.name": "gen_ai.system.message"}),
            event("", body='{"role": "user", "content": "hi"}', **{"event.name": "gen_ai.user.message"}),
            event("", body='{"message": {"role": "assistant", "content": "hello"}}', **{"event.name": "gen_ai.choice"}),
        ]
    ),
    "Azure AI, content as JSON": span(
        events=[
            event("gen_ai.system.message", **{"gen_ai.event.content": '{"role": "system", "content": "Be nice"}'}),
            event("gen_ai.user.message", **{"gen_ai.event.content": '{"role": "user", "content": "hi"}'}),
            event(
                "gen_ai.choice",
                **{"gen_ai.event.content": '{"message": {"content": "hello"}, "finish_reason": "stop"}'},
            ),
        ]
    ),
    "Strands, Bedrock blocks": span(
        events=[
            event("gen_ai.system.message", content='[{"text": "Be nice"}]'),
            event("gen_ai.user.message", content='[{"text": "hi"}]'),
            event("gen_ai.choice", message='[{"text": "hello"}]', finish_reason="end_turn"),
        ]
    ),
    "OpenTelemetry, content events": span(
        events=[
            event("gen_ai.content.prompt", **{"gen_ai.prompt": CHAT}),
            event("gen_ai.content.completion", **{"gen_ai.completion": '[{"role": "assistant", "content": "hello"}]'}),
        ]
    ),
    "OpenInference": span(
        {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "hello",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "hi",
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be nice",
        }
    ),
    "Phoenix data frame": span(
        {
            "llm.input_messages": [
                {"message.role": "system", "message.content": "Be nice"},
                {
                    "message": {
                        "role": "user",
                        "contents": [{"message_content.type": "text", "message_content.text": "hi"}],
                    }
                },
            ],
            "llm.output_messages": [{"message.role": "assistant", "message.content": "hello"}],
        }
    ),
    "OpenLLMetry, indexed": span(
        {
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be nice",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": '[{"type": "text", "text": "hi"}]',
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "hello",
            "gen_ai.completion.0.finish_reason": "stop",
            "gen_ai.prompt.name": "greeting",
        }
    ),
    "Langfuse SDK": span(
        {
            "langfuse.observation.input": json.dumps({"tools": [], "messages": json.loads(CHAT)}),
            "langfuse.observation.output": '{"role": "assistant", "content": "hello"}',
        }
    ),
    "Langfuse SDK, plain answer": span(
        {"langfuse.observation.input": CHAT, "langfuse.observation.output": "hello"},
    ),
    "Vercel AI SDK 5": span(
        {
            "ai.prompt.messages": '[{"role": "system", "content": "Be nice"},'
            '{"role": "user", "content": [{"type": "text", "text": "hi"}]}]',
            "ai.response.text": "hello",
        }
    ),
    "Vercel AI SDK 5, outer": span(
        {"ai.prompt": '{"system": "Be nice", "prompt": "hi"}', "ai.response.text": "hello"},
    ),
    "MLflow": span(
        {
            "mlflow.spanInputs": json.dumps({"model": "gpt", "messages": json.loads(CHAT)}),
            "mlflow.spanOutputs": '{"choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}}]}',
        }
    ),
    "MLflow, answer as JSON string": span(
        {"mlflow.spanInputs": json.dumps({"messages": json.loads(CHAT)}), "mlflow.spanOutputs": '"hello"'},
    ),
    "pydantic-ai, events attribute": span(
        {
            "events": json.dumps(
                [
                    {"event.name": "gen_ai.system.message", "content": "Be nice", "role": "system"},
                    {"event.name": "gen_ai.user.message", "content": "hi", "role": "user"},
                    {"event.name": "gen_ai.choice", "index": 0, "message": {"role": "assistant", "content": "hello"}},
                ]
            )
        }
    ),
    "pydantic-ai agent": span(
        {
            "gen_ai.system_instructions": json.dumps(SYSTEM),
            "pydantic_ai.all_messages": json.dumps(PARTS_IN + PARTS_OUT),
            "final_result": "hello",
        },
        kind="agent",
    ),
    "pydantic-ai agent, older": span(
        {
            "all_messages_events": json.dumps(
                [
                    {"event.name": "gen_ai.system.message", "content": "Be nice", "role": "system"},
                    {"event.name": "gen_ai.user.message", "content": "hi", "role": "user"},
                    {"event.name": "gen_ai.assistant.message", "content": "hello", "role": "assistant"},
                ]
            )
        },
        kind="agent",
    ),
    "LangSmith": span({"gen_ai.prompt": json.dumps(LANGCHAIN_IN), "gen_ai.completion": json.dumps(LANGCHAIN_OUT)}),
    "Google ADK": span(
        {
            "gcp.vertex.agent.llm_request": json.dumps(GEMINI_IN),
            "gcp.vertex.agent.llm_response": '{"content": {"role": "model", "parts": [{"text": "hello"}]}}',
        }
    ),
    "Haystack": span(
        {
            "haystack.component.input": json.dumps({"messages": json.loads(CHAT)}),
            "haystack.component.output": '{"replies": [{"role": "assistant", "content": [{"text": "hello"}]}]}',
        }
    ),
    "OpenAI responses": span(
        input='{"model": "gpt", "instructions": "Be nice", "input": "hi"}',
        output='{"object": "response", "instructions": "Be nice", "output": '
        '[{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}]}',
    ),
    "Anthropic": span(
        input='{"model": "claude", "system": "Be nice", "messages": [{"role": "user", "content": "hi"}]}',
        output='{"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hello"}]}',
    ),
    "Bedrock Converse": span(
        input='{"system": [{"text": "Be nice"}], "messages": [{"role": "user", "content": [{"text": "hi"}]}]}',
        output='{"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "x"}',
    ),
    "Gemini": span(
        input=json.dumps(GEMINI_IN),
        output='{"candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}}]}',
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_tells_the_same_conversation(convention: str) -> None:
    assert said(CONVENTIONS[convention]) == HELLO


def test_rows_have_the_fields_of_the_tidy_table() -> None:
    assert list(Message._fields) == MESSAGES.names


def test_positions_count_inputs_first() -> None:
    assert [row.position for row in messages(CONVENTIONS["Langfuse SDK"])] == [0, 1, 2]


# --- the recordings


def conversations(spans: list[SpanContent]) -> list[list[tuple[str, str | None]]]:
    return [[(row.role, row.content) for row in messages(one)] for one in spans if one.kind == "llm"]


@pytest.mark.parametrize("name", ["openinference_openai", "otel_genai_openai_latest_span", "traceloop_openai"])
def test_openai_recordings_hold_the_same_conversations(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    told = conversations(recorded(name))
    system = ("system", "You are a helpful assistant. Réponds en français si besoin 🙂.")
    result = '{"temp_c": 18, "sky": "rain"}'
    assert told[0] == [system, CAPITAL, PARIS]
    assert told[2] == [system, WEATHER, ("assistant", None)]
    assert told[3][:4] == [system, WEATHER, ("assistant", None), ("tool", result)]
    assert told[3][4][1] == f"Based on the tool result ({result}), the weather in Paris is 18 °C and rainy."
    assert told[4] == told[2]
    assert [role for role, _ in told[5]] == ["user", "assistant", "assistant"]
    assert "https://example.com/x.png" in (told[5][0][1] or "")
    assert told[6] == [("user", "FAIL429")]
    assert told[7] == [("system", "Be brief"), WEATHER, ("assistant", None)]


@pytest.mark.parametrize(
    "name", ["openinference_langchain", "otel_genai_langchain", "traceloop_langchain", "langsmith_otel"]
)
def test_langchain_recordings_hold_the_same_conversations(
    name: str, recorded: Callable[[str], list[SpanContent]]
) -> None:
    told = conversations(recorded(name))
    answer = "Based on the tool result (18C rain in Paris), the weather in Paris is 18 °C and rainy."
    agent = ("system", "You are an agent.")
    assert len(told) == 6
    assert told[0] == [
        ("system", "Answer using: Paris is the capital of France.\nRéunion est une île."),
        CAPITAL,
        PARIS,
    ]
    assert [role for role, _ in told[1]] == ["system", "user", "assistant"]
    assert told[2] == [agent, WEATHER, ("assistant", None)]
    assert told[3] == [agent, WEATHER, ("assistant", None), ("tool", "18C rain in Paris"), ("assistant", answer)]
    assert told[4] == [("user", "use the tool now"), ("assistant", None)]
    assert told[5][0] == ("user", "FAIL429")


@pytest.mark.parametrize(
    ("name", "asked", "tool"),
    [
        ("pydantic_ai_v5", WEATHER, "18C in Paris"),
        ("vercel_ai_sdk7", WEATHER, '{"temp":18,"location":"Paris"}'),
        ("openinference_openai_agents", WEATHER, "18C in Paris"),
    ],
)
def test_agent_recordings_hold_the_same_conversation(
    name: str, asked: tuple[str, str], tool: str, recorded: Callable[[str], list[SpanContent]]
) -> None:
    told = conversations(recorded(name))
    assert [role for role, _ in told[0]] == ["system", "user", "assistant"]
    assert told[0][1:] == [asked, ("assistant", None)]
    assert told[1][1:4] == [asked, ("assistant", None), ("tool", tool)]
    assert told[1][4] == ("assistant", f"Based on the tool result ({tool}), the weather in Paris is 18 °C and rainy.")


@pytest.mark.parametrize("name", ["langfuse_sdk_v4", "langfuse_sdk_v5"])
def test_langfuse_recordings_hold_the_same_conversations(
    name: str, recorded: Callable[[str], list[SpanContent]]
) -> None:
    told = conversations(recorded(name))
    assert [("system", "sys"), WEATHER, ("assistant", None)] in told
    assert [("user", "hi"), ("assistant", "yo")] in told
    assert [("user", "FAIL429")] in told


@pytest.mark.parametrize("name", ["otel_genai_openai_default", "otel_openai_v2_default"])
def test_a_recording_without_content_has_no_texts(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    assert not [row for one in recorded(name) for row in messages(one) if row.content]


def test_messages_on_the_span_and_in_a_log_come_once(recorded: Callable[[str], list[SpanContent]]) -> None:
    spans = [one for one in recorded("otel_genai_openai_latest_span") if one.kind == "llm"]
    assert all(one.events for one in spans)
    assert len(messages(spans[0])) == 3


def test_a_log_alone_is_enough(recorded: Callable[[str], list[SpanContent]]) -> None:
    whole = next(one for one in recorded("otel_genai_openai_latest_span") if one.kind == "llm")
    assert said(span(events=whole.events)) == said(whole)


# --- roles, contents, parts


@pytest.mark.parametrize(
    ("written", "role"),
    [
        ("human", "user"),
        ("ai", "assistant"),
        ("model", "assistant"),
        ("function", "tool"),
        ("USER", "user"),
        ("developer", "developer"),
    ],
)
def test_roles_are_normalised(written: str, role: str) -> None:
    assert said(span(input=json.dumps([{"role": written, "content": "x"}]))) == [("input", role, "x")]


def test_an_unknown_role_becomes_that_of_the_direction() -> None:
    text = json.dumps([{"role": "unknown", "parts": [{"type": "text", "content": "x"}]}])
    assert said(span({"gen_ai.output.messages": text})) == [("output", "assistant", "x")]


def test_text_parts_are_joined_with_newlines() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert said(span(input=json.dumps([{"role": "user", "content": parts}]))) == [("input", "user", "a\nb")]


def test_other_parts_make_the_content_json_with_all_parts() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]
    ((_, _, content),) = said(span(input=json.dumps([{"role": "user", "content": parts}])))
    assert json.loads(content or "") == parts


def test_reasoning_is_a_part() -> None:
    parts = [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "a"}]
    ((_, role, content),) = said(span({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]}))
    assert role == "assistant"
    assert json.loads(content or "") == parts


def test_calls_do_not_make_the_content_json() -> None:
    parts = [{"type": "text", "content": "a"}, {"type": "tool_call", "id": "1", "name": "f", "arguments": {}}]
    assert said(span({"gen_ai.output.messages": [{"role": "assistant", "parts": parts}]})) == [
        ("output", "assistant", "a")
    ]


def test_each_tool_result_is_a_message_with_its_call_id() -> None:
    content = [
        {"type": "tool_result", "tool_use_id": "1", "content": "one"},
        {"type": "tool_result", "tool_use_id": "2", "content": [{"type": "text", "text": "two"}]},
        {"type": "text", "text": "and now?"},
    ]
    rows = messages(span(input=json.dumps({"messages": [{"role": "user", "content": content}]})))
    assert [(row.role, row.content, row.tool_call_id) for row in rows] == [
        ("tool", "one", "1"),
        ("tool", "two", "2"),
        ("user", "and now?", None),
    ]


def test_the_id_of_a_langchain_message_is_not_a_call_id() -> None:
    message = {"type": "tool", "content": "x", "id": "run-1", "tool_call_id": "call-1", "name": "f"}
    (row,) = messages(span(input=json.dumps([message])))
    assert (row.role, row.name, row.tool_call_id) == ("tool", "f", "call-1")


def test_a_users_text_that_looks_like_json_stays_a_text() -> None:
    text = '[{"title": "a"}, {"title": "b"}]'
    found = span({"llm.input_messages.0.message.role": "user", "llm.input_messages.0.message.content": text})
    assert said(found) == [("input", "user", text)]


def test_a_refusal_is_what_the_assistant_said() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot."}
    assert said(span(output=json.dumps({"choices": [{"message": message}]}))) == [("output", "assistant", "I cannot.")]
    parts = [{"type": "refusal", "refusal": "I cannot."}]
    assert said(span(output=json.dumps({"role": "assistant", "content": parts}))) == [
        ("output", "assistant", "I cannot.")
    ]


def test_an_empty_answer_is_a_message() -> None:
    assert said(span(output='{"role": "assistant", "content": ""}')) == [("output", "assistant", "")]


# --- precedence and the rest


def test_the_first_spelling_wins() -> None:
    found = span(
        {
            "gen_ai.input.messages": json.dumps(PARTS_IN),
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": "other",
            "input.value": "another",
        },
        input="yet another",
    )
    assert said(found) == [("input", "user", "hi")]


def test_a_structure_further_down_beats_a_text_without_one() -> None:
    found = span({"langfuse.observation.input": '{"args": [], "kwargs": {"x": 1}}', "gen_ai.input.messages": PARTS_IN})
    assert said(found) == [("input", "user", "hi")]


@pytest.mark.parametrize("text", ["plain", "[not json", '{"o":2}', '{"messages":1}', "[1, 2"])
def test_a_text_of_a_model_call_is_never_lost(text: str) -> None:
    assert said(span(input=text, output=text)) == [("input", "user", text), ("output", "assistant", text)]


def test_an_empty_envelope_of_a_model_call_is_not_lost() -> None:
    assert said(span(output='{"choices": []}')) == [("output", "assistant", '{"choices": []}')]


@pytest.mark.parametrize(
    "text", ["plain", '{"content": "x"}', '{"o": {"role": 1}}', '[{"page_content": "x", "metadata": {}}]']
)
@pytest.mark.parametrize("kind", ["chain", "agent", "span", "guardrail"])
def test_other_spans_give_only_real_messages(kind: str, text: str) -> None:
    assert messages(span(kind=kind, input=text, output=text)) == []


def test_a_chain_with_messages_gives_them() -> None:
    state = json.dumps({"output": [{"graph": None, "update": {"messages": [{"type": "ai", "content": "x"}]}}]})
    assert said(span(kind="chain", output=state)) == [("output", "assistant", "x")]


@pytest.mark.parametrize("kind", ["tool", "retriever", "reranker", "embedding", "event"])
def test_tools_and_retrievers_have_no_conversation(kind: str) -> None:
    assert messages(span(kind=kind, input=CHAT, output=CHAT)) == []


def test_gaps_in_indices_close_up() -> None:
    found = span(
        {
            "llm.input_messages.10.message.role": "user",
            "llm.input_messages.10.message.content": "b",
            "llm.input_messages.2.message.role": "user",
            "llm.input_messages.2.message.content": "a",
        }
    )
    assert [row.content for row in messages(found)] == ["a", "b"]


def test_the_attributes_are_left_as_they_were() -> None:
    given_attributes = {
        "llm.input_messages": [{"message": {"role": "user", "content": '[{"text": "x"}]'}}],
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message": {"content": "deep"},
    }
    before = json.dumps(given_attributes)
    messages(span(given_attributes))
    assert json.dumps(given_attributes) == before


# --- assembled texts


@pytest.mark.parametrize("convention", ["OpenInference", "OpenLLMetry, indexed", "Strands, Bedrock blocks"])
def test_assembled_texts_tell_the_same_conversation(convention: str) -> None:
    found = CONVENTIONS[convention]
    again = span(input=unpacked(assemble_input(found)), output=unpacked(assemble_output(found)))
    assert said(again) == HELLO


@pytest.mark.parametrize("convention", list(CONVENTIONS))
def test_a_span_says_the_same_once_its_texts_are_assembled(convention: str) -> None:
    found, fresh = (replace(CONVENTIONS[convention], turns={}) for _ in range(2))
    found.input = assemble_input(found) if found.input is None else found.input
    found.output = assemble_output(found) if found.output is None else found.output
    assert (messages(found), tool_calls(found)) == (messages(fresh), tool_calls(fresh))


def test_nothing_is_assembled_from_nothing() -> None:
    assert assemble_input(span({"gen_ai.request.model": "x"})) is None
    assert assemble_output(span({}, [event("exception", **{"exception.type": "E"})])) is None


def test_a_tools_texts_are_assembled_as_they_came() -> None:
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.id": "1"}
    events = [event("gen_ai.tool.message", content='{"x": 1}', id="1"), event("gen_ai.choice", message="done", id="1")]
    found = span(attributes, events)
    assert (assemble_input(found), assemble_output(found)) == ('{"x": 1}', "done")


def test_documents_are_assembled_as_the_output() -> None:
    attributes = {"retrieval.documents.0.document.content": "a", "retrieval.documents.0.document.metadata": '{"k":1}'}
    assert assemble_output(span(attributes)) == b'[{"content":"a","metadata":{"k":1}}]'


# --- anything at all

INDEXED = (
    "0", "0.message.role", "0.message.contents.1.x", "1.content", "0.score", "2.name",
    "0.tool_calls.0.tool_call.function",
)  # fmt: skip
KEYS = sorted(
    {source.key for source in (*INPUT, *OUTPUT) if source.key[0] != "("}
    | {"gen_ai.system_instructions", "ai.response.text", "ai.response.toolCalls", "gen_ai.retrieval.documents"}
    | {"gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.name", "session.id", "tool_response"}
    | {f"{family}.{rest}" for family in FAMILIES for rest in INDEXED}
)
WORDS = [
    "role", "content", "parts", "type", "text", "tool_call", "tool_calls", "function", "name", "id", "arguments",
    "messages", "message", "choices", "generations", "lc", "kwargs", "data", "human", "ai", "tool", "user", "assistant",
    "output", "input", "args", "documents", "metadata", "page_content", "score", "ids", "node", "timestamp", "refusal",
    "updated_at", "event.name", "gen_ai.choice", "gen_ai.user.message", "reasoning", "tool_result", "toolUse", "body",
    "function_call", "contents", "config", "system", "instructions", "candidates", "prompt", "completion", "toolCallId",
    "toolName", "value", "json", "1764000000", "2026-01-01",
]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(WORDS), below, max_size=5),
    max_leaves=14,
)
ANYTHING = VALUES | VALUES.map(json.dumps)
EVENT_NAMES = (
    "gen_ai.user.message", "gen_ai.choice", "gen_ai.tool.message", "gen_ai.content.prompt", "db.query.result",
    "gen_ai.client.inference.operation.details", "gen_ai.evaluation.result",
)  # fmt: skip
EVENT_KEYS = [
    "content", "message", "body", "gen_ai.prompt", "gen_ai.evaluation.name", "gen_ai.evaluation.score.value",
    "gen_ai.input.messages", "db.query.result.metadata",
]  # fmt: skip
EVENTS = st.lists(
    VALUES
    | st.fixed_dictionaries(
        {
            "name": st.sampled_from(EVENT_NAMES),
            "time": VALUES,
            "attributes": VALUES | st.dictionaries(st.sampled_from(EVENT_KEYS), ANYTHING),
        }
    ),
    max_size=3,
)


@examples(200)
@given(
    kind=st.sampled_from(KINDS),
    attributes=st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6),
    events=EVENTS,
    input=st.none() | st.text() | VALUES.map(json.dumps),
    output=st.none() | VALUES.map(json.dumps),
)
def test_no_garbage_raises(
    kind: str, attributes: dict[str, Any], events: list[Any], input: str | None, output: str | None
) -> None:
    found = span(attributes, events, kind=kind, input=input, output=output)
    for row in messages(found):
        assert all(
            value is None or isinstance(value, str) for value in (row.role, row.name, row.content, row.tool_call_id)
        )
        assert row.role
    for document in documents(found):
        assert document.score is None or isinstance(document.score, float)
        json.loads(document.metadata or "null")
    for call in tool_calls(found):
        json.loads(call.arguments or "null")
        assert call.result is None or isinstance(call.result, str)
    assert all(score.name and score.score_id for score in scores(found))
    filled = span(attributes, events, kind=kind)
    filled.input, filled.output = assemble_input(filled), assemble_output(filled)
    assert all(isinstance(unpacked(text), str | None) for text in (filled.input, filled.output))
    assert messages(filled) == messages(replace(filled, turns={}))


def test_deep_nesting_is_no_trouble() -> None:
    deep = "[" * 900 + "]" * 900
    assert said(span(input=deep)) == [("input", "user", deep)]
    nested = '{"input": ' * 600 + "1" + "}" * 600
    assert said(span(output=nested)) == [("output", "assistant", nested)]
    found = span({f"llm.input_messages.0.message.{'a.' * 3000}content": "x"})
    assert messages(found) == []
