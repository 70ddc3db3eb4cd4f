"""Parts of a message in any provider's or framework's shape: texts, calls of tools, and what the tools gave back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .values import json_of, name_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class Call(NamedTuple):
    """A tool call that a message asks for; `arguments` is JSON."""

    call_id: str | None
    tool: str | None
    arguments: str | None


class Answer(NamedTuple):
    """What a tool gave back; `content` is text, or JSON."""

    call_id: str | None
    tool: str | None
    content: str | None


_TEXTS = frozenset({"text", "input_text", "output_text", "summary_text", "refusal"})
_CALLS = frozenset({"tool_call", "tool_use", "tool-call", "function_call", "function"})
_RESULTS = frozenset({"tool_call_response", "tool_result", "tool-result", "function_call_output"})
_CALL_IDS = ("call_id", "toolCallId", "toolUseId", "tool_call_id", "tool_id", "id", "ref")
_RESULT_IDS = ("call_id", "toolCallId", "toolUseId", "tool_use_id", "tool_call_id", "id", "ref")
_NAMES = ("name", "toolName", "tool_name")
_ARGUMENTS = ("arguments", "args", "input")
_ANSWERS = ("response", "result", "output", "content")
# Gemini, Bedrock and Genkit say what a part is by its only key.
_CALL_KEYS = ("function_call", "functionCall", "toolUse", "toolRequest")
_RESULT_KEYS = ("function_response", "functionResponse", "toolResult", "toolResponse")


def first(value: dict[str, Any], keys: Iterable[str]) -> Any:
    """Give the first of `keys` that is there and is not None."""
    for key in keys:
        found = value.get(key)
        if found is not None:
            return found
    return None


def call_of(value: Any) -> Call | None:
    """Read a tool call in any shape: OpenAI, Anthropic, Bedrock, Gemini, LangChain, Vercel, OpenTelemetry."""
    if not isinstance(value, dict):
        return None
    function = value.get("function")
    inner = function if isinstance(function, dict) else value
    tool = name_of(first(inner, _NAMES))
    arguments = json_of(first(inner, _ARGUMENTS))
    call_id = name_of(first(value, _CALL_IDS))
    if tool is None and call_id is None:
        return None
    return Call(call_id, tool, arguments)


def is_call(value: Any) -> bool:
    """Tell whether a value on its own is a tool call, not something else that has a name."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("function"), dict):
        return "name" in value["function"]
    if "toolCallId" in value and "toolName" in value:
        return "result" not in value
    kind = value.get("type")
    return isinstance(kind, str) and kind in _CALLS and "name" in value


def is_part(value: Any) -> bool:
    """Tell whether a value is one part of a message."""
    if not isinstance(value, dict):
        return False
    kind = value.get("type")
    if isinstance(kind, str):
        return kind in _TEXTS or kind in _CALLS or kind in _RESULTS or kind in {"reasoning", "thinking", "image_url"}
    return len(value) <= 2 and any(key in value for key in ("text", *_CALL_KEYS, *_RESULT_KEYS))


def text_of_part(part: Any) -> str | None:
    """Give the text of a part that is text."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return None
    kind = part.get("type", part.get("block_type"))
    if kind in _TEXTS if isinstance(kind, str) else (kind is None and "thought" not in part):
        text = part.get("text", part.get("content", part.get("refusal")))
        if isinstance(text, dict):
            text = text.get("value")
        return text if isinstance(text, str) else None
    return None


def asked_in(part: Any) -> Call | None:
    """Read the tool call that a part is."""
    if not isinstance(part, dict):
        return None
    kind = part.get("type")
    if isinstance(kind, str):
        return call_of(part) if kind in _CALLS else None
    inner = first(part, _CALL_KEYS)
    return call_of(inner) if isinstance(inner, dict) else None


def result_in(part: Any) -> dict[str, Any] | None:
    """Give what a part tells of a tool's result."""
    if not isinstance(part, dict):
        return None
    kind = part.get("type")
    if isinstance(kind, str):
        return part if kind in _RESULTS else None
    inner = first(part, _RESULT_KEYS)
    return inner if isinstance(inner, dict) else None


def answer_of(value: dict[str, Any]) -> Answer:
    """Read what a tool gave back."""
    return Answer(name_of(first(value, _RESULT_IDS)), name_of(first(value, _NAMES)), plain_text(first(value, _ANSWERS)))


def plain_text(value: Any) -> str | None:
    """Give what a tool gave back as text: parts that are all text are joined, anything else is JSON."""
    return text_of(unwrapped(value))


def unwrapped(value: Any) -> Any:
    """Take what a tool gave back out of what it is wrapped in: a joined text, or the value itself."""
    if isinstance(value, dict):
        if value.get("type") in ("text", "json") and "value" in value:
            value = value["value"]
        elif value.keys() <= {"content", "isError", "is_error", "structuredContent", "meta", "_meta"}:
            value = value.get("content", value)
    if isinstance(value, list) and value:
        texts = [text_of_part(part) for part in value if not isinstance(part, str)]
        if texts and len(texts) == len(value) and None not in texts:
            return "\n".join(text for text in texts if text is not None)
    return value
