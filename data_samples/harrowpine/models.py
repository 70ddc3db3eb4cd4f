"""The models: how long they take, what they count, and how they fail now and then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from .tracing import Message, ModelCall, Span, Tracer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from random import Random

    from .texts import Prompt

CACHE_LIFETIME_US = 300_000_000
SMALLEST_CACHED_PREFIX = 1024
RATE_LIMITED, TIMED_OUT = 0.009, 0.002


@dataclass(frozen=True)
class Model:
    """A model: milliseconds to the first token and for each more, tokens read in one, tokens it takes at most."""

    provider: str
    response_model: str
    ttft_ms: float
    tpot_ms: float
    reads_per_ms: float
    window: int = 1_000_000


MODELS = {
    "gpt-4o-mini": Model("openai", "gpt-4o-mini-2024-07-18", 420, 9, 90),
    "gpt-4o": Model("openai", "gpt-4o-2024-08-06", 560, 14, 150),
    "claude-sonnet-4-20250514": Model("anthropic", "claude-sonnet-4-20250514", 820, 15, 60),
    "gpt-5.6-luna": Model("openai", "gpt-5.6-luna", 380, 6, 140),
    "gpt-6-luna": Model("openai", "gpt-6-luna", 340, 6, 160),
    "gpt-6-sol": Model("openai", "gpt-6-sol", 610, 11, 120),
    "gpt-6.1-terra": Model("openai", "gpt-6.1-terra", 450, 8, 140),
    "claude-haiku-4-5": Model("anthropic", "claude-haiku-4-5-20251001", 520, 7, 110, 200_000),
    "claude-sonnet-5-5": Model("anthropic", "claude-sonnet-5-5", 760, 12, 90),
    "text-embedding-3-small": Model("openai", "text-embedding-3-small", 60, 0, 90),
}


class ModelTimeoutError(Exception):
    """A model call did not come back."""


class ContextOverflowError(Exception):
    """A request was longer than the model can take."""


class PromptCache:
    """The provider's prompt cache, as one conversation sees it: when each prefix was last read."""

    def __init__(self) -> None:
        """Begin empty."""
        self._last_read_us: dict[str, int] = {}

    def hit(self, prefix: str, now_us: int) -> bool:
        """Tell whether `prefix` was read within the lifetime of the cache, and remember that it was read now."""
        last = self._last_read_us.get(prefix)
        self._last_read_us[prefix] = now_us
        return last is not None and now_us - last < CACHE_LIFETIME_US


def count_tokens(text: str) -> int:
    """Count tokens as four characters each, which is about right for English and for HTML."""
    return -(-len(text) // 4)


def message_tokens(message: Message) -> int:
    """Count the tokens of a message, its tool calls and its frame."""
    calls = sum(count_tokens(call.name + orjson.dumps(call.arguments).decode()) + 8 for call in message.calls)
    return 4 + count_tokens(message.text) + calls


def _id(rng: Random, prefix: str) -> str:
    return f"{prefix}{rng.getrandbits(96):024x}"


def call_model(
    tracer: Tracer, prompt: Prompt, messages: list[Message], reply: Message, *, cache: PromptCache, prefix: str
) -> Span:
    """Ask the model of `prompt`, which answers with `reply`; rate limits are retried in a span of their own.

    `prefix` is the beginning of the messages that other calls share. Raises ModelTimeoutError now and then,
    and ContextOverflowError for what is too long.
    """
    luck = tracer.rng.random()
    if luck < RATE_LIMITED:
        with _call_span(tracer, prompt, messages) as span:
            tracer.wait_about(160)
            span.fail(
                "RateLimitError", f"Error code: 429 - Rate limit reached for {prompt.model}: please try again in 1.8s"
            )
        tracer.wait_about(2100)
    elif luck < RATE_LIMITED + TIMED_OUT:
        with _call_span(tracer, prompt, messages) as span:
            tracer.wait(30_000_000)
            span.fail("APITimeoutError", "Request timed out.")
        raise ModelTimeoutError
    with _call_span(tracer, prompt, messages) as span:
        call = span.model
        assert call is not None  # noqa: S101
        model = MODELS[prompt.model]
        tools = count_tokens(orjson.dumps(call.tools).decode()) if call.tools else 0
        tokens = 3 + tools + sum(message_tokens(m) for m in messages)
        if tokens > model.window:
            tracer.wait_about(250)
            span.fail(
                "BadRequestError",
                f"Error code: 400 - prompt is too long: {tokens} tokens > {model.window} maximum",
            )
            raise ContextOverflowError
        call.response_model, call.reply = tracer.scenario.response_model(tracer, prompt), reply
        call.response_id = _id(tracer.rng, "msg_" if model.provider == "anthropic" else "chatcmpl-")
        call.finish_reason = "tool_calls" if reply.calls else "stop"
        call.input_tokens = tokens
        call.output_tokens = message_tokens(reply)
        shared = tools + count_tokens(prefix)
        if shared >= SMALLEST_CACHED_PREFIX:
            if cache.hit(prefix, tracer.now_us):
                call.cache_read_tokens = shared // 128 * 128
            elif model.provider == "anthropic":
                call.cache_write_tokens = shared // 128 * 128
        before = tracer.now_us
        tracer.wait_about(model.ttft_ms + call.input_tokens / model.reads_per_ms, 0.25)
        call.ttft_us = tracer.now_us - before
        tracer.wait_about(model.tpot_ms * call.output_tokens, 0.12)
    return span


def _call_span(tracer: Tracer, prompt: Prompt, messages: list[Message]) -> AbstractContextManager[Span]:
    call = ModelCall(
        provider=MODELS[prompt.model].provider,
        request_model=prompt.model,
        prompt_name=prompt.name,
        prompt_version=prompt.version,
        template=prompt.text,
        temperature=prompt.temperature,
        max_tokens=prompt.max_tokens,
        tools=tracer.scenario.tools(tracer, prompt),
        messages=[replace(m, text=tracer.recorded(m.text)) for m in messages],
    )
    return tracer.span("llm", f"chat {prompt.model}", model=call)


def embed(tracer: Tracer, text: str) -> Span:
    """Embed `text` for a search."""
    name = "text-embedding-3-small"
    call = ModelCall("openai", name, name, input_tokens=count_tokens(text))
    with tracer.span("embedding", f"embeddings {name}", model=call, input=text) as span:
        tracer.wait_about(MODELS[name].ttft_ms)
    return span
