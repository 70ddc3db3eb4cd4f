"""The names that teams give to columns (aliases.toml), and how names are compared."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS = re.compile(r"[^\W_]+")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True, slots=True)
class Shape:
    """A whole export that was recognised by headers that stand together."""

    name: str
    headers: tuple[str, ...]
    columns: Mapping[str, Any]
    scores_of: str = "span"
    kind: str | None = None
    note: str | None = None


@lru_cache(maxsize=1)
def aliases() -> dict[str, Any]:
    """Read aliases.toml, with its names squeezed (`squeeze`) for comparison."""
    data = tomllib.loads(files(__package__).joinpath("aliases.toml").read_text("utf-8"))
    data["prefixes"] = frozenset(data["prefixes"])
    data["containers"] = frozenset(map(squeeze, data["containers"]))
    for entry in data["columns"].values():
        entry["names"] = {squeeze(name): rank for rank, name in reversed(list(enumerate(entry["names"])))}
        entry["weak"] = {squeeze(name): rank for rank, name in enumerate(entry.get("weak", ()), 100)}
    data["params"] = {squeeze(name): name for name in data["params"]["names"]}
    data["scores"]["names"] = frozenset(map(squeeze, data["scores"]["names"]))
    data["shapes"] = [
        Shape(**{**shape, "headers": tuple(shape["headers"]), "columns": shape.get("columns", {})})
        for shape in data["shapes"]
    ]
    return data


def words(header: str) -> list[str]:
    """Split a header into lower-case words.

    >>> words("gen_ai.usage.promptTokens (ms)")
    ['gen', 'ai', 'usage', 'prompt', 'tokens', 'ms']
    """
    return [word.lower() for part in _WORDS.findall(header) for word in _HUMPS.split(part)]


def squeeze(header: str) -> str:
    """Reduce a header to what counts when names are compared.

    >>> squeeze("Prompt Tokens") == squeeze("promptTokens") == squeeze("prompt.tokens")
    True
    """
    return "".join(words(header))


def find(headers: Mapping[str, Any], name: str) -> str | None:
    """Find the header that is `name`, else the first that is the same when squeezed."""
    if name in headers:
        return name
    key = squeeze(name)
    return next((header for header in headers if squeeze(header) == key), None)
