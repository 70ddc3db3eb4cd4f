"""The metadata of an observation -> what the application attached, attributes of the OTel span it was, its resource.

Langfuse keeps what it was sent in there: as `{"attributes": {...}, "resourceAttributes": {...}, "scope": {...}}`, or
with these as the beginnings of dotted keys.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llmlens.read.arrays import dumps
from llmlens.read.contents.values import text_of
from llmlens.read.raw import Origin

from .cells import object_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPAN = "attributes."
_RESOURCE = "resourceAttributes."
_SCOPE = "scope."
_NESTED = frozenset({"resourceAttributes", "scope"})


class Origins:
    """Gives observations of the same resource and scope the same `Origin`."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[Any, Origin] = {}

    def of(self, parts: dict[str, Any], version: Any) -> Origin:
        """Give the origin that has these dotted keys; `version` is the observation's."""
        key = tuple(parts.items())
        try:
            origin = self._known.get((key, version))
        except TypeError:  # lists and objects among them
            key = dumps(parts)  # type: ignore[assignment]
            version = text_of(version)
            origin = self._known.get((key, version))
        if origin is None:
            origin = self._known[key, version] = _origin(parts, version)
        return origin


def _origin(parts: Mapping[str, Any], version: Any) -> Origin:
    resource = {k.removeprefix(_RESOURCE): v for k, v in parts.items() if k.startswith(_RESOURCE)}
    inside = f"{_SCOPE}attributes."
    scope = {k.removeprefix(inside): v for k, v in parts.items() if k.startswith(inside)}
    told = resource.get("service.version")
    # The server reads "1.10" as a number, and keeps what was sent in the version of the observation.
    if isinstance(told, int | float) and isinstance(version, str) and _is_number(version, told):
        resource["service.version"] = version
    name, its_version = (text_of(parts.get(f"{_SCOPE}{key}")) or "" for key in ("name", "version"))
    return Origin(resource, name, its_version, scope)


def _is_number(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False


def take_apart(metadata: Any, own: str, of_span: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the attributes in metadata, and what is of the resource and the scope, with dotted keys.

    `own` is put before the application's keys, `of_span` before the names of the span's attributes.
    """
    attributes: dict[str, Any] = {}
    parts: dict[str, Any] = {}
    found = metadata if type(metadata) is dict else object_of(metadata)
    for key, value in found.items():
        if value is None:
            continue
        if key.startswith(_SPAN):
            attributes[_named(of_span, key[len(_SPAN) :])] = value
        elif key.startswith((_RESOURCE, _SCOPE)):
            parts[key] = value
        elif key == "attributes" and (inner := object_of(value)):
            attributes.update({of_span + name: each for name, each in inner.items() if each is not None})
        elif key in _NESTED and (inner := object_of(value)):
            _nested(key, inner, parts)
        else:
            attributes[_named(own, key)] = value
    if not found and metadata and metadata != "{}":
        attributes[own.rstrip(".")] = metadata
    return attributes, parts


@lru_cache(maxsize=4096)
def _named(prefix: str, key: str) -> str:
    """Put a name together, once: the same text in all spans is found faster than one that is equal."""
    return prefix + key


def _nested(key: str, inner: dict[str, Any], parts: dict[str, Any]) -> None:
    for name, value in inner.items():
        if key == "scope" and name == "attributes" and isinstance(value, dict):
            parts.update({f"scope.attributes.{k}": v for k, v in value.items()})
        else:
            parts[f"{key}.{name}"] = value
