"""Numbers that travel as base64 in JSON: they look like secrets or long texts, and are neither."""

from __future__ import annotations

from typing import Any

#: plotly's arrays, and those of our views (`view.wire.packed`).
_SHAPES = (("dtype", "bdata"), ("type", "bytes"))


def is_packed(value: dict[str, Any]) -> bool:
    """Say whether a JSON object is an array of numbers."""
    return any(isinstance(value.get(kind), str) and isinstance(value.get(data), str) for kind, data in _SHAPES)
