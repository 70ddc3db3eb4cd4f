"""The chat messages of a span."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Message, SpanContent
from .sources import turns as turns_of

if TYPE_CHECKING:
    from .turns import Turn

# What these are given and give back is no conversation, whatever it looks like.
_SILENT = frozenset({"tool", "retriever", "reranker", "embedding", "event"})


def spoken(span: SpanContent) -> tuple[list[Turn], list[Turn]]:
    """Give the turns of the input and of the output of a span.

    A model call gives at least one turn for each of them that has a text at all; other spans only give what really is
    a message.
    """
    if span.kind in _SILENT:
        return [], []
    return _turns(span, "input", span.input), _turns(span, "output", span.output)


def _turns(span: SpanContent, direction: str, text: str | bytes | None) -> list[Turn]:
    if direction not in span.turns:
        found = turns_of(span, direction, text, whole=span.kind == "llm")
        span.turns[direction] = found
    return span.turns[direction]


def messages(span: SpanContent, said: tuple[list[Turn], list[Turn]] | None = None) -> list[Message]:
    """Give the rows of `messages`: system instructions and inputs first, then outputs.

    `said` is what `spoken` gives, where it is known already. Turns without content, calls and call id (content was not
    recorded) give no row.
    """
    rows: list[Message] = []
    trace_id, span_id = span.trace_id, span.span_id
    for direction, turns in zip(("input", "output"), said or spoken(span), strict=True):
        for role, content, name, tool_call_id, calls in turns:
            if content is None and not calls and tool_call_id is None:
                continue
            rows.append(Message(trace_id, span_id, len(rows), direction, role, name, content, tool_call_id))
    return rows
