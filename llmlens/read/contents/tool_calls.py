"""The tool calls of a span: those a model asks for, and the one that a tool's span executed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .messages import spoken
from .parts import call_of, plain_text, unwrapped
from .rows import SpanContent, ToolCall
from .sources import tool_event, turns
from .turns import constructed
from .values import decode, dumps, json_of, name_of, text_of, unpacked

if TYPE_CHECKING:
    from .turns import Turn

#: Where a tool's span says what was called, in order of precedence.
_IDS = ("gen_ai.tool.call.id", "ai.toolCall.id", "tool_call.id", "tool.id")
_NAMES = (
    "gen_ai.tool.name", "tool.name", "ai.toolCall.name", "tool_call.function.name", "traceloop.entity.name",
    "haystack.tool.name", "mlflow.spanFunctionName",
)  # fmt: skip
_ARGUMENTS = (
    "gen_ai.tool.call.arguments", "ai.toolCall.args", "ai.toolCall.input", "tool_arguments",
    "gcp.vertex.agent.tool_call_args", "tool_call.function.arguments", "langfuse.observation.input",
    "mlflow.spanInputs", "traceloop.entity.input", "haystack.tool.input", "gen_ai.prompt", "input.value",
)  # fmt: skip
_RESULTS = (
    "gen_ai.tool.call.result", "ai.toolCall.result", "ai.toolCall.output", "tool_response",
    "gcp.vertex.agent.tool_response", "langfuse.observation.output", "mlflow.spanOutputs",
    "traceloop.entity.output", "haystack.tool.output", "gen_ai.completion", "output.value",
)  # fmt: skip

# What instrumentations put before the tool's name in the name of the span.
_PREFIXES = ("execute_tool ", "running tool: ", "tools/call ")


def tool_calls(span: SpanContent, said: tuple[list[Turn], list[Turn]] | None = None) -> list[ToolCall]:
    """Give the rows of `tool_calls` of one span.

    A tool's span gives the call it executed (`span_id`, `status`); a model call gives those its output asks for
    (`requested_by`). `pairing` makes one of both. `said` is what `spoken` gives, where it is known already.
    """
    if span.kind == "tool":
        return [_executed(span)]
    if span.kind != "llm":
        return []
    return [
        ToolCall(span.trace_id, None, call.call_id, call.tool, call.arguments, None, None, span.span_id)
        for turn in (said or spoken(span))[1]
        for call in turn.calls
    ]


def _executed(span: SpanContent) -> ToolCall:
    attributes = span.attributes
    given, gave = _first(attributes, _ARGUMENTS), _first(attributes, _RESULTS)
    if given is None:
        given = _there(tool_event(span.events, "gen_ai.tool.message"), unpacked(span.input))
    if gave is None:
        gave = _there(tool_event(span.events, "gen_ai.choice"), unpacked(span.output))
    if span.events and given is None:  # as messages in an event, which say both (Strands)
        asked = turns(span, "input", None, whole=False)
        given = next((call.arguments for turn in asked for call in turn.calls), None)
    if span.events and gave is None:
        answered = turns(span, "output", None, whole=False)
        gave = next((turn.content for turn in answered if turn.role == "tool"), None)
    arguments, asked_id = _arguments(given)
    result, answered_id = _result(gave)
    tool = name_of(decode(_first(attributes, _NAMES), quoted=True)) or _name(span.name)
    call_id = name_of(_first(attributes, _IDS)) or answered_id or asked_id
    return ToolCall(span.trace_id, span.span_id, call_id, tool, arguments, result, span.status, None)


def _there(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _first(attributes: dict[str, Any], keys: tuple[str, ...]) -> Any:
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value
    return None


def _name(name: str) -> str | None:
    for prefix in _PREFIXES:
        if name.startswith(prefix):
            return name[len(prefix) :] or None
    return name or None


def _arguments(value: Any) -> tuple[str | None, str | None]:
    """Give the arguments as JSON, and the id of the call where a framework wraps both."""
    found = decode(value, quoted=True)
    if not isinstance(found, dict):
        return json_of(value), None
    if found.get("type") == "tool_call" and "name" in found:
        call = call_of(found)
        return (call.arguments, call.call_id) if call else (None, None)
    wrapped = found.get("kwargs")
    if "inputs" in found and isinstance(wrapped, dict):  # LangChain through OpenLLMetry
        return json_of(found["inputs"] or found.get("input_str")), name_of(wrapped.get("tool_call_id"))
    if isinstance(wrapped, dict) and found.keys() == {"args", "kwargs"} and not found["args"]:  # decorated function
        return json_of(wrapped), None
    if found.keys() == {"input"} and isinstance(found["input"], dict):
        return json_of(found["input"]), None
    return dumps(found), None


def _result(value: Any) -> tuple[str | None, str | None]:
    """Give what the tool gave back, out of the message a framework puts it in, and that message's call id."""
    found = decode(value, quoted=True)
    if isinstance(found, dict) and len(found) <= 2 and isinstance(found.get("output"), dict):
        found = found["output"]
    if isinstance(found, dict):
        message = constructed(found)
        if "tool_call_id" in message and "content" in message:
            return plain_text(message["content"]), name_of(message["tool_call_id"])
    if isinstance(value, str) and not isinstance(found, dict | list):
        return found if isinstance(found, str) else value, None
    inner = unwrapped(found)
    return (value if isinstance(value, str) and inner is found else text_of(inner)), None
