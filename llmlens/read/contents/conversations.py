"""A value that holds a conversation somewhere inside -> its turns.

Requests and responses wrap their messages: `ENVELOPES` says under which key and how to go on, in order of precedence.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .parts import Call, call_of, is_call, is_part
from .turns import Turn, constructed, message_turns, plain_turn
from .values import decode, dumps, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

# Envelopes in envelopes; deeper is no request of any provider.
_DEEPEST = 10

# One of these is in the JSON of every message there is.
_HINT = re.compile(r'"(?:content"|parts"|tool_calls"|function_call|blocks"|generations")')


# All that a `gen_ai.choice` event says.
_CHOICE = frozenset({"index", "message", "finish_reason"})


def conversation(value: Any, role: str, *, whole: bool = False, quoted: bool = False) -> list[Turn]:
    """Give the turns in a value or in the JSON text of one; none when it holds no message.

    With `whole` (a model call) nothing is lost: bare prompts and completions are understood too, and a value that holds
    no message at all becomes one turn of `role`. `quoted` says that texts are JSON-encoded once more.
    """
    if isinstance(value, str):
        if not whole and not (value[:64].lstrip()[:1] in ("{", "[") and _HINT.search(value)):
            return []
        found = decode(value, quoted=quoted)
    else:
        found = value
    if quoted and found == "null":
        return []
    turns = _read(found, role, whole, 0)
    if not turns and whole and found not in (None, "", [], {}):
        turns = [Turn(role, found if isinstance(found, str) else text_of(value))]
    return turns or []


def instructions(value: Any) -> list[Turn]:
    """Give system instructions (a text, a part, a list of parts or a message) as one turn of role system."""
    value = decode(value)
    if isinstance(value, dict):
        value = value["parts"] if isinstance(value.get("parts"), list) else value.get("content") or [value]
    if value is None or value in ("", []):
        return []
    turns = message_turns({"role": "system", "content": value}, "system")
    return [turn._replace(role="system", calls=()) for turn in turns or [] if turn.content]


def _read(value: Any, role: str, whole: bool, depth: int) -> list[Turn] | None:
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return _read_list(value, role, whole, depth)
    if not isinstance(value, dict):
        return [Turn(role, value)] if whole and depth and isinstance(value, str) else None
    turns = message_turns(value, role)
    if turns is not None:
        return turns
    value = constructed(value)
    for key, read in ENVELOPES:
        if value.get(key) is not None:
            turns = read(value, role, whole, depth + 1)
            if turns is not None:
                return turns
    return None


def _read_list(values: list[Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    if whole and values:
        if all(is_call(one) for one in values):
            calls: list[Call] = [call for call in map(call_of, values) if call is not None]
            return [Turn(role, None, calls=tuple(calls))]
        if all(is_part(one) for one in values) and not all(message_turns(one, role) for one in values):
            return message_turns({"role": role, "content": values}, role)
    turns: list[Turn] = []
    for one in values:
        if isinstance(one, dict) and (plain := plain_turn(one)) is not None:  # as nearly all are
            turns.append(plain)
            continue
        found = _read(one, role, whole, depth + 1)
        if found is None:
            if not whole:
                return None
            found = [Turn(role, text_of(one))] if one is not None else []
        turns += found
    return turns if turns or whole else None


def _inside(key: str) -> Callable[[dict[str, Any], str, bool, int], list[Turn] | None]:
    """Make a reader that goes on with what is under `key`."""

    def read(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
        # A bare text below an envelope is a message only in the envelopes that say so.
        return None if isinstance(value[key], str) else _read(value[key], role, whole, depth)

    return read


def _text(key: str) -> Callable[[dict[str, Any], str, bool, int], list[Turn] | None]:
    """Make a reader of a bare text under `key`, for model calls."""

    def read(value: dict[str, Any], role: str, whole: bool, _depth: int) -> list[Turn] | None:
        text = value[key]
        if not whole or not isinstance(text, str):
            return None
        calls = value.get("toolCalls")
        asked = [call_of(one) for one in calls] if isinstance(calls, list) else []
        return [Turn(role, text, calls=tuple(call for call in asked if call is not None))]

    return read


def _messages(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    turns = _read(value["messages"], role, whole, depth)
    return None if turns is None else instructions(value.get("system")) + turns


def _request(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    """Read the request of OpenAI's Responses API, or whatever else has an input."""
    given = value["input"]
    turns = [Turn(role, given)] if whole and isinstance(given, str) else _inside("input")(value, role, whole, depth)
    return None if turns is None else instructions(value.get("instructions")) + turns


def _prompt(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    turns = _text("prompt")(value, role, whole, depth) or _inside("prompt")(value, role, whole, depth)
    return None if turns is None else instructions(value.get("system")) + turns


def _gemini(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    turns = _read(value["contents"], role, whole, depth)
    config = value.get("config")
    system = value.get("system_instruction") or value.get("systemInstruction")
    if system is None and isinstance(config, dict):
        system = config.get("system_instruction")
    return None if turns is None else instructions(system) + turns


def _content(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    """Read a response that is a message in all but its role: Gemini's, Anthropic's."""
    content = value["content"]
    if isinstance(content, dict):
        return _read(content, role, whole, depth)
    return message_turns({**value, "role": role}, role) if whole else None


def _message(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    """Read what holds one message; where that is a bare text, only a choice (of an event that was written as JSON)."""
    if whole and isinstance(value["message"], str) and value.keys() <= _CHOICE:
        return [Turn(role, value["message"])]
    return _inside("message")(value, role, whole, depth)


def _choices(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    return _each(value["choices"], role, whole, depth)


def _generations(value: dict[str, Any], role: str, whole: bool, depth: int) -> list[Turn] | None:
    return _each(value["generations"], role, whole, depth)


def _each(items: Any, role: str, whole: bool, depth: int) -> list[Turn] | None:
    if not isinstance(items, list) or depth > _DEEPEST:
        return None
    turns: list[Turn] = []
    for item in items:
        if isinstance(item, list):
            turns += _each(item, role, whole, depth + 1) or []
        elif isinstance(item, dict):
            found = _read(item.get("message"), role, whole, depth) if item.get("message") is not None else None
            if found is None and isinstance(item.get("text"), str):
                found = [Turn(role, item["text"])]
            turns += found if found is not None else [Turn(role, dumps(item))] if whole else []
    return turns or None


#: Where requests, responses and the states of agents keep their messages, in order of precedence.
ENVELOPES: tuple[tuple[str, Callable[[dict[str, Any], str, bool, int], list[Turn] | None]], ...] = (
    ("messages", _messages),
    ("choices", _choices),
    ("generations", _generations),
    ("candidates", _inside("candidates")),
    ("contents", _gemini),
    ("content", _content),
    ("message", _message),
    ("new_message", _inside("new_message")),
    ("output", _inside("output")),
    ("outputs", _inside("outputs")),
    ("update", _inside("update")),
    ("input", _request),
    ("inputs", _inside("inputs")),
    ("kwargs", _inside("kwargs")),
    ("response", _inside("response")),
    ("request", _inside("request")),
    ("replies", _inside("replies")),
    ("prompt", _prompt),
    ("args", _inside("args")),
    ("completion", _text("completion")),
    ("text", _text("text")),
)
