"""Cells that a spreadsheet would run: a text that begins like a formula gets an apostrophe, and loses it again."""

from __future__ import annotations

#: What a formula begins with, in Excel, LibreOffice and Google Sheets (OWASP, "CSV Injection").
_TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def is_formula(text: str) -> bool:
    """Say whether a spreadsheet may take a text for a formula, also after spaces or behind apostrophes of ours."""
    return text.lstrip(" '").startswith(_TRIGGERS)


def defused(text: str) -> str:
    """Put an apostrophe before a text that would be run, or that has one for this reason already.

    >>> defused("=1+1")
    "'=1+1"
    """
    return f"'{text}" if is_formula(text) else text


def fused(text: str) -> str:
    """Take back what `defused` did.

    >>> fused("'=1+1")
    '=1+1'
    """
    return text[1:] if text.startswith("'") and is_formula(text) else text
