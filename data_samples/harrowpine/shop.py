"""The shop: its customers, their orders, and when they write."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from .texts import Country, Product, countries, people, products

if TYPE_CHECKING:
    from datetime import date, datetime
    from random import Random

    from .scenario import Scenario

HOUR_US = 3_600_000_000

LOCAL_HOUR_WEIGHTS = (
    0.15, 0.08, 0.05, 0.04, 0.05, 0.12, 0.35, 0.8, 1.3, 1.7, 1.9, 1.9,
    1.8, 1.7, 1.6, 1.6, 1.7, 1.8, 2.0, 2.2, 2.1, 1.6, 0.9, 0.4,
)  # fmt: skip


CHANNELS = ("web", "web", "web", "ios", "android", "whatsapp")


@dataclass(frozen=True)
class Customer:
    """A made-up customer; the address is at example.com."""

    id: str
    name: str
    country: Country
    language: str
    channel: str

    @property
    def email(self) -> str:
        """Give an address that nobody has."""
        return self.name.lower().replace(" ", ".") + "@example.com"


@dataclass(frozen=True)
class Order:
    """An order of one customer; `days` since it was placed."""

    number: str
    product: Product
    state: str
    carrier: str
    hub: str
    days: int
    eta: date
    refundable: bool


def make_customer(rng: Random) -> Customer:
    """Make up a customer; most write in the language of their country."""
    country = rng.choices(countries(), [c.weight for c in countries()])[0]
    return Customer(
        id=f"u_{rng.getrandbits(32):08x}",
        name=f"{rng.choice(people()['first'])} {rng.choice(people()['last'])}",
        country=country,
        language=country.language if rng.random() < 0.8 else "en",
        channel=rng.choice(CHANNELS),
    )


def make_order(rng: Random, customer: Customer, now: datetime) -> Order:
    """Make up an order that `customer` may ask about `now`."""
    state = rng.choices(("packed", "in_transit", "out_for_delivery", "delivered", "delayed"), (2, 5, 2, 3, 2))[0]
    days_to_go = {"packed": 4, "in_transit": 2, "out_for_delivery": 0, "delivered": -2, "delayed": 5}[state]
    return Order(
        number=f"HP-{rng.randrange(100_000, 1_000_000)}",
        product=rng.choice(products()),
        state=state,
        carrier=rng.choice(customer.country.carriers),
        hub=rng.choice(customer.country.hubs),
        days=rng.randrange(2, 12),
        eta=now.date() + timedelta(days=days_to_go),
        refundable=rng.random() < 0.82,
    )


def arrival_us(rng: Random, scenario: Scenario, country: Country, share: float) -> int:
    """Draw when somebody in `country` begins to write, in microseconds since the start of the scenario.

    `share` of its sessions began on an earlier day or on the same one.
    """
    weights = scenario.day_weights()
    day = bisect(list(accumulate(weights)), share * sum(weights))
    local_hour = rng.choices(range(24), LOCAL_HOUR_WEIGHTS)[0] + rng.random()
    time_us = int((day * 24 + local_hour - country.utc_offset) * HOUR_US)
    return time_us % (scenario.days * 24 * HOUR_US - HOUR_US // 2)  # so that the last conversation ends within it
