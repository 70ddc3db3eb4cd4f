"""Attributes of a span in the two conventions that the services of the shop follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import orjson

if TYPE_CHECKING:
    from .tracing import Hit, Judgement, Message, ModelCall, Span

Attributes: TypeAlias = "dict[str, str | int | float | bool | list[str]]"


@dataclass
class Event:
    """An event on a span."""

    name: str
    time_us: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """The instrumentation that writes a span."""

    name: str
    version: str


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def common(span: Span) -> Attributes:
    """Give what the application puts on every span, whatever the convention."""
    customer = span.context.customer
    metadata = {
        "tenant": customer.country.tenant,
        "region": customer.country.region,
        "country": customer.country.code,
        "channel": customer.channel,
        "language": customer.language,
    }
    attributes: Attributes = {
        "feature": span.context.feature,
        "session.id": span.context.session_id,
        "user.id": customer.id,
        "metadata": _json(metadata),
    }
    if not span.parent_id:
        attributes["tag.tags"] = [
            f"channel:{customer.channel}",
            f"tenant:{customer.country.tenant}",
            *span.context.tags,
        ]
        attributes |= {"http.request.method": "POST", "http.route": "/v1/assistant"}
        attributes["http.response.status_code"] = span.http_status or 200
    for i, reaction in enumerate(span.reactions):
        attributes |= _annotation(f"trace.annotations.{i}.annotation", reaction, reaction.by)
    if span.error_type:
        attributes["error.type"] = span.error_type
    return attributes


def common_events(span: Span) -> list[Event]:
    """Give the events that both conventions write."""
    if span.status != "error":
        return []
    return [
        Event("exception", span.end_us, {"exception.type": span.error_type, "exception.message": span.status_message})
    ]


def _annotation(prefix: str, judgement: Judgement, by: str) -> Attributes:
    attributes: Attributes = {
        f"{prefix}.name": judgement.name,
        f"{prefix}.score": judgement.value,
        f"{prefix}.label": judgement.label,
        f"{prefix}.annotator_kind": by,
    }
    if judgement.explanation:
        attributes[f"{prefix}.explanation"] = judgement.explanation
    return attributes


# OpenTelemetry GenAI


OPERATIONS = {"chain": "invoke_workflow", "agent": "invoke_agent", "llm": "chat", "tool": "execute_tool"}


def genai_scope(span: Span) -> Scope:
    """Give the instrumentation of a span in the OpenTelemetry convention."""
    if span.model and span.kind == "llm":
        return Scope(f"opentelemetry.instrumentation.genai.{span.model.provider}", "1.3b0")
    return Scope("harrowpine.assistant", span.context.release)


def genai(span: Span) -> tuple[Attributes, list[Event]]:
    """Give attributes and events after the OpenTelemetry GenAI conventions."""
    attributes: Attributes = {}
    events: list[Event] = []
    if span.kind in OPERATIONS:
        attributes["gen_ai.operation.name"] = OPERATIONS[span.kind]
    if span.kind == "chain":  # written by the application itself, as plain text
        attributes |= {"gen_ai.workflow.name": span.name, "input.value": span.input, "output.value": span.output}
    if span.kind == "agent":
        attributes["gen_ai.agent.name"] = span.name.removeprefix("invoke_agent ")
        attributes["gen_ai.input.messages"] = _json([_part_message("user", span.input)])
        attributes["gen_ai.output.messages"] = _json([_part_message("assistant", span.output)])
    if span.model:
        attributes |= _genai_usage(span.model)
        if span.kind == "llm":
            attributes |= _genai_call(span.model)
    if span.tool:
        attributes |= {
            "gen_ai.tool.name": span.tool.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": span.tool.id,
            "gen_ai.tool.call.arguments": _json(span.tool.arguments),
            "gen_ai.tool.call.result": span.output,
        }
    if span.judgement:
        attributes["openinference.span.kind"] = "EVALUATOR"
        result: Attributes = {
            "gen_ai.evaluation.name": span.judgement.name,
            "gen_ai.evaluation.score.value": span.judgement.value,
            "gen_ai.evaluation.score.label": span.judgement.label,
            "gen_ai.evaluation.explanation": span.judgement.explanation,
        }
        events.append(Event("gen_ai.evaluation.result", span.end_us, result))
    return attributes, events


def _genai_usage(call: ModelCall) -> Attributes:
    attributes: Attributes = {"gen_ai.provider.name": call.provider, "gen_ai.request.model": call.request_model}
    if call.input_tokens is not None and call.output_tokens is not None:
        attributes |= {"gen_ai.usage.input_tokens": call.input_tokens, "gen_ai.usage.output_tokens": call.output_tokens}
    if call.cache_read_tokens:
        attributes["gen_ai.usage.cache_read.input_tokens"] = call.cache_read_tokens
    if call.cache_write_tokens:
        attributes["gen_ai.usage.cache_creation.input_tokens"] = call.cache_write_tokens
    return attributes


def _genai_call(call: ModelCall) -> Attributes:
    messages = call.messages
    attributes: Attributes = {
        "server.address": f"api.{call.provider}.com",
        "gen_ai.request.temperature": call.temperature,
        "gen_ai.request.max_tokens": call.max_tokens,
        "gen_ai.request.stream": True,
        "gen_ai.prompt.name": call.prompt_name,
        "gen_ai.prompt.version": call.prompt_version,
    }
    if call.provider == "anthropic":
        attributes["gen_ai.system_instructions"] = _json([{"type": "text", "content": messages[0].text}])
        messages = messages[1:]
    attributes["gen_ai.input.messages"] = _json([_genai_message(m) for m in messages])
    if call.tools:
        attributes["gen_ai.tool.definitions"] = _json(call.tools)
    if call.reply:
        attributes |= {
            "gen_ai.response.model": call.response_model,
            "gen_ai.response.id": call.response_id,
            "gen_ai.response.finish_reasons": [call.finish_reason],
            "gen_ai.output.messages": _json([{**_genai_message(call.reply), "finish_reason": call.finish_reason}]),
        }
    if call.ttft_us is not None:
        attributes["gen_ai.response.time_to_first_chunk"] = call.ttft_us / 1_000_000
    return attributes


def _part_message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _genai_message(message: Message) -> dict[str, object]:
    parts: list[dict[str, object]] = []
    if message.call_id:
        parts.append({"type": "tool_call_response", "id": message.call_id, "response": message.text})
    elif message.text:
        parts.append({"type": "text", "content": message.text})
    parts += [{"type": "tool_call", "id": c.id, "name": c.name, "arguments": c.arguments} for c in message.calls]
    return {"role": message.role, "parts": parts}


# OpenInference


def openinference_scope(span: Span) -> Scope:
    """Give the instrumentation of a span in the OpenInference convention."""
    if span.kind in ("llm", "embedding"):
        return Scope("openinference.instrumentation.openai", "0.1.42")
    return Scope("harrowpine.search", span.context.release)


def openinference(span: Span) -> tuple[Attributes, list[Event]]:
    """Give attributes and events after the OpenInference conventions."""
    attributes: Attributes = {"openinference.span.kind": span.kind.upper()}
    events: list[Event] = []
    if span.input:
        attributes |= {"input.value": span.input, "input.mime_type": "text/plain"}
    if span.output:
        attributes |= {"output.value": span.output, "output.mime_type": "text/plain"}
    if span.model and span.kind == "embedding":
        attributes |= {
            "embedding.model_name": span.model.response_model,
            "embedding.embeddings.0.embedding.text": span.input,
            "llm.token_count.prompt": span.model.input_tokens or 0,
            "llm.token_count.total": span.model.input_tokens or 0,
        }
    elif span.model:
        attributes |= _openinference_call(span.model)
        if span.model.ttft_us is not None:
            events.append(Event("First Token Stream Event", span.start_us + span.model.ttft_us))
    if span.kind == "reranker":
        attributes |= {
            "reranker.query": span.input,
            "reranker.model_name": "bge-reranker-v2-m3",
            "reranker.top_k": len(span.hits),
        }
        attributes |= _documents("reranker.input_documents", span.candidates) | _documents(
            "reranker.output_documents", span.hits
        )
    elif span.hits:
        attributes |= _documents("retrieval.documents", span.hits)
    if span.judgement:
        attributes |= _annotation("trace.annotations.0.annotation", span.judgement, "LLM")
    return attributes, events


def _openinference_call(call: ModelCall) -> Attributes:
    parameters = {
        "model": call.request_model,
        "temperature": call.temperature,
        "max_tokens": call.max_tokens,
        "stream": True,
    }
    attributes: Attributes = {
        "llm.provider": call.provider,
        "llm.system": call.provider,
        "llm.invocation_parameters": _json(parameters),
        "llm.prompt_template.template": call.template,
        "llm.prompt_template.version": call.prompt_version,
        "prompt.id": call.prompt_name,
        "input.value": _json({"model": call.request_model, "messages": len(call.messages)}),
        "input.mime_type": "application/json",
    }
    for i, message in enumerate(call.messages):
        attributes[f"llm.input_messages.{i}.message.role"] = message.role
        attributes[f"llm.input_messages.{i}.message.content"] = message.text
    if call.reply and call.input_tokens is not None and call.output_tokens is not None:
        attributes |= {
            "llm.model_name": call.response_model,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": call.reply.text,
            "llm.finish_reason": call.finish_reason,
            "output.value": call.reply.text,
            "llm.token_count.prompt": call.input_tokens,
            "llm.token_count.completion": call.output_tokens,
            "llm.token_count.total": call.input_tokens + call.output_tokens,
        }
    return attributes


def _documents(prefix: str, hits: list[Hit]) -> Attributes:
    attributes: Attributes = {}
    for i, hit in enumerate(hits):
        attributes |= {
            f"{prefix}.{i}.document.id": hit.id,
            f"{prefix}.{i}.document.score": hit.score,
            f"{prefix}.{i}.document.content": hit.content,
            f"{prefix}.{i}.document.metadata": _json(hit.metadata),
        }
    return attributes


#: By service: the scope of a span, and its attributes and events.
CONVENTIONS = {
    "support-assistant": (genai_scope, genai),
    "kit-planner": (genai_scope, genai),
    "shop-search": (openinference_scope, openinference),
}
