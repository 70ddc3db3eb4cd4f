"""Source code -> HTML with its words marked; the colours are the page's."""

from __future__ import annotations

from html import escape
from typing import Any


def as_html(source: str, language: str = "python") -> str:
    """Mark the words of a source text; an unknown language is shown plain."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.util import ClassNotFound

    try:
        lexer = _lexer(language)
    except ClassNotFound:
        return escape(source)
    return str(highlight(source, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")


def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name

    return get_lexer_by_name({"ipython": "python", "ipython3": "python"}.get(language, language))


def first_line(source: str, limit: int = 90) -> str:
    """Give what a folded cell is called: its first comment or line."""
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    said = lines[0].lstrip("# ") if lines else ""
    return said if len(said) <= limit else said[: limit - 1] + "…"
