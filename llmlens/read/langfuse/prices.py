"""The prices that a server knows -> what `prices=` takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.prices.models import find_model

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


def server_prices(models: Iterable[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Give the prices of a server that are needed, in USD per million tokens, by the pattern of the models' names.

    Those are the prices that the project has set itself, which say what it pays, and those of Langfuse for models that
    the built-in table does not have. Calls that the server has priced keep its cost; these are for the others.
    """
    found = {}
    for model in models:
        if not isinstance(model.get("prices"), dict) or model.get("unit", "TOKENS") not in ("TOKENS", None):
            continue
        if model.get("isLangfuseManaged") and find_model(None, str(model.get("modelName"))) is not None:
            continue
        rates: dict[str, float] = {}
        for key, given in model["prices"].items():
            price = number(given.get("price") if isinstance(given, dict) else given)
            if key in _KEYS and price is not None and price >= 0:
                rates.setdefault(_KEYS[key], price * _PER_MILLION)
        if "input_mtok" in rates:
            found[str(model.get("matchPattern") or model.get("modelName"))] = rates
    return found
