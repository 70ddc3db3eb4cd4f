"""Cells of a stranger's table -> tidy values. Every reader gives the values and a mask of the cells it could not take.

A column of dtype `object` holds JSON, one text a cell; every other column holds what its dtype says.
"""

from __future__ import annotations

from .lists import first, parse, texts
from .numbers import has_units, number
from .plain import blank, is_json, label, text
from .times import time
from .words import kind, status, truth

__all__ = [
    "blank",
    "first",
    "has_units",
    "is_json",
    "kind",
    "label",
    "number",
    "parse",
    "status",
    "text",
    "texts",
    "time",
    "truth",
]
