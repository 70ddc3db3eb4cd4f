"""Tool calls: those a model asked for, those a tool's span executed, and both as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .rows import SpanContent, ToolCall
from .sources import tool_event, turns
from .turns import call_of, constructed, plain_text
from .values import decode, dumps, json_of, name_of

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


def tool_calls(span: SpanContent) -> list[ToolCall]:
    """Give the rows of `tool_calls` of one span.

    A tool's span gives the call it executed (`span_id`, `status`); a model call gives those its output asks for
    (`requested_by`). `merge_tool_calls` makes one of both.
    """
    if span.kind == "tool":
        return [_executed(span)]
    if span.kind != "llm":
        return []
    return [
        ToolCall(span.trace_id, None, call.call_id, call.tool, call.arguments, None, None, span.span_id)
        for turn in turns("output", span.attributes, span.events, span.output, whole=True)
        for call in turn.calls
    ]


def _executed(span: SpanContent) -> ToolCall:
    attributes = span.attributes
    arguments, asked_id = _arguments(
        _first(attributes, _ARGUMENTS) or tool_event(span.events, "gen_ai.tool.message") or span.input
    )
    result, answered_id = _result(
        _first(attributes, _RESULTS) or tool_event(span.events, "gen_ai.choice") or span.output
    )
    tool = name_of(decode(_first(attributes, _NAMES), quoted=True)) or _name(span.name)
    call_id = name_of(_first(attributes, _IDS)) or answered_id or asked_id
    return ToolCall(span.trace_id, span.span_id, call_id, tool, arguments, result, span.status, None)


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
    text = plain_text(found)
    return (value if isinstance(value, str) and text == dumps(found) else text), None


def merge_tool_calls(
    rows: Iterable[ToolCall], parents: Mapping[tuple[str, str], str | None] | None = None
) -> list[ToolCall]:
    """Make one row of a call that was asked for and executed; nothing is counted twice.

    Within a trace a request and an execution belong together when they have the same call id, or, where one of them has
    no id, the same tool and equal arguments (in order). An execution that was tried again keeps its own row.
    `parents` (parent by trace_id and span_id) tells a wrapper that repeats the call of a span below it, which is left
    out, from two calls that look alike. Without it, requests with the same id, tool and arguments are one.
    """
    traces: dict[str, list[ToolCall]] = {}
    for row in rows:
        traces.setdefault(row.trace_id, []).append(row)
    return [row for calls in traces.values() for row in _merged(calls, parents)]


def _merged(calls: list[ToolCall], parents: Mapping[tuple[str, str], str | None] | None) -> list[ToolCall]:
    asked = _distinct([call for call in calls if call.span_id is None], parents)
    done = _distinct([call for call in calls if call.span_id is not None], parents)
    by_id: dict[str, list[ToolCall]] = {}
    for call in asked:
        if call.call_id is not None:
            by_id.setdefault(call.call_id, []).append(call)
    open_calls = dict.fromkeys(map(id, asked))
    pairs: dict[int, ToolCall] = {}
    for execution in done:
        same = by_id.get(execution.call_id or "", ())
        request = next((call for call in same if id(call) in open_calls), same[-1] if same else None)
        if request is not None:
            pairs[id(execution)] = request
            open_calls.pop(id(request), None)
    waiting: dict[tuple[str | None, str | None], list[ToolCall]] = {}
    for call in asked:
        if id(call) in open_calls:
            waiting.setdefault(_likeness(call), []).append(call)
    for execution in done:
        if id(execution) not in pairs:
            alike = waiting.get(_likeness(execution), [])
            request = next((call for call in alike if call.call_id is None or execution.call_id is None), None)
            if request is not None:
                alike.remove(request)
                pairs[id(execution)] = request
                open_calls.pop(id(request), None)
    kept = {id(call) for call in done} | set(open_calls)
    return [_joined(call, pairs.get(id(call))) for call in calls if id(call) in kept]


def _joined(execution: ToolCall, request: ToolCall | None) -> ToolCall:
    if request is None:
        return execution
    return execution._replace(
        call_id=execution.call_id or request.call_id,
        tool=request.tool or execution.tool,
        # What the model wrote is the same in every convention; what the tool's span shows may be wrapped.
        arguments=request.arguments or execution.arguments,
        requested_by=request.requested_by,
    )


def _distinct(calls: list[ToolCall], parents: Mapping[tuple[str, str], str | None] | None) -> list[ToolCall]:
    """Leave out what a wrapper repeats."""
    if len(calls) < 2:
        return calls
    groups: dict[tuple[str | None, ...], list[ToolCall]] = {}
    for call in calls:
        key = (call.call_id,) if call.call_id is not None and parents is not None else (call.call_id, *_likeness(call))
        groups.setdefault(key, []).append(call)
    dropped: set[int] = set()
    for group in groups.values():
        if len(group) < 2:
            continue
        if parents is not None:
            above = {span for call in group for span in _ancestors(call, parents)}
            dropped.update(id(call) for call in group if _owner(call) in above)
        elif group[0].call_id is not None and group[0].span_id is None:
            dropped.update(map(id, group[1:]))
    return [call for call in calls if id(call) not in dropped]


def _owner(call: ToolCall) -> str | None:
    return call.span_id or call.requested_by


def _ancestors(call: ToolCall, parents: Mapping[tuple[str, str], str | None]) -> list[str]:
    above: dict[str, None] = {}
    span = _owner(call)
    while span is not None:
        span = parents.get((call.trace_id, span))
        if span is None or span in above:
            break
        above[span] = None
    return list(above)


def _likeness(call: ToolCall) -> tuple[str | None, str | None]:
    found = decode(call.arguments)
    if isinstance(found, dict):
        try:
            found = dict(sorted(found.items()))
        except TypeError:
            return call.tool, call.arguments
        return call.tool, dumps(found)
    return call.tool, call.arguments
