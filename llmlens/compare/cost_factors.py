"""The cost of a group of calls as a product of factors, and what each factor did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .call_costs import KINDS
from .shapley import shapley

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    #: Sums of a side by name (see `call_costs`), or factors by name: each an array with a value a group.
    Columns: TypeAlias = Mapping[str, Floats]

#: What a cost comes from -> the factors that belong to it.
FACTORS: dict[str, tuple[str, ...]] = {
    "volume": ("calls",),
    "mix": ("share",),
    "input_tokens": ("input",),
    "output_tokens": ("output",),
    "cache": ("read_share", "write_share"),
    "price": (*(f"price_{kind}" for kind in KINDS), "price_call"),
    "unpriced": ("priced_share",),
}


def effects(before: Columns, after: Columns, scales: tuple[float, float]) -> Floats:
    """Give what each of `FACTORS` did to the cost of each group: a row a factor, summing to the change.

    `scales` are what the calls of either side are multiplied by. A factor that a side has no value of (the tokens of
    a group without calls, the price of a kind of token that was not used) is taken to be that of the other side.
    """
    sides = [_factors(side, scale) for side, scale in zip((before, after), scales, strict=True)]
    first, last = (
        {name: np.nan_to_num(np.where(np.isnan(values), other[name], values)) for name, values in own.items()}
        for own, other in (sides, sides[::-1])
    )

    def value(changed: tuple[bool, ...]) -> Floats:
        moved = {name for parts, now in zip(FACTORS.values(), changed, strict=True) if now for name in parts}
        return _cost({name: (last if name in moved else first)[name] for name in first})

    return shapley(value, len(FACTORS))


def _factors(side: Columns, scale: float) -> dict[str, Floats]:
    """Give the factors of each group's cost, NaN where there is none."""
    total = np.full(len(side["calls"]), side["calls"].sum())
    inputs = side["tokens_fresh"] + side["tokens_cache_read"] + side["tokens_cache_write"]
    return {
        "calls": total * scale if total.any() else total,
        "share": _ratio(side["calls"], total),
        "priced_share": _ratio(side["priced"], side["calls"]),
        "input": _ratio(inputs, side["priced"]),
        "output": _ratio(side["tokens_output"], side["priced"]),
        "read_share": _ratio(side["tokens_cache_read"], inputs),
        "write_share": _ratio(side["tokens_cache_write"], inputs),
        "price_call": _ratio(side["cost_call"], side["priced"]),
        **{f"price_{kind}": _ratio(side[f"cost_{kind}"], side[f"tokens_{kind}"]) for kind in KINDS},
    }


def _cost(of: Columns) -> Floats:
    """Multiply the factors."""
    read, written = of["read_share"], of["write_share"]
    price = (1 - read - written) * of["price_fresh"] + read * of["price_cache_read"]
    price = price + written * of["price_cache_write"]
    of_call = of["input"] * price + of["output"] * of["price_output"] + of["price_call"]
    cost: Floats = of["calls"] * of["share"] * of["priced_share"] * of_call
    return cost


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    found: Floats = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)
    return found
