"""What a span says, whatever the convention: its chat messages, documents, tool calls and scores.

Every function takes one `SpanContent` and gives rows of a tidy table; none raises on what a stranger wrote.
`sources` and the tables in `documents`, `tool_calls` and `scores` say where each convention keeps what, in order of
precedence: a new convention is an entry there.
"""

from .documents import documents
from .messages import messages, spoken
from .pairing import merge_tool_calls
from .rows import Document, Message, SpanContent, ToolCall
from .scores import scores
from .sources import assemble_input, assemble_output
from .tool_calls import tool_calls

__all__ = [
    "Document",
    "Message",
    "SpanContent",
    "ToolCall",
    "assemble_input",
    "assemble_output",
    "documents",
    "merge_tool_calls",
    "messages",
    "scores",
    "spoken",
    "tool_calls",
]
