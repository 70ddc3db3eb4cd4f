"""One chat message in any provider's or framework's shape -> turns.

A turn is what one speaker says or asks for at once. A message that carries results of tools gives a turn of role
`tool` for each of them, so that each keeps the id of the call it answers.

`content` is the plain text when all parts of the message are text (joined with newlines), otherwise a JSON list of its
parts as they came. Calls of tools never make it JSON: they are in `calls`. It is None when the message had none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .parts import Call, answer_of, asked_in, call_of, first, is_call, is_part, result_in, text_of_part
from .values import decode, dumps, name_of, text_of


class Turn(NamedTuple):
    """A message, normalised."""

    role: str
    content: str | None
    name: str | None = None
    tool_call_id: str | None = None
    calls: tuple[Call, ...] = ()


_USUAL = frozenset({"system", "user", "assistant", "tool"})
_ROLES = {
    "human": "user", "ai": "assistant", "model": "assistant", "function": "tool",
    "bot": "assistant", "chatbot": "assistant",
}  # fmt: skip
_LANGCHAIN = frozenset({"human", "ai", "system", "tool", "function", "chat"})
_ASKING = frozenset(
    {"tool_calls", "toolCalls", "additional_kwargs", "invalid_tool_calls", "function_call", "function_call_name"}
)
_BODIES = frozenset(
    {"content", "parts", "contents", "blocks", "tool_calls", "toolCalls", "function_call", "function_call_name"}
)
_PLAIN = frozenset({"role", "content", "parts", "finish_reason"})
_TEXT_PART = {"type", "content"}
_BARE = frozenset({"role", "name", "finish_reason", "id"})


def role_of(value: Any, default: str) -> str:
    """Normalise a role, or the class of a LangChain message."""
    if not isinstance(value, str) or not value:
        return default
    if value in _USUAL:
        return value
    role = value.lower()
    if role.endswith(("message", "messagechunk")):
        role = role.removesuffix("chunk").removesuffix("message")
    if role in {"unknown", "", "chat"}:
        return default
    return _ROLES.get(role, role)


def constructed(value: dict[str, Any]) -> dict[str, Any]:
    """Open LangChain's ways to write an object: a constructor (`lc`), or its type beside its data."""
    if "lc" in value and isinstance(inner := value.get("kwargs"), dict):
        path = value.get("id")
        return {**inner, "type": path[-1]} if isinstance(path, list) and path else inner
    if "data" in value and isinstance(inner := value["data"], dict):
        kind = value.get("type")
        return {**inner, "type": kind} if isinstance(kind, str) and kind in _LANGCHAIN else value
    return value


def message_turns(value: dict[str, Any], default: str) -> list[Turn] | None:
    """Give the turns of one message, or None when the value is not a message.

    `default` is the role of a message that does not tell.
    """
    plain = plain_turn(value)
    if plain is not None:
        return [plain]
    value = constructed(value)
    kind = value.get("type")
    if kind == "function_call" and "name" in value:
        call = call_of(value)
        return [Turn("assistant", None, calls=(call,) if call else ())]
    if kind == "function_call_output":
        return [_answer(value, None)]
    if kind == "reasoning" and "role" not in value:
        return [Turn("assistant", dumps([value]))]
    role = value.get("role")
    if isinstance(role, str):
        if _BODIES.isdisjoint(value) and not _BARE.issuperset(value):
            return None
    elif isinstance(kind, str) and "content" in value and role_of(kind, "chat") in {*_LANGCHAIN, "user", "assistant"}:
        role = kind
    else:
        return None
    return _turns(value, role_of(role, default))


def plain_turn(value: dict[str, Any]) -> Turn | None:
    """Read a message of one text, as nearly all are, without looking for all that a message may be."""
    role = value.get("role")
    if not isinstance(role, str) or role not in _USUAL or not _PLAIN.issuperset(value):
        return None
    text = value.get("content")
    if "parts" not in value:
        return Turn(role, text) if isinstance(text, str) and text[:2] != "[{" else None
    parts = value["parts"]
    if "content" in value or not isinstance(parts, list) or len(parts) != 1 or not isinstance(parts[0], dict):
        return None
    text = parts[0].get("content") if parts[0].keys() == _TEXT_PART else None
    return Turn(role, text) if isinstance(text, str) and parts[0]["type"] == "text" else None


def _turns(value: dict[str, Any], role: str) -> list[Turn]:
    name = name_of(value.get("name"))
    calls = () if _ASKING.isdisjoint(value) else tuple(_calls(value))
    tool_call_id = name_of(value.get("tool_call_id") or value.get("toolCallId"))
    if role == "tool" and tool_call_id is None:
        tool_call_id = name_of(value.get("id"))
    content = value.get("content")
    if content is None or content in ("", []):
        more = first(value, ("parts", "contents", "blocks"))
        content = content if more is None else more
    if content is None and isinstance(value.get("refusal"), str):
        content = value["refusal"]
    if isinstance(content, dict):
        if isinstance(content.get("parts"), list):
            content = content["parts"]
        elif is_part(content):
            content = [content]
    if not isinstance(content, list):
        if isinstance(content, str) and role in {"assistant", "tool"} and not calls and content[:2] == "[{":
            calls = tuple(_written_calls(content))
            if calls:
                content, role = None, "assistant"
        content = text_of(content)
        return [Turn(role, None if calls and not content else content, name, tool_call_id, calls)]
    turns = _split(content, role, name, tool_call_id)
    if calls:
        # The calls were spelled twice, as parts and beside them.
        turns = [turn._replace(calls=()) for turn in turns]
        at = next((i for i, turn in enumerate(turns) if turn.role == role), None)
        if at is None:
            turns.insert(0, Turn(role, None, name, tool_call_id, calls))
        else:
            turns[at] = turns[at]._replace(calls=calls, content=turns[at].content or None)
    return turns or [Turn(role, None, name, tool_call_id)]


def _calls(value: dict[str, Any]) -> list[Call]:
    listed = value.get("tool_calls") or value.get("toolCalls")
    if not listed and isinstance(value.get("additional_kwargs"), dict):
        listed = value["additional_kwargs"].get("tool_calls")
    listed = decode(listed)
    found = [call_of(one) for one in listed] if isinstance(listed, list) else []
    invalid = value.get("invalid_tool_calls")
    if isinstance(invalid, list):
        found += [call_of(one) for one in invalid]
    if not found and "function_call" in value:
        found = [call_of(value["function_call"])]
    if not found and "function_call_name" in value:
        arguments = value.get("function_call_arguments_json")
        found = [call_of({"name": value["function_call_name"], "arguments": arguments})]
    return [call for call in found if call is not None]


def _written_calls(content: str) -> list[Call]:
    """Read calls that were written as the text of an assistant's message."""
    listed = decode(content)
    if isinstance(listed, list) and all(is_call(one) for one in listed):
        return [call for call in map(call_of, listed) if call is not None]
    return []


def _split(parts: list[Any], role: str, name: str | None, tool_call_id: str | None) -> list[Turn]:
    if len(parts) == 1 and isinstance(parts[0], dict) and parts[0].get("type") == "text":
        text = text_of_part(parts[0])
        if text is not None:
            return [Turn(role, text, name, tool_call_id)]
    turns: list[Turn] = []
    kept: list[Any] = []
    texts: list[str] = []
    calls: list[Call] = []

    def close() -> None:
        if kept or calls:
            plain = len(texts) == len(kept)
            content = ("\n".join(texts) if plain else dumps(kept)) if kept else None
            content = None if calls and not content else content
            # Tools do not ask for calls; Koog says so of an assistant's.
            speaker = "assistant" if calls and role == "tool" else role
            turns.append(Turn(speaker, content, name, tool_call_id, tuple(calls)))
            kept.clear()
            texts.clear()
            calls.clear()

    for part in parts:
        answer = result_in(part)
        if answer is not None:
            close()
            turns.append(_answer(answer, name if role == "tool" else None))
            continue
        call = asked_in(part)
        if call is not None:
            calls.append(call)
        elif part is not None:
            kept.append(part)
            text = text_of_part(part)
            if text is not None:
                texts.append(text)
    close()
    return turns


def _answer(value: dict[str, Any], name: str | None) -> Turn:
    call_id, tool, content = answer_of(value)
    return Turn("tool", content, tool or name, call_id)
