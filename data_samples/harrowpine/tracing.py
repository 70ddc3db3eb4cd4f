"""Spans before any convention: what happened, in the application's own words, and the tracer that records it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from .scenario import Scenario
    from .shop import Customer
    from .texts import Prompt


@dataclass(frozen=True)
class ToolCall:
    """A tool call that a model asks for."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Message:
    """A chat message: text, tool calls, or the answer to one (`call_id`)."""

    role: str
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None


@dataclass(frozen=True)
class Hit:
    """A document that was retrieved or reranked."""

    id: str
    score: float
    content: str
    metadata: dict[str, str]


@dataclass(frozen=True)
class Judgement:
    """What a judge or a user thought of the answer."""

    name: str
    value: float
    label: str
    explanation: str = ""
    by: str = "HUMAN"


@dataclass
class ModelCall:
    """A request to a model and what came of it; tokens are None when it failed."""

    provider: str
    request_model: str
    response_model: str = ""
    prompt_name: str = ""
    prompt_version: str = ""
    template: str = ""
    temperature: float = 0.0
    max_tokens: int = 0
    tools: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    reply: Message | None = None
    response_id: str = ""
    finish_reason: str = ""
    input_tokens: int | None = None
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int | None = None
    ttft_us: int | None = None


@dataclass(frozen=True)
class Context:
    """What every span of a trace carries."""

    trace_id: str
    service: str
    release: str
    session_id: str
    customer: Customer
    feature: str
    environment: str = "production"
    tags: tuple[str, ...] = ()


@dataclass
class Span:
    """One span; times in microseconds since the start of the scenario. Only the fields of its `kind` are filled."""

    context: Context
    span_id: str
    parent_id: str
    name: str
    kind: str
    start_us: int
    end_us: int = 0
    status: str = "unset"
    error_type: str = ""
    status_message: str = ""
    input: str = ""
    output: str = ""
    http_status: int | None = None
    model: ModelCall | None = None
    tool: ToolCall | None = None
    hits: list[Hit] = field(default_factory=list)
    candidates: list[Hit] = field(default_factory=list)
    judgement: Judgement | None = None
    reactions: list[Judgement] = field(default_factory=list)

    def fail(self, error_type: str, message: str) -> None:
        """Mark the span as failed."""
        self.status, self.error_type, self.status_message = "error", error_type, message


class Tracer:
    """Records the spans of one trace; `now_us` is its clock, which only `wait` moves."""

    def __init__(self, scenario: Scenario, context: Context, rng: Random, now_us: int) -> None:
        """Begin at `now_us`."""
        self.scenario, self.context, self.rng, self.now_us = scenario, context, rng, now_us
        self.finished: list[Span] = []
        self._open: list[Span] = []

    def prompt(self, name: str) -> Prompt:
        """Give the prompt called `name` as it is now."""
        return self.scenario.prompt(self, name)

    def recorded(self, text: str) -> str:
        """Give as much of `text` as the instrumentation keeps."""
        limit = self.scenario.recorded_characters
        return text if limit is None or len(text) <= limit else f"{text[:limit]}… [{len(text) - limit} characters cut]"

    def wait(self, microseconds: float) -> None:
        """Let time pass."""
        self.now_us += int(microseconds)

    def wait_about(self, milliseconds: float, spread: float = 0.35) -> None:
        """Let a log-normal time with this median pass."""
        self.wait(milliseconds * 1000 * self.rng.lognormvariate(0, spread))

    @contextmanager
    def span(self, kind: str, name: str, **fields: Any) -> Iterator[Span]:
        """Record a span around the block, as a child of the innermost open one."""
        parent_id = self._open[-1].span_id if self._open else ""
        span = Span(self.context, f"{self.rng.getrandbits(64):016x}", parent_id, name, kind, self.now_us, **fields)
        self._open.append(span)
        self.wait(self.rng.randrange(150, 900))
        try:
            yield span
        finally:
            self.wait(self.rng.randrange(150, 900))
            span.end_us = self.now_us
            self._open.pop()
            self.finished.append(span)
