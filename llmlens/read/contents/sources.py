"""Where each convention keeps the messages of a span, in order of precedence.

A `Source` is one attribute, one family of indexed attributes or the events. The first one that holds messages wins, so
that messages which are spelled twice come out once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from .conversations import conversation, instructions
from .events import blocks, details, event_turns, named, written_events
from .indexed import Form, filled, indexed, layout, nested
from .rows import Keys, keys_of
from .turns import Turn, message_turns, role_of
from .values import decode, encoded, text_of, unpacked

if TYPE_CHECKING:
    from .rows import SpanContent

#: Reads what is under the key of a source: (value, role that is meant when none is given, whole) -> turns.
Reader = Callable[[Any, str, bool], list[Turn]]


@dataclass(frozen=True, slots=True)
class Source:
    """A place for messages: `key` detects it in the record of a span, `read` reads what is there."""

    key: str
    read: Reader
    indexed: bool = False


def _json(value: Any, role: str, whole: bool) -> list[Turn]:
    return conversation(value, role, whole=whole)


def _encoded(value: Any, role: str, whole: bool) -> list[Turn]:
    return conversation(value, role, whole=whole, quoted=True)


def _items(value: list[Any], role: str, _whole: bool) -> list[Turn]:
    turns: list[Turn] = []
    for item in value:
        if not isinstance(item, dict):
            turns += conversation(item, role, whole=True)
            continue
        content = item.get("content")
        if len(item) == 2 and isinstance(content, str) and content[:1] not in {"[", "{"} and "role" in item:
            turns.append(Turn(role_of(item["role"], role), content))
            continue
        message = {"role": role, **item, "content": blocks(item.get("text") if content is None else content)}
        turns += message_turns(message, role) or []
    return turns


def _texts(value: list[Any], role: str, _whole: bool) -> list[Turn]:
    texts = (item.get("text") if isinstance(item, dict) else item for item in value)
    return [Turn(role, text_of(text)) for text in texts if text not in (None, "")]


def _inputs(value: list[dict[str, Any]], _role: str, _whole: bool) -> list[Turn]:
    return event_turns(value, "input")


def _outputs(value: list[dict[str, Any]], _role: str, _whole: bool) -> list[Turn]:
    return event_turns(value, "output")


def _history(value: Any, role: str, _whole: bool) -> list[Turn]:
    turns = _all(value, role)
    return turns[: _answer_at(turns)]


def _answers(value: Any, role: str, _whole: bool) -> list[Turn]:
    turns = _all(value, role)
    return turns[_answer_at(turns) :]


def _all(value: Any, role: str) -> list[Turn]:
    """Read a whole conversation: messages, or events written as JSON."""
    turns: list[Turn] = []
    for event in written_events(value):
        one = [event]
        turns += event_turns(one, "input") or event_turns(one, "output")
    return turns or conversation(value, role)


def _answer_at(turns: list[Turn]) -> int:
    """Tell where the answer begins: at the last turn, when the assistant has it."""
    return len(turns) - 1 if turns and turns[-1].role == "assistant" else len(turns)


def _written_inputs(value: Any, _role: str, _whole: bool) -> list[Turn]:
    return event_turns(written_events(value), "input")


def _written_outputs(value: Any, _role: str, _whole: bool) -> list[Turn]:
    return event_turns(written_events(value), "output")


def _vercel(value: dict[str, Any], role: str, _whole: bool) -> list[Turn]:
    message = {"role": role, "content": value.get("text") or value.get("object"), "toolCalls": value.get("toolCalls")}
    return [turn for turn in message_turns(message, role) or [] if turn.content is not None or turn.calls]


_EVENTS = "(events)"
_TEXT = "(text)"
_VERCEL = "(ai.response)"
_VERCEL_PARTS = {"text": "ai.response.text", "object": "ai.response.object", "toolCalls": "ai.response.toolCalls"}
# Without an index these are a whole prompt or completion.
_BLOBS = frozenset({"gen_ai.prompt", "gen_ai.completion"})

INPUT: tuple[Source, ...] = (
    Source("langfuse.observation.input", _json),
    Source("gen_ai.input.messages", _json),
    Source("llm.input_messages", _items, indexed=True),
    Source("gen_ai.prompt", _items, indexed=True),
    Source("llm.prompts", _texts, indexed=True),
    Source(_EVENTS, _inputs),
    Source("ai.prompt.messages", _json),
    Source("ai.prompt", _json),
    Source("mlflow.spanInputs", _encoded),
    Source("gcp.vertex.agent.llm_request", _json),
    Source("pydantic_ai.all_messages", _history),
    Source("all_messages_events", _history),
    Source("events", _written_inputs),
    Source("request_data", _json),
    Source("gen_ai.prompt", _json),
    Source("traceloop.entity.input", _json),
    Source("haystack.component.input", _json),
    Source("genkit:input", _json),
    Source("input.value", _json),
    Source(_TEXT, _json),
)

OUTPUT: tuple[Source, ...] = (
    Source("langfuse.observation.output", _json),
    Source("gen_ai.output.messages", _json),
    Source("llm.output_messages", _items, indexed=True),
    Source("gen_ai.completion", _items, indexed=True),
    Source("llm.choices", _texts, indexed=True),
    Source(_EVENTS, _outputs),
    Source(_VERCEL, _vercel),
    Source("mlflow.spanOutputs", _encoded),
    Source("gcp.vertex.agent.llm_response", _json),
    Source("pydantic_ai.all_messages", _answers),
    Source("all_messages_events", _answers),
    Source("events", _written_outputs),
    Source("response_data", _json),
    Source("gen_ai.completion", _json),
    Source("traceloop.entity.output", _json),
    Source("haystack.component.output", _json),
    Source("genkit:output", _json),
    Source("output.value", _json),
    Source(_TEXT, _json),
)

_SOURCES = {"input": (INPUT, "user"), "output": (OUTPUT, "assistant")}


#: The role that is meant in a direction when none is given, and its sources, with the form of those that are indexed.
_Places: TypeAlias = tuple[str, list[tuple[Source, "list[Form] | None"]]]


@lru_cache(maxsize=1 << 11)
def _present(direction: str, keys: Keys) -> _Places:
    """Tell which sources there are among the keys of a span."""
    sources, role = _SOURCES[direction]
    there, names = layout(keys), {*keys.names, _EVENTS, _TEXT}
    if not names.isdisjoint(_VERCEL_PARTS.values()):
        names.add(_VERCEL)
    found: list[tuple[Source, list[Form] | None]] = []
    for source in sources:
        if source.indexed and source.key in there:
            found.append((source, there[source.key]))
        elif source.key in names and not (source.indexed and source.key in _BLOBS):
            found.append((source, None))
    return role, found


def turns(span: SpanContent, direction: str, text: str | bytes | None, *, whole: bool) -> list[Turn]:
    """Give the turns of one direction ("input" or "output") of a span from the first source that holds any.

    `text` is what was mapped already. With `whole` (a model call) a text without any message structure is one turn.
    """
    record, keys = span.attributes, span.keys
    if span.events and (said := details(span.events)):
        record = {**said, **record}
        keys = keys_of(tuple(record))
    places = _present(direction, keys)
    found = _search(places, record, span.events, text, whole=False)
    if not found and whole:
        found = _search(places, record, span.events, text, whole=True)
    if direction == "input" and "gen_ai.system_instructions" in record:
        system = instructions(record["gen_ai.system_instructions"])
        return found if any(turn.role in {"system", "developer"} for turn in found) else system + found
    return found


def _search(
    places: _Places, record: dict[str, Any], events: list[dict[str, Any]], text: str | bytes | None, *, whole: bool
) -> list[Turn]:
    role, sources = places
    tried: list[Any] = []
    for source, forms in sources:
        if forms is not None:
            value: Any = filled(forms, record)
        elif source.key == _TEXT:
            value = unpacked(text)
            value = None if value in tried else value
        elif source.key == _EVENTS:
            value = events
        elif source.key == _VERCEL:
            value = {part: record[key] for part, key in _VERCEL_PARTS.items() if key in record}
        else:
            value = record[source.key]
            if source.indexed:
                value = nested(value)
            tried.append(value)
        if value:
            found = source.read(value, role, whole)
            if found:
                return found
    return []


def assemble_input(span: SpanContent) -> str | bytes | None:
    """Give the input of a span that wrote it only as indexed attributes or events: a JSON list of messages, in UTF-8.

    A tool's arguments are given as they came. None when there is nothing.
    """
    if _is_tool(span.attributes):
        return tool_event(span.events, "gen_ai.tool.message")
    return _written(_recorded(span, "input"))


def assemble_output(span: SpanContent) -> str | bytes | None:
    """Give the output of a span that wrote it only as indexed attributes or events.

    A JSON list of messages, or of documents, in UTF-8; a tool's result is given as it came. None when there is nothing.
    """
    if _is_tool(span.attributes):
        return tool_event(span.events, "gen_ai.choice")
    written = _written(_recorded(span, "output"))
    if written is None:
        for documents in indexed(span, "reranker.output_documents", "retrieval.documents").values():
            return encoded([_decoded(document) for document in documents])
    return written


def _recorded(span: SpanContent, direction: str) -> list[Turn]:
    """Read the turns that are recorded as such; the text, which comes last, adds only where there are none."""
    found = turns(span, direction, None, whole=False)
    if found:
        span.turns[direction] = found
    return found


def _decoded(document: Any) -> Any:
    if isinstance(document, dict) and "metadata" in document:
        return {**document, "metadata": decode(document["metadata"])}
    return document


def _is_tool(attributes: dict[str, Any]) -> bool:
    return attributes.get("gen_ai.operation.name") == "execute_tool" or "gen_ai.tool.call.id" in attributes


def tool_event(events: Any, wanted: str) -> str | None:
    """Give what the event of a tool's span says: its arguments (`gen_ai.tool.message`) or result (`gen_ai.choice`)."""
    for name, said in named(events):
        if name == wanted:
            message = said.get("message")
            message = message.get("content") if isinstance(message, dict) else message
            return text_of(said.get("content") if message is None else message)
    return None


def _written(found: list[Turn]) -> bytes | None:
    said = [turn for turn in found if turn.content is not None or turn.calls or turn.tool_call_id]
    return encoded([_message(turn) for turn in said]) if said else None


def _message(turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.content is not None and turn.content[:1] == "[":
        message["content"] = blocks(turn.content)
    if turn.name:
        message["name"] = turn.name
    if turn.tool_call_id:
        message["tool_call_id"] = turn.tool_call_id
    if turn.calls:
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.tool, "arguments": call.arguments}}
            for call in turn.calls
        ]
    return message
