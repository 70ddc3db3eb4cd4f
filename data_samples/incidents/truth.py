"""Writes what is hidden in the dumps as TOML, for tests and for whoever gives up; no dump holds any of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harrowpine.scenario import Scenario

HEAD = "# What goes wrong in each dump (spoiler). Written by make.py; `decoys` happen too and are not the cause.\n"


def written(scenarios: Iterable[Scenario]) -> bytes:
    """Give the truth about `scenarios`: a list of incidents under the name of each."""
    text = HEAD
    for scenario in scenarios:
        for incident in scenario.truth():
            text += f"\n[[{scenario.name}]]\n"
            text += "".join(f"{key} = {_value(value)}\n" for key, value in incident.items())
    return text.encode()


def _value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    return orjson.dumps(value).decode()  # texts, numbers and booleans are written as in JSON
