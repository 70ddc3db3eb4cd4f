"""Prices of the user's own, which win over the built-in ones: contracts, deployments, models of one's own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from llmlens.errors import ReadError, SourceNotFoundError, unknown

from .models import spellings
from .rules import DAY_US, FIRST, LAST, USER_KEYS, Rule, tiers

#: What `prices=` takes: {model name or regular expression: {key of USER_KEYS: USD}}, or a TOML file that holds it.
UserPrices: TypeAlias = "Mapping[str, Mapping[str, float]] | str | Path | None"

#: (name in lower case, the same as a regular expression where it is one, the rule).
UserPrice: TypeAlias = tuple[str, re.Pattern[str] | None, Rule]


def read_prices(prices: UserPrices) -> list[UserPrice]:
    """Read the user's own prices, in the order given.

    Raises `ReadError` (or `SourceNotFoundError`) when they cannot be read, `UnknownNameError` for an unknown key.
    """
    if prices is None:
        return []
    if not isinstance(prices, Mapping | str | Path):
        raise ReadError(
            f"prices is {type(prices).__name__}: expected {{'my-model': {{'input_mtok': 2.5, 'output_mtok': 10}}}}, "
            "or a TOML file that holds it."
        )
    where = "prices" if isinstance(prices, Mapping) else str(prices)
    table: Any = prices if isinstance(prices, Mapping) else _read_toml(Path(prices))
    found = []
    for name, rates in table.items():
        if not isinstance(rates, Mapping):
            raise ReadError(
                f"{where}: {name!r} needs a table such as {{input_mtok = 2.5, output_mtok = 10}}, not {rates!r}."
            )
        found.append((str(name).strip().lower(), _pattern(str(name)), _user_rule(where, str(name), rates)))
    return found


def user_rule(own: list[UserPrice], name: str) -> Rule | None:
    """Find the price of a model: that of exactly this name, else the first whose pattern matches all of it."""
    for spelling in spellings(name):
        for exact, _, rule in own:
            if exact == spelling:
                return rule
        for _, pattern, rule in own:
            if pattern and pattern.fullmatch(spelling):
                return rule
    return None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise SourceNotFoundError(f"There is no prices file {path}.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReadError(f"{path}: not a readable TOML file of prices: {error}") from error


def _pattern(name: str) -> re.Pattern[str] | None:
    """Compile a name; one that is no regular expression can still be an exact name."""
    try:
        return re.compile(name, re.IGNORECASE)
    except re.error:
        return None


def _user_rule(where: str, name: str, rates: Mapping[str, Any]) -> Rule:
    from genai_prices.types import ModelPrice

    values = {}
    for key, value in rates.items():
        if isinstance(value, Mapping):
            raise ReadError(f'{where}: {name!r} holds a table {key!r}; quote names with dots: ["{name}.{key}"].')
        if key not in USER_KEYS:
            what = f"price of {name!r} in {where} called"
            raise unknown(what, key, USER_KEYS)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value < float("inf"):
            raise ReadError(f"{where}: {key} of {name!r} needs a number of USD, 0 or more, not {value!r}.")
        values[key] = Decimal(str(value))
    if "input_mtok" not in values and "requests_kcount" not in values:
        raise ReadError(f"{where}: {name!r} has no input_mtok (USD per million input tokens).")
    ((above, upto, flat),) = tiers(ModelPrice(**values))
    return Rule(FIRST, LAST, 0, DAY_US, above, upto, standard=True, **flat)
