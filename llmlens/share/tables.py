"""Tables of pandas, read as a table is: words to the left, numbers to the right."""

from __future__ import annotations

import html
import re
from itertools import count

_TABLE = re.compile(r'<table class="dataframe">.*?</table>', re.DOTALL)
_ROW = re.compile(r"<tr[^>]*>.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)
_OPENING = re.compile(r"<(t[hd])([^>]*)>")
_NUMBER = re.compile(r"\s*(?:[-+]?[\d,]*\.?\d+(?:e[-+]?\d+)?\s?%?|nan|NaN|NaT|None|<NA>|inf|-inf|True|False|)\s*")


def aligned(page: str) -> str:
    """Mark the cells of columns that hold words, in tables of sanitised HTML; tables with merged cells stay."""
    return _TABLE.sub(lambda found: _aligned(found[0]), page)


def _aligned(table: str) -> str:
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    if len({len(row) for row in rows}) != 1 or "span=" in table:
        return table
    body = rows[table[: table.find("<tbody")].count("<tr") :]
    words = {place for row in body for place, cell in enumerate(row) if not _NUMBER.fullmatch(html.unescape(cell))}
    return _ROW.sub(lambda found: _marked(found[0], words), table)


def _marked(row: str, words: set[int]) -> str:
    place = count()
    return _OPENING.sub(lambda cell: f'<{cell[1]}{cell[2]} class="word">' if next(place) in words else cell[0], row)
