"""What a conversation is about, and what its features have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from .models import PromptCache
from .tracing import Message, ToolCall, Tracer

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from .shop import Customer, Order
    from .texts import Product

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Thursday", "Friday", "Saturday", "the weekend")


@dataclass
class Conversation:
    """What stays the same through a session: who writes, about which order and product, and what was said."""

    customer: Customer
    order: Order
    product: Product
    cache: PromptCache = field(default_factory=PromptCache)
    history: list[Message] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """How a trace went.

    `quality` is what a judge would say who sees what the model saw, from 0 to 1; `pleases` what the customer would say
    who may know better, where that is something else.
    """

    answer: str
    quality: float
    pleases: float | None = None


def _day(day: date, language: str) -> str:
    if language == "en":
        return f"{day.day} {MONTHS[day.month - 1]}"
    return f"{day:%d.%m.%Y}" if language == "de" else f"{day:%d/%m/%Y}"


def fill(rng: Random, template: str, talk: Conversation, **more: object) -> str:
    """Fill a template with what the conversation is about."""
    order = talk.order
    values: dict[str, object] = {
        "order": order.number,
        "item": order.product.name,
        "days": order.days,
        "weekday": rng.choice(WEEKDAYS),
        "carrier": order.carrier,
        "hub": order.hub,
        "eta": _day(order.eta, talk.customer.language),
        "country_name": talk.customer.country.name,
        "currency": talk.customer.country.currency,
        **more,
    }
    return re.sub(r"\{(\w+)\}", lambda m: str(values[m[1]]), template)


def as_json(value: object) -> str:
    """Give `value` as JSON text."""
    return orjson.dumps(value).decode()


def use_tool(
    tracer: Tracer, call: ToolCall, result: object, median_ms: float, *, failure: tuple[str, str] | None = None
) -> Message:
    """Execute `call`, which gives `result`; give the message that answers it.

    `failure` is the type and the message of the error that the span owns up to.
    """
    answer = as_json(result)
    with tracer.span("tool", f"execute_tool {call.name}", tool=call) as span:
        tracer.wait_about(median_ms)
        if failure:
            span.fail(*failure)
        span.output = tracer.recorded(answer)
    return Message("tool", answer, call_id=call.id)


def ask_for(rng: Random, prompt_model: str, name: str, **arguments: Any) -> Message:
    """Let the model ask for the tool `name`."""
    prefix = "toolu_" if prompt_model.startswith("claude") else "call_"
    return Message("assistant", calls=(ToolCall(f"{prefix}{rng.getrandbits(80):020x}", name, arguments),))


def money(price: float) -> str:
    """Give a price with two digits."""
    return f"{price:.2f}"
