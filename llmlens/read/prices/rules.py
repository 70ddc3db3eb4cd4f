"""The prices of one model as flat rules: when they hold, for which size of prompt, and a rate for each kind of token.

Everything that genai-prices decides by a condition (the date, the time of day, tiers by prompt length, variants such as
batch) is decided here once, by genai-prices itself; what is left for each call is arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from genai_prices.types import ModelPrice

    from .models import PricedModel

DAY_US = 86_400_000_000
#: No limit: the ends of what a BIGINT holds.
FIRST, LAST = -(2**63) + 1, 2**63 - 1

#: Kind of token -> the prices that apply to it, most specific first. The kinds do not overlap and sum to the usage.
RATES: dict[str, tuple[str, ...]] = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write": ("cache_write_mtok", "input_mtok"),
    "cache_write_1h": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "output": ("output_mtok",),
    "reasoning": ("output_reasoning_mtok", "output_mtok"),
    "request": ("requests_kcount",),
}

#: Keys that a price of the user's own can have: USD per million tokens, and per thousand requests.
USER_KEYS = tuple(dict.fromkeys(key for keys in RATES.values() for key in keys))


@dataclass(frozen=True, slots=True)
class Rule:
    """Rates, and the calls they hold for.

    Those started in [`since_us`, `until_us`), µs since the epoch, at [`day_since_us`, `day_until_us`) of the UTC day,
    with more than `above_tokens` and at most `upto_tokens` input tokens. Rates are USD per million tokens, `request`
    per thousand requests. `standard` is False where the variant that was asked for (batch, priority, ...) has other
    rates than a plain call.
    """

    since_us: int
    until_us: int
    day_since_us: int
    day_until_us: int
    above_tokens: int
    upto_tokens: int
    input: float
    cache_read: float
    cache_write: float
    cache_write_1h: float
    output: float
    reasoning: float
    request: float
    standard: bool

    @property
    def free(self) -> bool:
        """Whether a call costs nothing."""
        return not any(getattr(self, rate) for rate in RATES)


class NoTokenPriceError(Exception):
    """The model is priced by something that spans do not report; the message says by what."""


def rules(priced: PricedModel, context: Mapping[str, str], since_us: int, until_us: int) -> list[Rule]:
    """Give the rules of a model for calls between `since_us` and `until_us` (µs since the epoch, both included).

    `context` selects variants, such as {"processing": "batch"}. Rules do not overlap, and one holds for each call.
    Raises `NoTokenPriceError` for models that are priced per hour of audio, page, ...
    """
    context = context if priced.own else {}
    found = []
    for start, end, day_start, day_end, when in _periods(priced, since_us, until_us):
        standard = priced.model.get_prices(when)
        price = priced.model.get_prices(when, context)
        _check_priced_by_token(price)
        same = price == standard
        for above, upto, rates in tiers(price):
            found.append(Rule(start, end, day_start, day_end, above, upto, standard=same, **rates))
    return found


def _periods(priced: PricedModel, since_us: int, until_us: int) -> Iterator[tuple[int, int, int, int, datetime]]:
    """Yield (since, until, since of day, until of day, an instant inside) between which no date or time lies."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

    model = priced.model
    conditional = [*(model.prices if isinstance(model.prices, list) else ()), *(model.price_variants or ())]
    constraints = [item.constraint for item in conditional if item.constraint]
    dates = sorted({c.start_date for c in constraints if isinstance(c, StartDateConstraint)})
    times = [t for c in constraints if isinstance(c, TimeOfDateConstraint) for t in (c.start_time, c.end_time)]
    hours = sorted({0, DAY_US, *(_time_us(t) for t in times)})
    days = [(dates[0] if dates else date(2020, 1, 1)) - timedelta(days=1), *dates]
    starts = [FIRST, *(_date_us(day) for day in dates), LAST]
    for day, (start, end) in zip(days, pairwise(starts), strict=True):
        if end <= since_us or start > until_us:
            continue
        midnight = datetime.combine(day, time(), UTC)
        for day_start, day_end in pairwise(hours):
            yield start, end, day_start, day_end, midnight + timedelta(microseconds=day_start)


def _date_us(day: date) -> int:
    return (day - date(1970, 1, 1)).days * DAY_US


def _time_us(value: time) -> int:
    """Give the microsecond of the UTC day; times without a zone are UTC."""
    at = datetime.combine(date(1970, 1, 2), value if value.tzinfo else value.replace(tzinfo=UTC))
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) % DAY_US


def tiers(price: ModelPrice) -> Iterator[tuple[int, int, dict[str, float]]]:
    """Yield (above, up to, rates) for each range of input tokens in which no tier starts.

    A tier holds for all tokens of a call whose whole prompt is longer than its start.
    """
    from genai_prices.types import TieredPrices, calc_unit_price

    values = [next((p for key in keys if (p := getattr(price, key)) is not None), None) for keys in RATES.values()]
    starts = sorted({tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers})
    limits = [-1, *starts, LAST]
    for above, upto in pairwise(limits):
        rates = [float(calc_unit_price(value, 1, above + 1, 1)) for value in values]
        yield above, upto, dict(zip(RATES, rates, strict=True))


def _check_priced_by_token(price: ModelPrice) -> None:
    """Refuse prices that leave the tokens out. A model listed without any price is free, as in genai-prices."""
    keys = [key for key, value in price.__dict__.items() if value is not None]
    if keys and not any(key in USER_KEYS for key in keys):
        raise NoTokenPriceError(", ".join(keys))
