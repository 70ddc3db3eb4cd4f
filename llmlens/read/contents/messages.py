"""The chat messages of a span."""

from __future__ import annotations

from .rows import Message, SpanContent
from .sources import turns

# What these are given and give back is no conversation, whatever it looks like.
_SILENT = frozenset({"tool", "retriever", "reranker", "embedding", "event"})


def messages(span: SpanContent) -> list[Message]:
    """Give the rows of `messages`: system instructions and inputs first, then outputs.

    A model call gives at least one message for each of input and output that has a text at all; other spans only give
    what really is a message. Messages without content, calls and call id (content was not recorded) give no row.
    """
    if span.kind in _SILENT:
        return []
    whole = span.kind == "llm"
    rows: list[Message] = []
    trace_id, span_id = span.trace_id, span.span_id
    for direction, text in (("input", span.input), ("output", span.output)):
        for turn in turns(direction, span.attributes, span.events, text, whole=whole):
            if turn.content is None and not turn.calls and turn.tool_call_id is None:
                continue
            at = len(rows)
            row = Message(trace_id, span_id, at, direction, turn.role, turn.name, turn.content, turn.tool_call_id)
            rows.append(row)
    return rows
