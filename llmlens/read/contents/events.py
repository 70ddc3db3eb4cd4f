"""Span events and log records of the GenAI conventions -> turns and attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .conversations import conversation
from .parts import is_part
from .turns import Turn, message_turns
from .values import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Events that carry one message each: direction and role.
MESSAGE_EVENTS: dict[str, tuple[str, str]] = {
    "gen_ai.system.message": ("input", "system"),
    "gen_ai.user.message": ("input", "user"),
    "gen_ai.assistant.message": ("input", "assistant"),
    "gen_ai.tool.message": ("input", "tool"),
    "gen_ai.choice": ("output", "assistant"),
}

#: Events that carry a whole prompt or completion under one attribute: direction, role and attribute.
BLOB_EVENTS: dict[str, tuple[str, str, str]] = {
    "gen_ai.content.prompt": ("input", "user", "gen_ai.prompt"),
    "gen_ai.content.completion": ("output", "assistant", "gen_ai.completion"),
}

#: The event that carries what could also be attributes of the span.
DETAILS = "gen_ai.client.inference.operation.details"


def named(events: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give name and payload of each event: its attributes, with what its body holds over them."""
    for event in events if isinstance(events, list) else ():
        if not isinstance(event, dict):
            continue
        attributes = event.get("attributes")
        attributes = attributes if isinstance(attributes, dict) else {}
        name = event.get("name") or attributes.get("event.name")
        if isinstance(name, str):
            yield name, payload(attributes)


def payload(attributes: dict[str, Any]) -> dict[str, Any]:
    """Merge the body of a log record, or Azure's `gen_ai.event.content`, over the attributes."""
    for key in ("body", "gen_ai.event.content"):
        body = decode(attributes.get(key))
        if isinstance(body, dict):
            attributes = {**attributes, **body}
        elif body is not None and "content" not in attributes:
            attributes = {**attributes, "content": body}
    return attributes


def details(events: Any) -> dict[str, Any]:
    """Give the attributes that were sent as events instead; the first spelling of each wins."""
    found: dict[str, Any] = {}
    for name, said in named(events):
        if name == DETAILS:
            for key, value in said.items():
                found.setdefault(key, value)
    return found


def event_turns(events: Any, direction: str) -> list[Turn]:
    """Give the turns of one direction that events carry, in order."""
    turns: list[Turn] = []
    for name, said in named(events):
        if name in MESSAGE_EVENTS:
            way, role = MESSAGE_EVENTS[name]
            if way == direction:
                turns += _turns(said, role)
        elif name in BLOB_EVENTS:
            way, role, key = BLOB_EVENTS[name]
            if way == direction:
                turns += conversation(said.get(key), role, whole=True)
    return turns


def written_events(value: Any) -> list[dict[str, Any]]:
    """Read events that were written into one attribute as a JSON list (older pydantic-ai)."""
    listed = decode(value)
    if not isinstance(listed, list):
        return []
    return [{"name": one.get("event.name"), "attributes": one} for one in listed if isinstance(one, dict)]


def _turns(said: dict[str, Any], role: str) -> list[Turn]:
    message = said.get("message")
    if isinstance(message, str | list):
        message = {"content": message}
    elif not isinstance(message, dict):
        message = said
    message = {"role": role, **{key: message[key] for key in _FIELDS if message.get(key) is not None}}
    message["content"] = blocks(message.get("content"))
    return message_turns(message, role) or []


_FIELDS = ("role", "content", "parts", "tool_calls", "function_call", "name", "id", "tool_call_id")


def blocks(value: Any) -> Any:
    """Read the JSON of a list of parts: events and indexed attributes hold only texts. Other texts stay texts."""
    if isinstance(value, str) and value[:2] in ("[{", '{"'):
        found = decode(value)
        parts: Iterable[Any] = found if isinstance(found, list) else [found]
        if all(is_part(part) for part in parts):
            return list(parts)
    return value
