"""The tidy tables: each column's name, dtype, unit and meaning, as data.

Readers are checked against this, `Traces` builds its tables from it, and `llmlens.schema("spans")` prints it.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal, overload

from .callable_module import call_with
from .errors import unknown

Dtype = Literal["text", "integer", "number", "time", "json", "texts"]

#: How each dtype is stored in DuckDB. Times are UTC; "json" is a text that holds JSON; "texts" is a list of texts.
SQL_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "time": "TIMESTAMPTZ",
    "json": "VARCHAR",
    "texts": "VARCHAR[]",
}

#: The kinds a span can have, most specific first.
KINDS = (
    "llm", "embedding", "retriever", "reranker", "tool", "agent", "chain", "guardrail", "evaluator", "event", "span",
)  # fmt: skip

#: Tokens and cost count on these only: agents and chains repeat the usage of their children.
USAGE_KINDS = ("llm", "embedding", "reranker")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a tidy table."""

    name: str
    dtype: Dtype
    meaning: str
    unit: str = ""

    @property
    def sql_type(self) -> str:
        """The DuckDB type that holds this column."""
        return SQL_TYPES[self.dtype]


@dataclass(frozen=True, slots=True)
class Table:
    """One tidy table: a row is `row`; `key` identifies it."""

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        """Give the column called `name`."""
        for column in self.columns:
            if column.name == name:
                return column
        what = f"column in {self.name!r}:"
        raise unknown(what, name, self.names)

    def __repr__(self) -> str:
        """Print the table as text, one column a line."""
        width = max(len(c.name) for c in self.columns)
        lines = [f"{self.name}: a row is {self.row}"]
        for c in self.columns:
            unit = f" [{c.unit}]" if c.unit else ""
            lines.append(f"  {c.name:<{width}}  {c.dtype:<8} {c.meaning}{unit}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def row(tag: str, cells: tuple[str, ...]) -> str:
            return "<tr>" + "".join(f"<{tag} style='text-align:left'>{cell}</{tag}>" for cell in cells) + "</tr>"

        esc = html.escape
        rows = (row("td", (f"<code>{esc(c.name)}</code>", c.dtype, esc(c.unit), esc(c.meaning))) for c in self.columns)
        head = row("th", ("column", "type", "unit", "meaning"))
        title = f"<p><b>{self.name}</b>: a row is {esc(self.row)}</p>"
        return f"{title}<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _text(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning)


def _tokens(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning, "tokens")


def _count(name: str, meaning: str) -> Column:
    return Column(name, "integer", meaning)


def _seconds(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, "s")


def _usd(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, "USD")


_TRACE_ID = _text("trace_id", "the trace; 32 hex digits where it came from OpenTelemetry")
_SPAN_ID = _text("span_id", "the span within its trace; 16 hex digits where it came from OpenTelemetry")

SPANS = Table(
    "spans",
    "a span (a Langfuse observation, a LangSmith run)",
    (
        _TRACE_ID,
        _SPAN_ID,
        _text("parent_id", "span_id of the parent; NA on a root"),
        _text("session_id", "the conversation; the first one given anywhere in the trace"),
        _text("user_id", "the user; the first one given anywhere in the trace"),
        _text("name", "name of the span"),
        _text("kind", "one of " + ", ".join(KINDS)),
        _text("agent_name", "the agent that was at work (descriptive; inherited by children)"),
        _text("service", "the service that sent the span"),
        _text("environment", "deployment environment, such as production"),
        _text("release", "version of the application"),
        _text("feature", "the product feature the call belongs to"),
        Column("start", "time", "when the span started", "UTC"),
        Column("end", "time", "when it ended; NA when it never did", "UTC"),
        _seconds("duration_s", "end - start"),
        _seconds("ttft_s", "time to the first token of a streamed answer"),
        _text("status", "ok, error or unset"),
        _text("error_type", "class or code of the error"),
        _text("status_message", "what the error said"),
        _text("provider", "who served the model, such as openai or anthropic"),
        _text("model", "the model that answered, else the one that was asked for"),
        _text("request_model", "the model that was asked for"),
        _text("finish_reason", "stop, length, tool_calls, content_filter or what the provider said"),
        Column("params", "json", "parameters of the request, such as temperature"),
        _tokens("input_tokens", "tokens read, including cached ones"),
        _tokens("cache_read_tokens", "of those, read from the provider's prompt cache"),
        _tokens("cache_write_tokens", "of those, written to the provider's prompt cache"),
        _tokens("output_tokens", "tokens written, including reasoning"),
        _tokens("reasoning_tokens", "of those, reasoning"),
        _text("usage_source", "reported, estimated or missing"),
        _usd("cost_usd", "cost of the call; NA when neither reported nor priced"),
        _text("cost_source", "reported, priced or missing"),
        _text("prompt_name", "name of the managed prompt"),
        _text("prompt_version", "version of the managed prompt"),
        Column("tags", "texts", "tags of the span and its trace"),
        Column("metadata", "json", "what the application attached, as one JSON object"),
        Column("depth", "integer", "levels below the root of the tree; 0 on a root"),
        _text("convention", "the instrumentation convention that was recognised"),
        _text("source", "the file or service the span came from"),
    ),
    ("trace_id", "span_id"),
)

CONTENTS = Table(
    "contents",
    "the texts of a span",
    (
        _TRACE_ID,
        _SPAN_ID,
        _text("input", "what the span was given"),
        _text("output", "what it gave back"),
        Column("attributes", "json", "every attribute of the span, nothing dropped"),
        Column("events", "json", "events of the span: a list of {name, time in ns since the epoch, attributes}"),
        Column("links", "json", "links to other spans: a list of {trace_id, span_id, attributes}"),
        Column("resource", "json", "attributes of the resource and name and version of the scope"),
    ),
    ("trace_id", "span_id"),
)

MESSAGES = Table(
    "messages",
    "one chat message",
    (
        _TRACE_ID,
        _SPAN_ID,
        Column("position", "integer", "order within the span, inputs first"),
        _text("direction", "input or output"),
        _text("role", "system, user, assistant, tool, ..."),
        _text("name", "name of the speaker, where given"),
        _text("content", "the text; other parts of a message as JSON"),
        _text("tool_call_id", "the tool call a tool message answers"),
    ),
    ("trace_id", "span_id", "position"),
)

DOCUMENTS = Table(
    "documents",
    "a retrieved or reranked document",
    (
        _TRACE_ID,
        _SPAN_ID,
        Column("rank", "integer", "1 is the best"),
        _text("document_id", "id given by the store"),
        Column("score", "number", "score given by the store"),
        _text("content", "the text"),
        Column("metadata", "json", "what the store attached"),
        Column("updated_at", "time", "when the document was last changed, where the store says", "UTC"),
    ),
    ("trace_id", "span_id", "rank"),
)

TOOL_CALLS = Table(
    "tool_calls",
    "a tool call, asked for or executed",
    (
        _TRACE_ID,
        _text("span_id", "the span that executed the tool; NA when it was only asked for"),
        _text("call_id", "id of the call given by the model"),
        _text("tool", "name of the tool"),
        Column("arguments", "json", "arguments of the call"),
        _text("result", "what the tool gave back"),
        _text("status", "ok, error or unset of the executing span; NA when it was only asked for"),
        _text("requested_by", "span_id of the model call that asked for it"),
    ),
)

SCORES = Table(
    "scores",
    "a judgement",
    (
        _text("score_id", "id of the score"),
        _text("trace_id", "the trace that was judged"),
        _text("span_id", "the span that was judged; NA when it was the whole trace"),
        _text("session_id", "the session that was judged, where it was that"),
        _text("name", "what was judged, such as helpfulness"),
        Column("value", "number", "the number given; 1 and 0 for true and false"),
        _text("label", "the category given"),
        _text("data_type", "numeric, categorical, boolean, text or correction"),
        _text("source", "human, judge, code or user"),
        _text("author", "who or what judged"),
        _text("comment", "the explanation given"),
        _text("config_id", "the score config it follows"),
        Column("created", "time", "when it was given", "UTC"),
    ),
    ("score_id",),
)

TRACES = Table(
    "traces",
    "the rollup of a trace",
    (
        _TRACE_ID,
        _text("session_id", "the conversation"),
        _text("user_id", "the user"),
        _text("name", "name of the trace, else of its root span"),
        _text("feature", "the product feature of its root span"),
        _text("service", "service of its root span"),
        _text("environment", "deployment environment"),
        _text("release", "version of the application"),
        Column("start", "time", "start of the first span", "UTC"),
        _seconds("duration_s", "from the start of the first span to the end of the last"),
        _text("status", "error if its root or any model call failed, else the status of the root"),
        _count("n_spans", "spans"),
        _count("n_llm_calls", "model calls"),
        _count("n_tool_calls", "tool executions"),
        _count("n_errors", "spans with status error"),
        _count("max_depth", "depth of the deepest span"),
        _tokens("input_tokens", "of all model calls"),
        _tokens("cache_read_tokens", "of all model calls"),
        _tokens("output_tokens", "of all model calls"),
        _usd("cost_usd", "of all model calls whose cost is known; NA when none is"),
        _count("n_unpriced", "model calls whose cost is not known"),
        _text("url", "its page in the tool that it was read from"),
        _text("input", "what the root was given"),
        _text("output", "what the root gave back"),
    ),
    ("trace_id",),
)

SESSIONS = Table(
    "sessions",
    "the rollup of a conversation",
    (
        _text("session_id", "the conversation"),
        _text("user_id", "the user"),
        _count("n_traces", "traces"),
        _count("n_llm_calls", "model calls"),
        _count("n_errors", "spans with status error"),
        Column("start", "time", "start of the first trace", "UTC"),
        Column("end", "time", "end of the last trace", "UTC"),
        _seconds("duration_s", "end - start"),
        _tokens("input_tokens", "of all model calls"),
        _tokens("output_tokens", "of all model calls"),
        _usd("cost_usd", "of all model calls whose cost is known; NA when none is"),
    ),
    ("session_id",),
)

PROBLEMS = Table(
    "problems",
    "what the load could not take, or took with a reservation",
    (
        _text("source", "file or service"),
        Column("line", "integer", "line, frame or row in it, from 1; NA when it is about all of it"),
        _text("reason", "what was wrong"),
        Column("count", "integer", "how many rows (spans, log records, lines) this is about"),
        _text(
            "action",
            "dropped (not in the tables), repaired (in the tables, changed) or noted (in the tables as it came)",
        ),
        _text("example", "the beginning of the first one"),
    ),
)

TABLES: dict[str, Table] = {
    t.name: t
    for t in (SPANS, CONTENTS, MESSAGES, DOCUMENTS, TOOL_CALLS, SCORES, TRACES, SESSIONS, PROBLEMS)
}  # fmt: skip


@overload
def schema(table: None = None) -> list[str]: ...


@overload
def schema(table: str) -> Table: ...


def schema(table: str | None = None) -> Table | list[str]:
    """Describe a tidy table: its columns, their types, units and meaning.

    Without an argument, the names of the tables.

    >>> schema("problems").names
    ['source', 'line', 'reason', 'count', 'action', 'example']
    """
    if table is None:
        return list(TABLES)
    if not isinstance(table, str) or table not in TABLES:
        what = "table"
        raise unknown(what, str(table), TABLES)
    return TABLES[table]


call_with(__name__, schema)
