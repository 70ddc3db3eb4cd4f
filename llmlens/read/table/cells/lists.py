"""Cells -> lists, and whatever else a cell spells as JSON or as a Python object."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from .plain import label, text

if TYPE_CHECKING:
    from .plain import Column


def texts(values: Column) -> Column:
    """Read lists of texts: JSON lists, Python lists, or texts with commas between."""
    return pd.Series([_split(cell) for cell in text(values)], index=values.index, dtype=object)


def _split(cell: Any) -> list[str] | None:
    if not isinstance(cell, str):
        return None
    found = parse(cell) if cell[:1] in "[{" else None
    if isinstance(found, dict):
        return [f"{key}:{value}" for key, value in found.items()]
    items = found if isinstance(found, list) else cell.split(",")
    named = [
        item if isinstance(item, str) else str(item.get("name", item)) if isinstance(item, dict) else str(item)
        for item in items
    ]
    return [item.strip() for item in named if item.strip()] or None


def first(values: Column) -> Column:
    """Read the first item of cells that are JSON lists, and other cells as labels."""
    read = label(values)
    lists = read.str.startswith("[").fillna(value=False)
    if not lists.any():
        return read
    items = [_split(cell) if is_list else [cell] for cell, is_list in zip(read, lists, strict=True)]
    return label(pd.Series([item[0] if item else None for item in items], index=values.index, dtype="str"))


def parse(cell: str) -> Any:
    """Parse a cell as JSON, else as the text of a Python dict or list; None when it is neither."""
    import ast

    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        pass
    if not re.match(r"[\[{]\s*(?:['\"\[{\d\]}]|None|True|False)", cell) or len(cell) > 1_000_000:
        return None
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
