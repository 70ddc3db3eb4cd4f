"""Traces that strangers wrote: an OTLP dump with a payload in every text of every span."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Attributes that become columns of the tidy tables.
_COLUMNS = (
    "feature", "session.id", "user.id", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model",
    "gen_ai.prompt.name", "gen_ai.prompt.version", "gen_ai.agent.name", "gen_ai.response.id", "error.type",
    "llm.model_name", "gen_ai.conversation.id", "langfuse.release",
)  # fmt: skip
_OPERATIONS = {"llm": "chat", "tool": "execute_tool", "retriever": "retrieval", "agent": "invoke_agent", "chain": ""}


def _value(value: Any) -> dict[str, Any]:
    return {"arrayValue": {"values": [_value(v) for v in value]}} if isinstance(value, list) else {"stringValue": value}


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _attributes(kind: str, evil: str) -> dict[str, Any]:
    nested = json.dumps({evil: {evil: [evil]}, "user": evil})
    call = {"type": "tool_call", "id": evil, "name": evil, "arguments": {evil: evil}}
    result = {"type": "tool_call_response", "id": evil, "response": evil}
    texts = [{"type": "text", "content": evil}, {"type": evil, "content": evil}]
    return {
        **dict.fromkeys(_COLUMNS, evil),
        "gen_ai.operation.name": _OPERATIONS[kind] or evil,
        "openinference.span.kind": "RETRIEVER" if kind == "retriever" else kind.upper(),
        "gen_ai.response.finish_reasons": [evil],
        "gen_ai.input.messages": json.dumps([{"role": role, "name": evil, "parts": texts} for role in ("user", evil)]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [*texts, call, result]}]),
        "gen_ai.tool.name": evil,
        "gen_ai.tool.call.id": evil,
        "gen_ai.tool.call.arguments": nested,
        "gen_ai.tool.call.result": evil,
        "langfuse.trace.tags": [evil, f"feature:{evil}"],
        "metadata": nested,
        "input.value": evil,
        "output.value": nested,
        "retrieval.documents.0.document.id": evil,
        "retrieval.documents.0.document.content": evil,
        "retrieval.documents.0.document.metadata": nested,
        evil: evil,
        f"metadata.{evil}": evil,
    }


def _span(number: int, place: int, kind: str, evil: str) -> dict[str, Any]:
    start = 1_793_577_600_000_000_000 + number * 3_600_000_000_000 + place * 1_000_000
    event = {"timeUnixNano": str(start), "name": evil, "attributes": _pairs({evil: evil, "exception.message": evil})}
    usage = [
        {"key": f"gen_ai.usage.{name}_tokens", "value": {"intValue": "100"}}
        for name in ("input", "output")
        if kind == "llm"
    ]
    cost = [{"key": "gen_ai.usage.cost", "value": {"doubleValue": 1.0}}] if kind == "llm" else []
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number * 16 + place + 1:016x}",
        "parentSpanId": f"{number * 16 + 1:016x}" if place else "",
        "name": evil,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 500_000_000),
        "attributes": [*_pairs(_attributes(kind, evil)), *usage, *cost],
        "events": [event, {**event, "name": "exception"}],
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": _pairs({evil: evil})}],
        "status": {"code": 2, "message": evil},
        "traceState": evil,
    }


def dump(payloads: Sequence[str]) -> str:
    """Write an OTLP file: a trace for each payload, with a span of each kind, and the payload in every text."""
    lines = []
    for number, evil in enumerate(payloads):
        spans = [_span(number, place, kind, evil) for place, kind in enumerate(("chain", "llm", "tool", "retriever"))]
        resource = _pairs(
            {"service.name": evil, "service.version": evil, "deployment.environment.name": evil, evil: evil}
        )
        scope = {"name": evil, "version": evil}
        batch = {"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}
        lines.append(json.dumps({"resourceSpans": [batch]}))
    return "\n".join([*lines, f"{payloads[0]} is no JSON"])
