"""The span that is read, and the rows that come out: fields are those of the tidy tables, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from .turns import Turn


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """The names of attributes that come together: one object for equal ones, by which what follows is found quickly."""

    names: tuple[str, ...]


#: Spans of one instrumentation have the same keys.
keys_of = lru_cache(maxsize=1 << 10)(Keys)


@dataclass(slots=True)
class SpanContent:
    """All that one span says.

    `input` and `output` are the texts that were mapped already (they may hold JSON), as UTF-8 where they come from a
    store: few spans need them. `attributes` is every attribute of the span. `events` are `{"name", "time",
    "attributes"}`, log records of the span among them (a record's body is the attribute `"body"`). `links` are
    `{"trace_id", "span_id", "attributes"}`.
    `turns` are those of a direction that were read already, for the next who asks.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    kind: str
    name: str
    status: str
    input: str | bytes | None
    output: str | bytes | None
    attributes: dict[str, Any]
    events: list[dict[str, Any]]
    links: list[dict[str, Any]] = field(default_factory=list)
    turns: dict[str, list[Turn]] = field(default_factory=dict)
    _keys: Keys | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def keys(self) -> Keys:
        """The names of its attributes."""
        if self._keys is None:
            self._keys = keys_of(tuple(self.attributes))
        return self._keys


class Message(NamedTuple):
    """A row of `messages`."""

    trace_id: str
    span_id: str
    position: int
    direction: str
    role: str
    name: str | None
    content: str | None
    tool_call_id: str | None


class Document(NamedTuple):
    """A row of `documents`; `metadata` is JSON, `updated_at` an ISO time in UTC."""

    trace_id: str
    span_id: str
    rank: int
    document_id: str | None
    score: float | None
    content: str | None
    metadata: str | None
    updated_at: str | None


class ToolCall(NamedTuple):
    """A row of `tool_calls`; `arguments` is JSON."""

    trace_id: str
    span_id: str | None
    call_id: str | None
    tool: str | None
    arguments: str | None
    result: str | None
    status: str | None
    requested_by: str | None
