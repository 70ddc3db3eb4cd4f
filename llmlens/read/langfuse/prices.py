"""The prices that a project has set for models of its own -> what `prices=` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cells import number

if TYPE_CHECKING:
    from collections.abc import Iterable

_PER_MILLION = 1_000_000
_KEYS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "input_cached_tokens": "cache_read_mtok",
    "input_cache_read": "cache_read_mtok",
    "cache_read_input_tokens": "cache_read_mtok",
    "input_cache_creation": "cache_write_mtok",
    "cache_creation_input_tokens": "cache_write_mtok",
}


def own_prices(models: Iterable[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Give the prices of models that are not Langfuse's, in USD per million tokens, by the pattern of their names.

    Calls that Langfuse has priced keep its price; these are for calls that came without one.
    """
    found = {}
    for model in models:
        if model.get("isLangfuseManaged") or not isinstance(model.get("prices"), dict):
            continue
        rates: dict[str, float] = {}
        for key, given in model["prices"].items():
            price = number(given.get("price") if isinstance(given, dict) else given)
            if key in _KEYS and price is not None and price >= 0:
                rates.setdefault(_KEYS[key], price * _PER_MILLION)
        if "input_mtok" in rates:
            found[str(model.get("matchPattern") or model.get("modelName"))] = rates
    return found
