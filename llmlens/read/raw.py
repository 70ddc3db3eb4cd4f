"""The one shape that every dialect decodes to, before any meaning is read into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

#: What OTLP can carry in an attribute, as plain Python.
Value: TypeAlias = "str | int | float | bool | list[Any] | dict[str, Any] | None"


@dataclass(slots=True)
class RawEvent:
    """An event on a span: `time_ns` is nanoseconds since the epoch, or None."""

    name: str
    time_ns: int | None
    attributes: dict[str, Value]


@dataclass(slots=True)
class RawLink:
    """A link from a span to another one."""

    trace_id: str
    span_id: str
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class Origin:
    """What all spans of one batch share: the resource, and the scope that made them."""

    resource: dict[str, Value] = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""
    scope_attributes: dict[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class RawSpan:
    """A span as its producer wrote it: ids as lower-case hex, times in ns since the epoch, attributes as a flat dict.

    `status` is OpenTelemetry's number: 0 unset, 1 ok, 2 error.
    Without a `span_id` it is no span but what is known of the trace as a whole; see trace_rows.py.
    `line` is the line, frame or item of its source, counted from 1.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_ns: int | None
    end_ns: int | None
    status: int
    status_message: str | None
    attributes: dict[str, Value]
    events: list[RawEvent]
    links: list[RawLink]
    origin: Origin
    line: int


@dataclass(slots=True)
class RawLog:
    """A log record that belongs to a span: GenAI instrumentations put the content of messages there."""

    trace_id: str
    span_id: str
    name: str
    time_ns: int | None
    attributes: dict[str, Value]
    body: Value
    line: int


@dataclass(slots=True)
class RawScore:
    """A judgement found beside or inside the spans; the fields are those of the `scores` table, `created_ns` in ns."""

    trace_id: str | None
    span_id: str | None
    name: str
    value: float | None = None
    label: str | None = None
    source: str | None = None
    author: str | None = None
    comment: str | None = None
    score_id: str | None = None
    session_id: str | None = None
    config_id: str | None = None
    created_ns: int | None = None
    data_type: str | None = None


@dataclass(slots=True)
class Problem:
    """Something the load could not take as it is; the fields are those of the `problems` table.

    `action` is "dropped" (not in the tables), "repaired" (there, but changed) or "noted" (there, as it came).
    """

    line: int | None
    reason: str
    example: str = ""
    count: int = 1
    action: str = "dropped"


#: What a dialect yields.
Raw: TypeAlias = RawSpan | RawLog | RawScore | Problem
