"""Script-free HTML with inline styles only: what GitHub, an untrusted notebook or a reader without a kernel shows.

Colours are left to the page wherever possible, so that the same HTML reads on light and on dark.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from llmlens import theme

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LINE = "border-bottom:1px solid rgba(128,128,128,.25);"
_CELL = "padding:3px 10px 3px 0;text-align:{align};vertical-align:top;white-space:nowrap;" + _LINE
_FONT = "font:13px/1.45 system-ui,-apple-system,'Segoe UI',sans-serif;"

#: Invisible characters that change how other text is read: C0/C1 controls, bidi controls, zero-width marks.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    r"""Show control, bidi and zero-width characters instead of obeying them; newlines and tabs stay.

    >>> visible("a\u202eb\x1b[31m")
    'a⟨U+202E⟩b␛[31m'
    """
    return _INVISIBLE.sub(_name, text)


def _name(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code == 0x0D:
        return ""
    return chr(0x2400 + code) if code < 0x20 else f"⟨U+{code:04X}⟩"


def text(value: object, limit: int = 120) -> str:
    """Escape a value of a stranger, on one line, cut after `limit` characters with a mark."""
    flat = " ".join(visible(str(value)[: 4 * limit]).split())
    cut = flat if len(flat) <= limit else flat[: limit - 1] + "…"
    return html.escape(cut, quote=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """Make a table of cells that are already HTML; `align` has one of "l", "r" per column."""
    sides = [{"r": "right"}.get(a, "left") for a in align.ljust(len(head), "l")]
    top = "".join(
        f'<th style="{_CELL.format(align=side)}font-weight:600">{html.escape(title)}</th>'
        for title, side in zip(head, sides, strict=False)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL.format(align=side)}">{cell}</td>' for cell, side in zip(row, sides, strict=False))
        + "</tr>"
        for row in rows
    )
    style = "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:4px 0 10px"
    return f'<table style="{style}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'


def note(words: str) -> str:
    """Make a quiet line of text; `words` is escaped."""
    return f'<div style="opacity:.7;margin:2px 0 6px">{html.escape(visible(words))}</div>'


def section(title: str, *parts: str) -> str:
    """Put HTML parts under a heading; `title` is escaped and cut."""
    head = f'<div style="font-weight:600;margin:6px 0 2px">{text(title)}</div>'
    return f'<div class="{theme.NO_MATH}" style="{_FONT}">{head}{"".join(parts)}</div>'
