from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.read.contents import SpanContent, ToolCall, merge_tool_calls, tool_calls
from llmlens.schema import TOOL_CALLS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection


def span(
    attributes: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    *,
    kind: str = "llm",
    name: str = "n",
    input: str | None = None,
    output: str | None = None,
) -> SpanContent:
    return SpanContent("t", "s", None, kind, name, "ok", input, output, attributes or {}, events or [])


# --- requested

PARIS = [("c1", "get_weather", '{"location":"Paris"}')]
OPENAI = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"location": "Paris"}'}}

REQUESTS: dict[str, SpanContent] = {
    "OpenTelemetry": span(
        {
            "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "tool_call", "id": "c1",'
            '"name": "get_weather",'
            '"arguments": {"location": "Paris"}}]}]'
        }
    ),
    "pydantic-ai": span(
        {
            "gen_ai.output.messages": [
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": '{"location": "Paris"}'}
                    ],
                }
            ]
        }
    ),
    "OpenTelemetry log": span(
        events=[
            {
                "name": "gen_ai.choice",
                "attributes": {"body": {"message": {"role": "assistant", "tool_calls": [OPENAI]}}},
            }
        ]
    ),
    "OpenInference": span(
        {
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "get_weather",
            "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"location": "Paris"}',
        }
    ),
    "OpenLLMetry, indexed": span(
        {
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.tool_calls.0.id": "c1",
            "gen_ai.completion.0.tool_calls.0.name": "get_weather",
            "gen_ai.completion.0.tool_calls.0.arguments": '{"location": "Paris"}',
        }
    ),
    "Vercel AI SDK 5": span(
        {
            "ai.response.text": "",
            "ai.response.toolCalls": '[{"toolCallType": "function", "toolCallId": "c1", "toolName": "get_weather",'
            '"args": "{\\"location\\": \\"Paris\\"}"}]',
        }
    ),
    "Vercel through Langfuse": span(
        output='[{"toolCallId": "c1", "toolName": "get_weather", "input": "{\\"location\\":\\"Paris\\"}"}]'
    ),
    "Langfuse": span(
        {"langfuse.observation.output": json.dumps({"role": "assistant", "content": None, "tool_calls": [OPENAI]})}
    ),
    "OpenAI": span(output=json.dumps({"choices": [{"message": {"role": "assistant", "tool_calls": [OPENAI]}}]})),
    "OpenAI responses": span(
        output=json.dumps(
            {
                "object": "response",
                "output": [
                    {
                        "type": "function_call",
                        "id": "fc",
                        "call_id": "c1",
                        "name": "get_weather",
                        "arguments": '{"location":"Paris"}',
                    }
                ],
            }
        )
    ),
    "Anthropic": span(
        output='{"role": "assistant", "content": [{"type": "text", "text": "Let me look."},'
        '{"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"location": "Paris"}}]}'
    ),
    "Bedrock": span(
        output='{"output": {"message": {"role": "assistant", "content": [{"toolUse":'
        '{"toolUseId": "c1", "name": "get_weather", "input": {"location": "Paris"}}}]}}}'
    ),
    "Gemini": span(
        output='{"candidates": [{"content": {"role": "model", "parts": [{"functionCall":'
        '{"id": "c1", "name": "get_weather", "args": {"location": "Paris"}}}]}}]}'
    ),
    "LangChain, spelled twice": span(
        output=json.dumps(
            {
                "type": "ai",
                "content": [{"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"location": "Paris"}}],
                "additional_kwargs": {"tool_calls": [OPENAI]},
                "tool_calls": [{"name": "get_weather", "args": {"location": "Paris"}, "id": "c1", "type": "tool_call"}],
            }
        )
    ),
    "Genkit": span(
        {
            "genkit:output": '{"message": {"role": "model", "content": [{"toolRequest":'
            '{"ref": "c1", "name": "get_weather", "input": {"location": "Paris"}}}]}}'
        }
    ),
    "Ollama, through Logfire": span({"response_data": {"message": {"role": "assistant", "tool_calls": [OPENAI]}}}),
    "Koog, calls as a text": span(output=json.dumps([{"role": "assistant", "content": json.dumps([OPENAI])}])),
}


@pytest.mark.parametrize("convention", REQUESTS)
def test_every_convention_asks_for_the_same_call(convention: str) -> None:
    rows = tool_calls(REQUESTS[convention])
    assert [(row.call_id, row.tool, row.arguments) for row in rows] == PARIS
    assert (rows[0].span_id, rows[0].status, rows[0].requested_by) == (None, None, "s")


def test_rows_have_the_fields_of_the_tidy_table() -> None:
    assert list(ToolCall._fields) == TOOL_CALLS.names


def test_calls_in_the_history_are_not_asked_for_again() -> None:
    history = json.dumps([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [OPENAI]}])
    assert tool_calls(span(input=history, output="done")) == []


@pytest.mark.parametrize("kind", ["agent", "chain", "span", "retriever"])
def test_only_model_calls_ask(kind: str) -> None:
    assert tool_calls(span(kind=kind, output=json.dumps({"role": "assistant", "tool_calls": [OPENAI]}))) == []


def test_arguments_that_are_no_json_become_a_json_string() -> None:
    broken = {"id": "1", "function": {"name": "f", "arguments": '{"a": '}}
    (row,) = tool_calls(span(output=json.dumps({"role": "assistant", "tool_calls": [broken]})))
    assert row.arguments == json.dumps('{"a": ')


def test_arguments_keep_the_order_of_their_names() -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": '{"b": 1, "a": "é"}'}}
    (row,) = tool_calls(span(output=json.dumps({"role": "assistant", "tool_calls": [call]})))
    assert row.arguments == '{"b":1,"a":"é"}'


def test_calls_langchain_could_not_parse_are_kept() -> None:
    message = {
        "type": "ai",
        "content": "",
        "invalid_tool_calls": [{"name": "f", "args": "{bad", "id": "1", "error": "e"}],
    }
    (row,) = tool_calls(span(output=json.dumps(message)))
    assert (row.tool, row.arguments) == ("f", '"{bad"')


# --- executed

EXECUTIONS: dict[str, SpanContent] = {
    "OpenTelemetry": span(
        {
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": '{"location": "Paris"}',
            "gen_ai.tool.call.result": "rain",
        }
    ),
    "OpenTelemetry, structured": span(
        {
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "c1",
            "gen_ai.tool.call.arguments": {"location": "Paris"},
            "gen_ai.tool.call.result": [{"type": "text", "text": "rain"}],
        }
    ),
    "OpenInference": span(
        {"tool.name": "get_weather", "tool.id": "c1", "input.value": '{"location": "Paris"}', "output.value": "rain"}
    ),
    "LangChain message": span(
        {
            "tool.name": "get_weather",
            "input.value": '{"name": "get_weather", "args": {"location": "Paris"}, "id": "c1", "type": "tool_call"}',
            "output.value": '{"type": "tool", "data": {"content": "rain", "tool_call_id": "c1"}}',
        }
    ),
    "OpenLLMetry": span(
        {
            "gen_ai.tool.name": "get_weather",
            "traceloop.entity.input": '{"input_str": "x", "inputs": {"location": "Paris"},'
            '"kwargs": {"tool_call_id": "c1"}}',
            "traceloop.entity.output": '{"output": {"lc": 1, "id": ["ToolMessage"],'
            '"kwargs": {"content": "rain", "tool_call_id": "c1"}}, "kwargs": {}}',
        }
    ),
    "LangSmith": span(
        {
            "gen_ai.tool.name": "get_weather",
            "gen_ai.prompt": '{"location":"Paris"}',
            "gen_ai.completion": '{"output": {"content": "rain", "type": "tool", "tool_call_id": "c1"}}',
        }
    ),
    "pydantic-ai": span(
        {
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.id": "c1",
            "tool_arguments": '{"location":"Paris"}',
            "tool_response": "rain",
        },
        name="running tool: get_weather",
    ),
    "Vercel AI SDK 5": span(
        {
            "ai.toolCall.name": "get_weather",
            "ai.toolCall.id": "c1",
            "ai.toolCall.args": '{"location":"Paris"}',
            "ai.toolCall.result": '"rain"',
        },
    ),
    "Google ADK": span(
        {
            "gen_ai.tool.call.id": "c1",
            "gcp.vertex.agent.tool_call_args": '{"location": "Paris"}',
            "gcp.vertex.agent.tool_response": "rain",
        },
        name="execute_tool get_weather",
    ),
    "Strands": span(
        {"gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "c1"},
        [
            {"name": "gen_ai.tool.message", "attributes": {"content": '{"location": "Paris"}', "id": "c1"}},
            {"name": "gen_ai.choice", "attributes": {"message": '[{"text": "rain"}]', "id": "c1"}},
        ],
    ),
    "Strands, events of details": span(
        {"gen_ai.tool.name": "get_weather", "gen_ai.tool.call.id": "c1"},
        [
            {
                "name": "gen_ai.client.inference.operation.details",
                "attributes": {
                    "gen_ai.input.messages": '[{"role": "tool", "parts": [{"type": "tool_call", "id": "c1",'
                    '"name": "get_weather", "arguments": {"location": "Paris"}}]}]'
                },
            },
            {
                "name": "gen_ai.client.inference.operation.details",
                "attributes": {
                    "gen_ai.output.messages": '[{"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1",'
                    '"response": [{"text": "rain"}]}]}]'
                },
            },
        ],
    ),
    "MLflow": span(
        {
            "mlflow.spanFunctionName": '"get_weather"',
            "gen_ai.tool.call.id": "c1",
            "mlflow.spanInputs": '{"location": "Paris"}',
            "mlflow.spanOutputs": '"rain"',
        }
    ),
    "Langfuse decorator": span(
        {
            "tool_call.id": "c1",
            "langfuse.observation.input": '{"args": [], "kwargs": {"location": "Paris"}}',
            "langfuse.observation.output": "rain",
        },
        name="get_weather",
    ),
    "MCP": span(
        {"tool.id": "c1"},
        name="tools/call get_weather",
        input='{"location": "Paris"}',
        output='{"content": [{"type": "text", "text": "rain"}], "isError": false}',
    ),
}


@pytest.mark.parametrize("convention", EXECUTIONS)
def test_every_convention_executes_the_same_call(convention: str) -> None:
    found = EXECUTIONS[convention]
    tool = SpanContent(
        "t", "s", None, "tool", found.name, "error", found.input, found.output, found.attributes, found.events
    )
    assert tool_calls(tool) == [ToolCall("t", "s", "c1", "get_weather", '{"location":"Paris"}', "rain", "error", None)]


def test_a_result_that_is_json_stays_as_it_came() -> None:
    (row,) = tool_calls(span({"gen_ai.tool.call.result": '{"temp": 18}'}, kind="tool"))
    assert row.result == '{"temp": 18}'


@pytest.mark.parametrize(("result", "text"), [(0, "0"), (False, "false"), ({}, "{}"), ([], "[]"), ("", None)])
def test_a_result_that_is_falsy_is_a_result(result: Any, text: str | None) -> None:
    (row,) = tool_calls(span({"gen_ai.tool.call.result": result}, kind="tool"))
    assert row.result == text


# --- merged


def asked(by: str, call_id: str | None, arguments: str = '{"x":1}', tool: str = "f", trace: str = "t") -> ToolCall:
    return ToolCall(trace, None, call_id, tool, arguments, None, None, by)


def done(at: str, call_id: str | None, arguments: str = '{"x":1}', tool: str = "f", trace: str = "t") -> ToolCall:
    return ToolCall(trace, at, call_id, tool, arguments, "r", "ok", None)


def pairs(rows: list[ToolCall]) -> list[tuple[str | None, str | None]]:
    return [(row.span_id, row.requested_by) for row in rows]


def test_a_request_and_its_execution_are_one_row() -> None:
    assert merge_tool_calls([asked("m", "1"), done("a", "1", '"wrapped"')]) == [
        ToolCall("t", "a", "1", "f", '{"x":1}', "r", "ok", "m")
    ]


def test_the_same_id_in_another_trace_is_another_call() -> None:
    rows = [asked("m", "1"), done("a", "1", trace="u")]
    assert pairs(merge_tool_calls(rows)) == [(None, "m"), ("a", None)]


def test_without_ids_equal_arguments_pair_in_order() -> None:
    rows = [
        asked("m", None, '{"x":1,"y":2}'), asked("m", None, '{"x":3}'), asked("n", None, '{"x":3}'),
        done("a", None, '{"x":3}'), done("b", None, '{"y":2,"x":1}'),
        done("c", None, '{"x":3}'), done("d", None, '{"x":9}'),
    ]  # fmt: skip
    assert pairs(merge_tool_calls(rows)) == [("a", "m"), ("b", "m"), ("c", "n"), ("d", None)]


@pytest.mark.parametrize("bare", ['"Paris"', '{"args":["Paris"],"kwargs":{}}', '{"city":"Paris"}'])
def test_names_of_arguments_may_be_missing(bare: str) -> None:
    rows = [asked("m", "1", '{"location":"Paris"}'), done("a", None, bare)]
    assert merge_tool_calls(rows) == [ToolCall("t", "a", "1", "f", '{"location":"Paris"}', "r", "ok", "m")]


def test_no_arguments_equal_empty_ones() -> None:
    rows = [asked("m", None)._replace(arguments=None), done("a", "1", "{}")]
    assert pairs(merge_tool_calls(rows)) == [("a", "m")]


def test_different_ids_never_pair() -> None:
    assert pairs(merge_tool_calls([asked("m", "1"), done("a", "2")])) == [(None, "m"), ("a", None)]


def test_an_execution_is_not_paired_with_a_later_look_alike() -> None:
    assert pairs(merge_tool_calls([done("a", None), asked("m", "1")])) == [("a", None), (None, "m")]


def test_a_call_that_is_tried_again_keeps_a_row_for_each_try() -> None:
    assert pairs(merge_tool_calls([asked("m", "1"), done("a", "1"), done("b", "1")])) == [("a", "m"), ("b", "m")]


def test_a_wrapper_does_not_ask_twice() -> None:
    rows = [asked("outer", "1"), asked("inner", "1"), done("tool", "1")]
    parents = {("t", "inner"): "outer", ("t", "tool"): "outer", ("t", "outer"): None}
    assert pairs(merge_tool_calls(rows, lambda _: parents)) == [("tool", "inner")]
    assert pairs(merge_tool_calls(rows)) == [("tool", "outer")]


def test_ids_that_start_again_with_every_answer_are_different_calls() -> None:
    rows = [asked("m", "call_0"), done("a", "call_0"), asked("n", "call_0"), done("b", "call_0")]
    parents = {("t", span): "root" for span in "manb"}
    assert pairs(merge_tool_calls(rows, lambda _: parents)) == [("a", "m"), ("b", "n")]


def test_parents_are_asked_for_where_calls_look_alike_and_nowhere_else() -> None:
    other = [row._replace(trace_id="u") for row in (asked("outer", "1"), asked("inner", "1"))]
    told: list[str] = []

    def parents(traces: Collection[str]) -> dict[tuple[str, str], str | None]:
        told.extend(traces)
        return {("u", "inner"): "outer"}

    merged = merge_tool_calls([asked("m", "1"), done("a", "1"), *other], parents)
    assert told == ["u"]
    assert pairs(merged) == [("a", "m"), (None, "inner")]


def test_a_cycle_of_parents_is_no_trouble() -> None:
    rows = [asked("a", "1"), asked("b", "1")]
    assert merge_tool_calls(rows, lambda _: {("t", "a"): "b", ("t", "b"): "a"}) == rows


@given(
    st.lists(
        st.builds(
            lambda is_request, span, call_id, arguments: (asked if is_request else done)(span, call_id, arguments),
            st.booleans(), st.sampled_from("abc"), st.none() | st.sampled_from("12"),
            st.sampled_from(['{"x":1}', "1", "{", "null"]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_every_execution_is_kept_once_and_no_request_is_invented(rows: list[ToolCall]) -> None:
    merged = merge_tool_calls(rows)
    executed = [row for row in merged if row.span_id is not None]
    assert [(row.span_id, row.call_id) for row in rows if row.span_id] == [
        (row.span_id, original.call_id)
        for row, original in zip(executed, (row for row in rows if row.span_id), strict=True)
    ]
    assert {row.requested_by for row in merged} <= {row.requested_by for row in rows} | {None}
    assert len(merged) <= len(rows)


# --- the recordings


@pytest.mark.parametrize(
    "name", ["openinference_langchain", "otel_genai_langchain", "traceloop_langchain", "langsmith_otel"]
)
def test_langchain_recordings_hold_the_same_calls(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    spans = recorded(name)
    rows = merge_tool_calls([row for one in spans for row in tool_calls(one)])
    assert [(row.call_id, row.tool, row.arguments, row.status) for row in rows] == [
        ("call_9ab23277c6d4b938f52a", "get_weather", '{"location":"Paris"}', "ok"),
        ("call_585390ce8a6961ee1c95", "broken_tool", '{"location":"Paris"}', "error"),
    ]
    assert rows[0].result == "18C rain in Paris"
    kinds = {one.span_id: one.kind for one in spans}
    assert all((kinds[row.span_id or ""], kinds[row.requested_by or ""]) == ("tool", "llm") for row in rows)


@pytest.mark.parametrize(
    ("name", "tool", "result"),
    [
        ("pydantic_ai_v5", "get_weather", "18C in Paris"),
        ("openinference_openai_agents", "get_weather", "18C in Paris"),
        ("vercel_ai_sdk7", "weather", '{"temp":18,"location":"Paris"}'),
    ],
)
def test_agent_recordings_hold_the_same_call(
    name: str, tool: str, result: str, recorded: Callable[[str], list[SpanContent]]
) -> None:
    first = merge_tool_calls([row for one in recorded(name) for row in tool_calls(one)])[0]
    assert (first.tool, first.arguments, first.result) == (tool, '{"location":"Paris"}', result)
    assert first.call_id is not None
    assert first.span_id is not None
    assert first.requested_by is not None


@pytest.mark.parametrize("name", ["openinference_openai", "otel_genai_openai_latest_span", "traceloop_openai"])
def test_openai_recordings_ask_for_the_same_calls(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    spans = recorded(name)
    rows = [row for one in spans for row in tool_calls(one)]
    parents = {(one.trace_id, one.span_id): one.parent_id for one in spans}
    assert [(row.tool, row.arguments) for row in merge_tool_calls(rows, lambda _: parents)] == [
        ("get_weather", '{"location":"Paris"}')
    ] * 3


def test_calls_are_known_without_their_contents(recorded: Callable[[str], list[SpanContent]]) -> None:
    rows = [row for one in recorded("otel_openai_v2_default") for row in tool_calls(one)]
    assert [(row.tool, row.arguments) for row in rows] == [("get_weather", None)] * 2
