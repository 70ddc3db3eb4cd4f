"""The texts: products, help-centre documents, phrases and prompts, read from the TOML files beside this module."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Document:
    """An article of the help centre; `gist` is what a good answer says."""

    id: str
    topic: str
    title: str
    updated: str
    text: str
    gist: str
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """Something the shop sells; weight in grams, price in the customer's currency."""

    sku: str
    name: str
    category: str
    price: int
    weight: int
    sizes: str
    uses: tuple[str, ...]
    blurb: str
    facts: dict[str, str] = field(hash=False)

    @property
    def plural(self) -> bool:
        """Tell whether the name is a plural, as of boots."""
        return any(noun in self.name for noun in ("Boots", "Shoes", "Trousers", "Gloves", "Socks"))


@dataclass(frozen=True)
class Country:
    """A country the shop sells to; `utc_offset` in hours, in November."""

    code: str
    name: str
    region: str
    tenant: str
    language: str
    currency: str
    utc_offset: int
    weight: float
    carriers: tuple[str, ...]
    hubs: tuple[str, ...]


@dataclass(frozen=True)
class Prompt:
    """A managed prompt and how its model is called."""

    name: str
    version: str
    model: str
    temperature: float
    max_tokens: int
    tools: tuple[str, ...]
    text: str


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


@cache
def documents() -> tuple[Document, ...]:
    """Give the articles of the help centre."""
    return tuple(Document(**{**d, "questions": tuple(d["questions"])}) for d in _read("knowledge.toml")["document"])


@cache
def products() -> tuple[Product, ...]:
    """Give what the shop sells."""
    return tuple(Product(**{**p, "uses": tuple(p["uses"])}) for p in _read("catalogue.toml")["product"])


@cache
def countries() -> tuple[Country, ...]:
    """Give the countries the shop sells to."""
    read = _read("markets.toml")["country"]
    return tuple(Country(**{**c, "carriers": tuple(c["carriers"]), "hubs": tuple(c["hubs"])}) for c in read)


@cache
def people() -> dict[str, list[str]]:
    """Give first and last names to make up people from."""
    names: dict[str, list[str]] = _read("markets.toml")["people"]
    return names


@cache
def page_pieces() -> dict[str, Any]:
    """Give the pieces of a web page."""
    return {key: value.lstrip("\n") if isinstance(value, str) else value for key, value in _read("page.toml").items()}


@cache
def phrases() -> dict[str, Any]:
    """Give what customers say and what the assistant answers, by feature."""
    return _read("phrases.toml")


@cache
def prompts() -> dict[str, Prompt]:
    """Give the managed prompts by name."""
    read = {name: values for name, values in _read("prompts.toml").items() if name != "tools"}
    return {
        name: Prompt(name, **{**values, "tools": tuple(values["tools"]), "text": values["text"].strip()})
        for name, values in read.items()
    }


@cache
def tool_definitions(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Give the JSON schemas of the tools called `names`, as a model gets them."""
    tools = _read("prompts.toml")["tools"]
    return [
        {
            "type": "function",
            "name": name,
            "description": tools[name]["description"],
            "parameters": {
                "type": "object",
                "properties": {k: {"type": "string", "description": v} for k, v in tools[name]["parameters"].items()},
                "required": list(tools[name]["parameters"]),
            },
        }
        for name in names
    ]
