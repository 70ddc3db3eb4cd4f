"""Attribute names of every convention become the same columns; a user's own mapping comes first."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from llmlens import Traces, read_otlp
from llmlens.read.conventions_file import built_in
from llmlens.schema import TABLES
from tests.examples import examples

CHAT = {"gen_ai.operation.name": "chat"}


def values(traces: Traces, *columns: str) -> list[Any]:
    """Give columns of `spans` in order of span_id, None for what is missing; one column as a plain list."""
    frame = traces.spans.sort_values(["trace_id", "span_id"])
    listed = [[None if _missing(value) else value for value in frame[column]] for column in columns]
    return listed[0] if len(columns) == 1 else [list(row) for row in zip(*listed, strict=True)]


def first(traces: Traces) -> dict[str, Any]:
    """Give the first span as a dict without what is missing."""
    row = traces.spans.sort_values("span_id").iloc[0]
    return {str(name): value for name, value in row.items() if not _missing(value)}


def _missing(value: Any) -> bool:
    return not hasattr(value, "__len__") and bool(pd.isna(value))


def has(found: dict[str, Any], **expected: Any) -> None:
    assert {name: found.get(name) for name in expected} == expected


def each(otlp: Any, spellings: list[dict[str, Any]], column: str, common: dict[str, Any] | None = None) -> list[Any]:
    """Read one span for each of many spellings, in traces of their own, and give one column."""
    spans = [
        otlp.span({**(CHAT if common is None else common), **said}, trace=n) for n, said in enumerate(spellings, 1)
    ]
    return values(otlp.read(*spans), column)


# -------------------------------------------------------------------------------------------------------- conventions


def test_openllmetry_of_old(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span(
            {
                "gen_ai.system": "OpenAI",
                "llm.request.type": "chat",
                "gen_ai.request.model": "gpt-4o",
                "gen_ai.response.model": "gpt-4o-2024-08-06",
                "gen_ai.prompt.0.role": "system",
                "gen_ai.prompt.0.content": "Be brief.",
                "gen_ai.prompt.1.role": "user",
                "gen_ai.prompt.1.content": "Weather?",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.finish_reason": "tool_calls",
                "gen_ai.completion.0.tool_calls.0.id": "c1",
                "gen_ai.completion.0.tool_calls.0.name": "weather",
                "gen_ai.completion.0.tool_calls.0.arguments": '{"city":"Bern"}',
                "gen_ai.usage.prompt_tokens": 20,
                "gen_ai.usage.completion_tokens": 5,
                "gen_ai.usage.cache_read_input_tokens": 8,
                "llm.usage.total_tokens": 25,
                "llm.headers": "None",
                "gen_ai.request.temperature": 0.5,
                "traceloop.association.properties.session_id": "s",
                "traceloop.association.properties.user_id": "u",
                "traceloop.prompt.key": "greet",
                "traceloop.prompt.version": 3,
                "gen_ai.request.stop_sequences": [],
            }
        )
    )
    found = first(traces)
    has(found, kind="llm", provider="openai", model="gpt-4o-2024-08-06", request_model="gpt-4o", input_tokens=20)
    has(found, output_tokens=5, cache_read_tokens=8, finish_reason="tool_calls", session_id="s", user_id="u")
    has(found, prompt_name="greet", prompt_version="3", convention="openllmetry")
    assert json.loads(found["params"])["temperature"] == 0.5
    assert traces.messages[["role", "content"]].iloc[:2].to_numpy().tolist() == [
        ["system", "Be brief."],
        ["user", "Weather?"],
    ]
    (call,) = traces.tool_calls.itertuples()
    assert (call.call_id, call.tool, json.loads(call.arguments)) == ("c1", "weather", {"city": "Bern"})


def test_openllmetry_tasks_workflows_and_tools(otlp: Any) -> None:
    spans = [
        {"traceloop.span.kind": "workflow", "gen_ai.operation.name": "invoke_agent"},
        {"traceloop.span.kind": "task", "gen_ai.operation.name": "vector_db_retrieve"},
        {"traceloop.span.kind": "task"},
        {"traceloop.span.kind": "tool", "traceloop.entity.name": "t", "traceloop.entity.input": "{}"},
        {"traceloop.span.kind": "agent"},
    ]
    assert each(otlp, spans, "kind", {}) == ["chain", "retriever", "chain", "tool", "agent"]


def test_vercel_5_counts_only_what_calls_the_model(otlp: Any) -> None:
    usage = {
        "ai.usage.inputTokens": 10,
        "ai.usage.outputTokens": 4,
        "ai.usage.promptTokens": 10,
        "ai.usage.completionTokens": 4,
    }
    model = {"ai.model.id": "gpt-4o", "ai.model.provider": "openai.chat"}
    common = {
        "ai.telemetry.functionId": "answer",
        "ai.telemetry.metadata.userId": "u",
        "ai.telemetry.metadata.sessionId": "s",
        "ai.telemetry.metadata.tags": ["x", "y"],
        "ai.telemetry.metadata.plan": "pro",
    }
    traces = otlp.read(
        otlp.span({"ai.operationId": "ai.generateText", **usage, **model, **common}),
        otlp.span(
            {
                "ai.operationId": "ai.generateText.doGenerate",
                **usage,
                **model,
                **common,
                "ai.response.model": "gpt-4o-2024",
                "ai.usage.cachedInputTokens": 6,
                "ai.usage.reasoningTokens": 2,
                "ai.response.finishReason": "tool-calls",
                "ai.prompt.messages": '[{"role":"user","content":[{"type":"text","text":"hi"}]}]',
                "ai.response.text": "hello",
                "ai.settings.maxRetries": 2,
                "ai.response.msToFirstChunk": 250.5,
            },
            n=2,
            parent=1,
        ),
        otlp.span(
            {
                "ai.operationId": "ai.toolCall",
                "ai.toolCall.name": "t",
                "ai.toolCall.id": "c",
                "ai.toolCall.args": "{}",
                "ai.toolCall.result": '{"a":1}',
            },
            n=3,
            parent=1,
        ),
        otlp.span({"ai.operationId": "ai.embed", "ai.usage.tokens": 7}, n=4, parent=1),
        otlp.span({"ai.operationId": "ai.embed.doEmbed", "ai.usage.tokens": 7, "ai.model.id": "e"}, n=5, parent=4),
        otlp.span({"ai.operationId": "ai.streamObject.doStream", "ai.usage.promptTokens": 1}, n=6, parent=1),
    )
    assert values(traces, "kind") == ["chain", "llm", "tool", "chain", "embedding", "llm"]
    assert values(traces, "input_tokens") == [None, 10, None, None, 7, 1]
    assert values(traces, "convention") == ["vercel-ai"] * 6
    found = traces.spans.sort_values("span_id").iloc[1]
    expected = ["openai", "gpt-4o-2024", "gpt-4o", "tool_calls", 6, 2, 0.2505, "s", "u", "answer"]
    names = [
        "provider",
        "model",
        "request_model",
        "finish_reason",
        "cache_read_tokens",
        "reasoning_tokens",
        "ttft_s",
        "session_id",
        "user_id",
        "feature",
    ]
    assert found[names].tolist() == expected
    assert list(found["tags"]) == ["x", "y"]
    assert json.loads(found["metadata"])["plan"] == "pro"
    assert json.loads(found["params"]) == {"maxRetries": 2}
    assert traces.messages["content"].tolist() == ["hi", "hello"]
    assert traces.tool_calls["result"].tolist() == ['{"a":1}']


def test_litellm(otlp: Any) -> None:
    found = first(
        otlp.read(
            otlp.span(
                {
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.system": "openai",
                    "gen_ai.response.finish_reasons": "['stop']",
                    "llm.is_streaming": "False",
                    "gen_ai.cost.total_cost": 0.25,
                    "gen_ai.cost.input_cost": 0.1,
                    "metadata.user_api_key": "None",
                    "metadata.team": "search",
                    "gen_ai.usage.prompt_tokens": 9,
                    "gen_ai.usage.completion_tokens": 2,
                    "metadata.usage_object": '{"prompt_tokens_details":{"cached_tokens":4}}',
                    "gen_ai.agent.name": "None",
                    "llm.user": "None",
                }
            )
        )
    )
    has(
        found,
        kind="llm",
        model="gpt-4o-mini",
        finish_reason="stop",
        cost_usd=0.25,
        cost_source="reported",
        input_tokens=9,
    )
    has(found, cache_read_tokens=4, convention="litellm", agent_name=None, user_id=None)
    assert json.loads(found["metadata"])["team"] == "search"
    assert "user_api_key" not in found["metadata"]


def test_strands(otlp: Any) -> None:
    usage = {
        "gen_ai.usage.prompt_tokens": 30,
        "gen_ai.usage.input_tokens": 30,
        "gen_ai.usage.output_tokens": 6,
        "gen_ai.usage.completion_tokens": 6,
        "gen_ai.system": "strands-agents",
    }
    said = [
        ("gen_ai.user.message", 0, {"content": '[{"text":"hi"}]'}),
        ("gen_ai.choice", 1, {"message": '[{"text":"hello"}]', "finish_reason": "end_turn"}),
    ]
    traces = otlp.read(
        otlp.span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a", **usage}),
        otlp.span({"gen_ai.operation.name": "execute_event_loop_cycle", "event_loop.cycle_id": "x"}, n=2, parent=1),
        otlp.span({**CHAT, **usage, "gen_ai.server.time_to_first_token": 320}, n=3, parent=2, events=said),
    )
    assert values(traces, "kind", "input_tokens", "ttft_s") == [
        ["agent", None, None],
        ["chain", None, None],
        ["llm", 30, 0.32],
    ]
    assert values(traces, "provider") == [None] * 3
    assert traces.messages["content"].tolist() == ["hi", "hello"]
    assert values(traces, "convention")[1] == "strands"


def test_google_adk(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span(
            {
                "gcp.vertex.agent.session_id": "s",
                "gen_ai.system": "gcp.vertex.agent",
                "gen_ai.request.model": "gemini-2.5-flash",
                "gcp.vertex.agent.llm_request": '{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
                "gcp.vertex.agent.llm_response": '{"content":{"role":"model","parts":[{"text":"hello"}]}}',
                "gen_ai.response.finish_reasons": ["STOP"],
            }
        ),
        otlp.span(
            {
                "gcp.vertex.agent.tool_call_args": '{"q":1}',
                "gcp.vertex.agent.tool_response": '{"r":2}',
                "gen_ai.tool.name": "look",
                "gen_ai.operation.name": "execute_tool",
            },
            n=2,
        ),
    )
    assert values(traces, "kind", "convention", "session_id") == [
        ["llm", "google-adk", "s"],
        ["tool", "google-adk", "s"],
    ]
    assert values(traces, "finish_reason") == ["stop", None]
    assert traces.messages[["direction", "content"]].to_numpy().tolist() == [["input", "hi"], ["output", "hello"]]
    assert traces.contents.sort_values("span_id")["output"].tolist()[1] == '{"r":2}'


def test_semantic_kernel(otlp: Any) -> None:
    found = first(
        otlp.read(
            otlp.span(
                {
                    "gen_ai.operation.name": "chat.completions",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.finish_reason": "FinishReason.STOP",
                    "gen_ai.usage.prompt_tokens": 3,
                }
            )
        )
    )
    has(found, kind="llm", model="gpt-4o", input_tokens=3, convention="otel-genai", finish_reason="stop")


def test_haystack(otlp: Any) -> None:
    spans = [
        {"haystack.pipeline.metadata": "{}"},
        {"haystack.pipeline.input_data": '{"q":1}', "haystack.pipeline.output_data": '{"a":2}'},
        {
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.output": "out",
            "haystack.model": "gpt-4o",
        },
        {"haystack.component.type": "InMemoryBM25Retriever"},
        {"haystack.component.type": "SentenceTransformersTextEmbedder"},
        {"haystack.component.type": "PromptBuilder"},
        {"haystack.tool.name": "t"},
    ]
    traces = otlp.read(*(otlp.span(said, n=n) for n, said in enumerate(spans, 1)))
    assert values(traces, "kind") == ["chain", "chain", "llm", "retriever", "embedding", "chain", "tool"]
    assert set(values(traces, "convention")) == {"haystack"}
    texts = traces.contents.sort_values("span_id")
    assert texts["input"].iloc[1] == '{"q":1}'
    assert texts["output"].iloc[2] == "out"


def test_langfuse_3_says_session_user_and_tags_on_one_span_only(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span(
            {"langfuse.observation.type": "span", "langfuse.trace.name": "checkout", "langfuse.environment": "staging"}
        ),
        otlp.span(
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.model.name": "gpt-4o",
                "langfuse.observation.usage_details": '{"input":10,"input_cached_tokens":4,"output":3,"output_reasoning_tokens":2}',  # noqa: E501
                "langfuse.observation.cost_details": '{"input":0.1,"output":0.2}',
                "langfuse.observation.prompt.name": "p",
                "langfuse.observation.prompt.version": 7,
                "langfuse.observation.level": "ERROR",
                "langfuse.observation.status_message": "RateLimitError: slow down",
                "langfuse.observation.model.parameters": '{"temperature":1}',
            },
            n=2,
            parent=1,
            at=1,
        ),
        otlp.span({"session.id": "late", "user.id": "u"}, n=3, parent=1, at=3),
        otlp.span({"session.id": "s", "langfuse.trace.tags": ["vip"], "langfuse.release": "v1"}, n=4, parent=1, at=2),
    )
    assert values(traces, "session_id", "user_id", "environment", "release") == [
        ["s", "u", "staging", "v1"],
        ["s", "u", "staging", "v1"],
        ["late", "u", "staging", "v1"],
        ["s", "u", "staging", "v1"],
    ]
    assert [list(tags) for tags in traces.spans["tags"]] == [["vip"]] * 4
    assert values(traces, "feature") == ["checkout"] * 4
    assert traces.traces["name"].tolist() == ["checkout"]
    call = traces.spans.set_index("span_id").loc[f"{2:016x}"]
    assert call[["input_tokens", "cache_read_tokens", "output_tokens", "reasoning_tokens"]].tolist() == [14, 4, 5, 2]
    assert call["cost_usd"] == pytest.approx(0.3)
    assert call[["status", "error_type", "prompt_name", "prompt_version"]].tolist() == [
        "error",
        "RateLimitError",
        "p",
        "7",
    ]


def test_langfuse_5_quotes_its_texts(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span(
            {
                "langfuse.observation.type": "generation",
                "langfuse.trace.metadata.tenant": '"acme"',
                "langfuse.trace.metadata.feature": '"refunds"',
                "langfuse.observation.metadata.n": "1",
                "langfuse.observation.completion_start_time": '"2026-09-21T13:33:20.250000Z"',
            },
            startTimeUnixNano="1789997600000000000",
        )
    )
    found = first(traces)
    assert json.loads(found["metadata"])["tenant"] == "acme"
    has(found, feature="refunds", ttft_s=0.25)


def test_mlflow_quotes_every_value(otlp: Any) -> None:
    traces = otlp.read(
        otlp.span(
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.llm.model": '"gpt-4o"',
                "mlflow.llm.provider": '"openai"',
                "mlflow.chat.tokenUsage": '{"input_tokens":5,"output_tokens":2,"cache_read_input_tokens":1}',
                "mlflow.spanOutputs": "null",
                "mlflow.llm.cost": '{"total_cost":0.5}',
                "mlflow.trace.session": '"s"',
                "mlflow.trace.user": '"u"',
                "mlflow.traceName": '"t"',
            }
        )
    )
    found = first(traces)
    has(
        found,
        kind="llm",
        model="gpt-4o",
        provider="openai",
        input_tokens=5,
        output_tokens=2,
        cache_read_tokens=1,
        cost_usd=0.5,
    )
    has(found, session_id="s", user_id="u", feature="t", convention="mlflow")
    assert traces.contents["output"].isna().all()


def test_langsmith(otlp: Any) -> None:
    found = first(
        otlp.read(
            otlp.span(
                {
                    "langsmith.span.kind": "llm",
                    "gen_ai.operation.name": "chat",
                    "langsmith.metadata.ls_provider": "google_genai",
                    "langsmith.metadata.ls_model_name": "gemini-2.5-pro",
                    "langsmith.span.tags": "a, b,feature:search",
                    "langsmith.trace.name": "t",
                    "langsmith.metadata.thread_id": "s",
                    "gen_ai.system": "langchain",
                    "langsmith.metadata.usage_metadata": '{"input_tokens":8,"output_tokens":3,"input_token_details":{"cache_read":5}}',  # noqa: E501
                }
            )
        )
    )
    has(
        found,
        kind="llm",
        provider="gcp.gemini",
        model="gemini-2.5-pro",
        session_id="s",
        input_tokens=8,
        feature="search",
    )
    assert "cache_read_tokens" not in found
    assert sorted(found["tags"]) == ["a", "b", "feature:search"]


def test_openinference(otlp: Any) -> None:
    found = first(
        otlp.read(
            otlp.span(
                {
                    "openinference.span.kind": "LLM",
                    "llm.model_name": "claude",
                    "llm.provider": "anthropic",
                    "llm.token_count.prompt": 9,
                    "llm.token_count.completion": 4,
                    "llm.token_count.prompt_details.cache_write": 2,
                    "llm.cost.total": 0.125,
                    "llm.token_count.completion_details.reasoning": 1,
                    "llm.invocation_parameters": '{"model":"claude-x","temperature":0}',
                    "metadata": '{"tenant":"acme","feature":"search","thread_id":"s"}',
                    "tag.tags": ["b", "a"],
                    "prompt.id": "p",
                    "llm.prompt_template.version": "2",
                    "llm.finish_reason": "max_tokens",
                    "agent.name": "planner",
                }
            ),
            resource={"openinference.project.name": "shop", "deployment.environment": "prod", "service.version": "9"},
        )
    )
    has(
        found,
        kind="llm",
        model="claude",
        request_model="claude-x",
        provider="anthropic",
        input_tokens=9,
        output_tokens=4,
    )
    has(
        found,
        cache_write_tokens=2,
        reasoning_tokens=1,
        cost_usd=0.125,
        feature="search",
        session_id="s",
        finish_reason="length",
    )
    has(
        found,
        prompt_name="p",
        prompt_version="2",
        agent_name="planner",
        service="shop",
        environment="prod",
        release="9",
    )
    assert json.loads(found["metadata"])["tenant"] == "acme"


# ------------------------------------------------------------------------------------------------ spellings of a column


def test_every_spelling_of_the_time_to_the_first_token_is_in_seconds(otlp: Any) -> None:
    at = "2026-09-21T14:13:20.25Z"
    spellings: list[dict[str, Any]] = [
        {"gen_ai.response.time_to_first_chunk": 0.25},
        {"gen_ai.client.operation.time_to_first_chunk": 0.25},
        {"gen_ai.server.time_to_first_token": 250},
        {"gen_ai.server.time_to_first_token": 0.25},
        {"ai.response.msToFirstChunk": 250},
        {"ai.stream.msToFirstChunk": 250.0},
        {"langfuse.observation.completion_start_time": at},
        {"langfuse.observation.completion_start_time": json.dumps(at)},
        {"langfuse.observation.completion_start_time": at.replace("Z", "")},
    ]
    events = [
        "First Token Stream Event",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
        "mlflow.chunk.item.0",
    ]
    spans = [otlp.span({**CHAT, **said}, n=n) for n, said in enumerate(spellings, 1)]
    spans += [
        otlp.span(CHAT, n=n, events=[(name, 0.25, {}), (name, 0.5, {})])
        for n, name in enumerate(events, len(spans) + 1)
    ]
    assert otlp.start == 1_790_000_000 * 10**9
    assert values(otlp.read(*spans), "ttft_s") == pytest.approx([0.25] * 13)


def test_a_whole_number_of_seconds_is_not_taken_for_milliseconds(otlp: Any) -> None:
    spellings = [
        {"gen_ai.server.time_to_first_token": value} for value in (1.0, 1, 1e-05, -1, "nonsense", float("nan"))
    ]
    assert each(otlp, spellings, "ttft_s") == [1.0, 0.001, 1e-05, None, None, None]


@pytest.mark.parametrize(
    ("column", "names"),
    [
        (
            "cache_read_tokens",
            [
                "gen_ai.usage.cache_read.input_tokens",
                "gen_ai.usage.cache_read_input_tokens",
                "llm.token_count.prompt_details.cache_read",
                "ai.usage.cachedInputTokens",
                "gen_ai.usage.details.cache_read_tokens",
            ],
        ),
        (
            "cache_write_tokens",
            [
                "gen_ai.usage.cache_write.input_tokens",
                "gen_ai.usage.cache_creation.input_tokens",
                "gen_ai.usage.cache_creation_input_tokens",
                "gen_ai.usage.cache_write_input_tokens",
                "llm.token_count.prompt_details.cache_write",
                "gen_ai.usage.details.cache_write_tokens",
            ],
        ),
        (
            "reasoning_tokens",
            [
                "gen_ai.usage.reasoning.output_tokens",
                "gen_ai.usage.reasoning_tokens",
                "ai.usage.reasoningTokens",
                "llm.token_count.completion_details.reasoning",
                "gen_ai.usage.details.reasoning_tokens",
            ],
        ),
        (
            "input_tokens",
            [
                "gen_ai.usage.input_tokens",
                "gen_ai.usage.prompt_tokens",
                "llm.token_count.prompt",
                "ai.usage.inputTokens",
                "ai.usage.promptTokens",
                "llm.usage.prompt_tokens",
            ],
        ),
        (
            "output_tokens",
            [
                "gen_ai.usage.output_tokens",
                "gen_ai.usage.completion_tokens",
                "llm.token_count.completion",
                "ai.usage.outputTokens",
                "ai.usage.completionTokens",
                "llm.usage.completion_tokens",
            ],
        ),
        (
            "cost_usd",
            [
                "llm.cost.total",
                "gen_ai.usage.cost",
                "operation.cost",
                "gen_ai.cost.total_cost",
                "mlflow.llm.cost.total_cost",
            ],
        ),
    ],
)
def test_spellings_of_counts_and_costs_are_read_once_and_never_added(otlp: Any, column: str, names: list[str]) -> None:
    spellings: list[dict[str, Any]] = (
        [{name: 7} for name in names] + [{name: "7"} for name in names] + [dict.fromkeys(names, 7)]
    )
    assert each(otlp, spellings, column) == [7] * len(spellings)
    assert each(otlp, [{names[0]: 7}], column, {"gen_ai.operation.name": "invoke_agent"}) == [None]


def test_langfuse_usage_is_inclusive_in_the_tables(otlp: Any) -> None:
    usage = [
        {"input": 10, "output": 5},
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        {"input_tokens": 10, "output_tokens": 5},
        {"input": 4, "input_cached_tokens": 6, "output": 3, "output_reasoning": 2},
        {"input": 7, "input_cache_creation_5m": 3, "output": 5, "total": 15},
    ]
    spans = [
        otlp.span(
            {"langfuse.observation.type": "generation", "langfuse.observation.usage_details": json.dumps(said)}, n=n
        )
        for n, said in enumerate(usage, 1)
    ]
    found = values(
        otlp.read(*spans),
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    )
    assert [row[:2] for row in found] == [[10, 5]] * 5
    assert [row[2:] for row in found[3:]] == [[6, None, 2], [None, 3, None]]


def test_providers_have_one_name(otlp: Any) -> None:
    names = [
        "openai",
        "OpenAI",
        "openai.chat",
        "openai.responses",
        "az.ai.openai",
        "azure",
        "gemini",
        "google.generative-ai",
        "vertex_ai",
        "xai",
        "mistralai",
        "AWS",
        "amazon-bedrock",
        "anthropic.messages",
        "Anthropic",
        "acme",
        "Langchain",
        "None",
    ]
    expected = ["openai"] * 4 + ["azure.ai.openai"] * 2 + ["gcp.gemini"] * 2 + ["gcp.vertex_ai", "x_ai", "mistral_ai"]
    expected += ["aws.bedrock"] * 2 + ["anthropic"] * 2 + ["acme"]
    assert each(otlp, [{"gen_ai.system": name} for name in names], "provider") == [*expected, None, None]


def test_finish_reasons_have_one_name(otlp: Any) -> None:
    given_: list[Any] = [
        ["stop"],
        "stop",
        '["stop"]',
        "['stop']",
        "STOP",
        "end_turn",
        ["tool_call"],
        "tool_use",
        "tool-calls",
        "max_tokens",
        "SAFETY",
        "odd",
        [],
        "[]",
        "None",
        "",
    ]
    expected = ["stop"] * 6 + ["tool_calls"] * 3 + ["length", "content_filter", "odd"] + [None] * 4
    assert each(otlp, [{"gen_ai.response.finish_reasons": reason} for reason in given_], "finish_reason") == expected
    said = '[{"role":"assistant","parts":[],"finish_reason":"tool_call"}]'
    assert each(otlp, [{"gen_ai.output.messages": said}], "finish_reason") == ["tool_calls"]


def test_errors_have_a_type_wherever_it_is_said(otlp: Any) -> None:
    raised = [("exception", 0, {"exception.type": "openai.RateLimitError", "exception.message": "slow down"})]
    traces = otlp.read(
        otlp.span({"error.type": "429"}, status={"code": 2}, events=raised),
        otlp.span(n=2, status={"code": 2}, events=raised),
        otlp.span(n=3, status={"code": 2, "message": "ValueError: no"}),
        otlp.span(n=4, status={"code": 2, "message": "it failed"}),
        otlp.span({"error.type": "x"}, n=5, status={"code": 1, "message": "fine"}),
        otlp.span(n=6),
    )
    assert values(traces, "status", "error_type", "status_message") == [
        ["error", "429", "slow down"],
        ["error", "openai.RateLimitError", "slow down"],
        ["error", "ValueError", "ValueError: no"],
        ["error", None, "it failed"],
        ["ok", None, None],
        ["unset", None, None],
    ]


def test_tags_and_metadata_of_all_places_are_put_together(otlp: Any) -> None:
    found = first(
        otlp.read(
            otlp.span(
                {
                    "langfuse.trace.tags": ["a", "None", "b"],
                    "tag.tags": '["b","c"]',
                    "langsmith.span.tags": "d, a",
                    "ai.telemetry.metadata.tags": "None",
                    "metadata": '{"x":1,"y":{"z":[null]}}',
                    "langfuse.observation.metadata.x": 2,
                    "traceloop.association.properties.t": "acme",
                    "metadata.empty": "",
                }
            )
        )
    )
    assert list(found["tags"]) == ["a", "b", "c", "d"]
    metadata = json.loads(found["metadata"])
    assert (metadata["x"], metadata["y"], metadata["t"], "empty" in metadata) == (1, {"z": [None]}, "acme", False)


def test_the_feature_is_found_wherever_it_is_said(otlp: Any) -> None:
    spellings: list[dict[str, Any]] = [
        {"feature": "f"},
        {"product.feature": "f"},
        {"acme.feature": "f"},
        {"metadata": '{"feature":"f"}'},
        {"langfuse.trace.metadata.feature": '"f"'},
        {"tag.tags": ["no-feature:x", "feature:f"]},
        {"langfuse.trace.tags": '["feature: f"]'},
        {"langsmith.span.tags": "a,feature:f"},
        {"langfuse.trace.name": "f"},
        {"feature": "None", "x.feature": "", "langfuse.trace.name": "f"},
    ]
    assert each(otlp, spellings, "feature") == ["f"] * 10
    traces = otlp.read(
        otlp.span(name="root", n=2), otlp.span({"feature": "g"}, n=3, parent=2), otlp.span(n=4, parent=2)
    )
    assert values(traces, "feature") == ["g", "g", "g"]
    assert values(otlp.read(otlp.span(name="root"), otlp.span(n=2, parent=1)), "feature") == ["root", "root"]


def test_the_feature_can_be_an_attribute_of_the_users_or_a_function(otlp: Any) -> None:
    spans = [
        otlp.span({"feature": "a", "acme.part": "b", "acme.id": 12}, name="n"),
        otlp.span({"acme.part": 5}, n=2, trace=2),
    ]
    assert values(otlp.read(*spans, feature="acme.part"), "feature") == ["b", "5"]
    assert values(otlp.read(*spans, feature="acme.of.resource", resource={"acme.of.resource": "r"}), "feature") == [
        "r",
        "r",
    ]
    assert values(otlp.read(*spans, feature=lambda a: a["name"] if "acme.id" in a else None), "feature") == [
        "n",
        "span 2",
    ]
    assert values(otlp.read(*spans, feature=lambda a: a.get("acme.id")), "feature")[0] == "12"


def test_usage_of_agents_and_chains_is_not_counted_and_prices_are_computed(otlp: Any) -> None:
    usage = {
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 0,
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.system": "openai",
    }
    traces = otlp.read(
        otlp.span({"gen_ai.operation.name": "invoke_agent", **usage, "gen_ai.usage.cost": 5}),
        otlp.span({**CHAT, **usage}, n=2, parent=1),
        otlp.span({**CHAT, **usage, "gen_ai.usage.cost": 0.5}, n=3, parent=1),
        otlp.span({**CHAT, "gen_ai.request.model": "gpt-4o"}, n=4, parent=1),
        prices={"gpt-4o": {"input_mtok": 3.0, "output_mtok": 4.0}},
    )
    assert values(traces, "input_tokens", "cost_usd", "cost_source", "usage_source") == [
        [None, None, None, None],
        [1_000_000, 3.0, "priced", "reported"],
        [1_000_000, 0.5, "reported", "reported"],
        [None, None, "missing", "missing"],
    ]
    assert traces.traces["cost_usd"].tolist() == [3.5]


def test_cached_tokens_in_keys_of_the_callers_own_are_not_read_but_counted(otlp: Any) -> None:
    said = '{"prompt_tokens":10,"prompt_tokens_details":{"cached_tokens":4}}'
    traces = otlp.read(
        otlp.span(),
        otlp.span({"langfuse.observation.type": "generation", "langfuse.observation.usage_details": said}, n=2),
    )
    assert values(traces, "cache_read_tokens") == [None, None]
    (problem,) = traces.problems[traces.problems["reason"].str.contains("cached tokens")].itertuples()
    assert (problem.line, problem.count, problem.action) == (2, 1, "noted")


def test_nothing_reads_as_none(otlp: Any) -> None:
    names = {
        s.attribute
        for sources in built_in().columns.values()
        for s in sources
        if s.attribute and "*" not in s.attribute
    }
    for text in ("None", "", "null"):
        traces = otlp.read(otlp.span(dict.fromkeys(names, text), name="s", status={"code": 2, "message": text}))
        found = {name: value for name, value in first(traces).items() if value in ("None", "", "null")}
        assert found == {}


# --------------------------------------------------------------------------------------------- any value under any name


def _known_names() -> list[str]:
    mapping = built_in()
    names = {s.attribute for sources in mapping.columns.values() for s in sources} | {
        rule.attribute for rule in mapping.kinds
    }
    return sorted(name.replace("*", "x") for name in names if name)


_LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(
        ["[", "{", '"', "{}", "[]", '{"input":1}', '{"a":"b"}', '[{"role":"user"}]', "None", "NaN", "2026-01-01"]
    )
)
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.\"'", max_size=3), inner, max_size=3),
    max_leaves=5,
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(_known_names()) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6), _VALUE, max_size=12
)


def test_any_value_under_any_known_name_is_kept_and_nothing_raises(otlp: Any) -> None:
    @examples(5, suppress_health_check=list(HealthCheck))
    @given(st.lists(_ATTRIBUTES, min_size=10, max_size=40))
    def check(all_attributes: list[dict[str, Any]]) -> None:
        path = otlp.write("any.jsonl", *(otlp.line(otlp.span(said, n=n)) for n, said in enumerate(all_attributes, 1)))
        traces = read_otlp(path)
        for table in TABLES:
            getattr(traces, table)
        kept = [json.loads(text) for text in traces.contents.sort_values("span_id")["attributes"]]
        assert kept == [spelled(said) for said in all_attributes]

    check()


def spelled(value: Any) -> Any:
    if isinstance(value, float) and value != value:  # noqa: PLR0124
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [spelled(one) for one in value]
    if isinstance(value, dict):
        return {key: spelled(one) for key, one in value.items()}
    return value


def test_a_mapping_of_ones_own_extends_and_precedes_the_built_in_one(otlp: Any) -> None:
    mine = otlp.write(
        "mine.toml",
        """
        columns.model = ["acme.model"]
        columns.session_id = { attribute = "acme.json", path = "$.session" }
        columns.ttft_s = { attribute = "acme.ms", scale = 0.001 }
        columns.user_id = { resource = "acme.user" }
        columns.input = ["acme.asked"]
        columns.metadata = { attribute = "acme.meta.*", as = "object" }
        columns.tags = { attribute = "acme.tags", as = "texts" }
        columns.agent_name = { event = "acme.event", attribute = "who" }
        values.provider = { OpenAI = "acme" }
        [[kind]]
        attribute = "acme.kind"
        values = { Call = "llm" }
        [[kind]]
        attribute = "acme.path"
        patterns = [["^/tool/", "tool"]]
        [[convention]]
        name = "acme"
        attribute = "acme.*"
    """,
    )
    traces = otlp.read(
        otlp.span(
            {
                "acme.kind": "CALL",
                "acme.model": "m",
                "gen_ai.response.model": "other",
                "acme.json": '{"session":"s"}',
                "acme.ms": 500,
                "acme.asked": "q",
                "input.value": "other",
                "acme.meta.k": "v",
                "metadata": '{"w":1}',
                "acme.tags": "a,b",
                "gen_ai.system": "openai",
                "gen_ai.operation.name": "invoke_agent",
            },
            events=[("acme.event", 0, {"who": "me"})],
        ),
        otlp.span({"acme.path": "/tool/x", "gen_ai.response.model": "other"}, n=2, at=1),
        conventions=mine,
        resource={"acme.user": "u"},
    )
    found = first(traces)
    has(
        found,
        kind="llm",
        model="m",
        session_id="s",
        ttft_s=0.5,
        user_id="u",
        provider="acme",
        convention="acme",
        agent_name="me",
    )
    assert json.loads(found["metadata"]) == {"k": "v", "w": 1}
    assert list(found["tags"]) == ["a", "b"]
    assert traces.contents.sort_values("span_id")["input"].iloc[0] == "q"
    assert values(traces, "kind") == ["llm", "tool"]
    assert values(traces, "model")[1] == "other"
