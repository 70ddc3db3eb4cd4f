"""The features of the assistant, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .chat import ask_product_qa, ask_small_talk, product_qa, small_talk
from .orders import ask_order_status, ask_refund, order_status, refunds
from .search import ask_product_search, ask_returns_policy, product_search, returns_policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from .conversation import Conversation, Outcome


@dataclass(frozen=True)
class Feature:
    """What the assistant can do: the service it runs in, its share of the traffic, how one asks and how it answers.

    `ask` gives a question and what that is about, which `answer` gets too.
    """

    service: str
    share: float
    ask: Callable[[Random, Conversation], tuple[str, Any]]
    answer: Callable[..., Outcome]


FEATURES = {
    "order_status": Feature("support-assistant", 0.24, ask_order_status, order_status),
    "refunds": Feature("support-assistant", 0.20, ask_refund, refunds),
    "product_search": Feature("shop-search", 0.15, ask_product_search, product_search),
    "returns_policy": Feature("shop-search", 0.14, ask_returns_policy, returns_policy),
    "product_qa": Feature("support-assistant", 0.18, ask_product_qa, product_qa),
    "small_talk": Feature("support-assistant", 0.09, ask_small_talk, small_talk),
}
