"""The shop: its customers, their orders, and when they write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from .incidents import WEEK
from .texts import Product, products

if TYPE_CHECKING:
    from random import Random

HOUR_US = 3_600_000_000
WEEK_US = 7 * 24 * HOUR_US

DAY_WEIGHTS = (1.15, 1.08, 1.05, 1.03, 0.98, 0.84, 0.87)
LOCAL_HOUR_WEIGHTS = (
    0.15, 0.08, 0.05, 0.04, 0.05, 0.12, 0.35, 0.8, 1.3, 1.7, 1.9, 1.9,
    1.8, 1.7, 1.6, 1.6, 1.7, 1.8, 2.0, 2.2, 2.1, 1.6, 0.9, 0.4,
)  # fmt: skip


@dataclass(frozen=True)
class Country:
    """A country the shop sells to; `utc_offset` in hours, in November."""

    code: str
    names: dict[str, str]
    region: str
    tenant: str
    language: str
    currency: str
    utc_offset: int
    carriers: tuple[str, ...]
    hubs: tuple[str, ...]
    weight: float


COUNTRIES = (
    Country("US", {"en": "the US"}, "us", "hp-us", "en", "USD", -5, ("Bluebird Parcel", "Prairie Freight"), ("Newark", "Columbus", "Reno"), 0.28),
    Country("GB", {"en": "the UK"}, "uk", "hp-uk", "en", "GBP", 0, ("Kestrel Post", "Dales Couriers"), ("Leeds", "Daventry", "Bristol"), 0.22),
    Country("DE", {"en": "Germany"}, "eu-central", "hp-eu", "de", "EUR", 1, ("Nordpaket", "Eulenpost"), ("Kassel", "Freiburg", "Leipzig"), 0.25),
    Country("AT", {"en": "Austria"}, "eu-central", "hp-eu", "de", "EUR", 1, ("Alpenpost",), ("Linz", "Graz"), 0.06),
    Country("FR", {"en": "France"}, "eu-west", "hp-eu", "fr", "EUR", 1, ("Colis Mistral",), ("Lyon", "Lille"), 0.11),
    Country("ES", {"en": "Spain"}, "eu-west", "hp-eu", "es", "EUR", 1, ("Envíos Lince",), ("Zaragoza", "Madrid"), 0.08),
)  # fmt: skip

FIRST_NAMES = "Alva Bruno Cleo Dario Edda Fenn Greta Hale Ines Jonte Kira Lio Mara Niko Orla Pia Quin Rosa Sven Tilda".split()
LAST_NAMES = "Ashdown Birkholz Calloway Dornfeld Elmsworth Fontclair Grauberg Hollins Iverdale Jardel Kirchau Lorrin".split()
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
    country = rng.choices(COUNTRIES, [c.weight for c in COUNTRIES])[0]
    return Customer(
        id=f"u_{rng.getrandbits(32):08x}",
        name=f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
        country=country,
        language=country.language if rng.random() < 0.8 else "en",
        channel=rng.choice(CHANNELS),
    )


def make_order(rng: Random, customer: Customer, time_us: int) -> Order:
    """Make up an order that `customer` may ask about at `time_us`."""
    state = rng.choices(("packed", "in_transit", "out_for_delivery", "delivered", "delayed"), (2, 5, 2, 3, 2))[0]
    today = (WEEK + timedelta(microseconds=time_us)).date()
    days_to_go = {"packed": 4, "in_transit": 2, "out_for_delivery": 0, "delivered": -2, "delayed": 5}[state]
    return Order(
        number=f"HP-{rng.randrange(100_000, 1_000_000)}",
        product=rng.choice(products()),
        state=state,
        carrier=rng.choice(customer.country.carriers),
        hub=rng.choice(customer.country.hubs),
        days=rng.randrange(2, 12),
        eta=today + timedelta(days=days_to_go),
        refundable=rng.random() < 0.82,
    )


def arrival_us(rng: Random, country: Country) -> int:
    """Draw when somebody in `country` begins to write, in microseconds since Monday 00:00 UTC."""
    day = rng.choices(range(7), DAY_WEIGHTS)[0]
    local_hour = rng.choices(range(24), LOCAL_HOUR_WEIGHTS)[0] + rng.random()
    time_us = int((day * 24 + local_hour - country.utc_offset) * HOUR_US)
    return time_us % (WEEK_US - HOUR_US // 2)  # so that the last conversation ends within the week
