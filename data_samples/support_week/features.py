"""The features of the assistant, as a table."""

from __future__ import annotations

from .chat import ask_product_qa, ask_small_talk, product_qa, small_talk
from .orders import ask_order_status, ask_refund, order_status, refunds
from .search import ask_product_search, ask_returns_policy, product_search, returns_policy

#: By name: the service it runs in, its share of the traffic, how a question is written, and how it is answered.
FEATURES = {
    "order_status": ("support-assistant", 0.24, ask_order_status, order_status),
    "refunds": ("support-assistant", 0.20, ask_refund, refunds),
    "product_search": ("shop-search", 0.15, ask_product_search, product_search),
    "returns_policy": ("shop-search", 0.14, ask_returns_policy, returns_policy),
    "product_qa": ("support-assistant", 0.18, ask_product_qa, product_qa),
    "small_talk": ("support-assistant", 0.09, ask_small_talk, small_talk),
}
