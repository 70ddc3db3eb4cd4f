"""What programs print for terminals -> text as a terminal would leave it."""

from __future__ import annotations

import re

#: Control sequences: CSI (colours, cursor), OSC (titles, links), and the short ones.
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|\x9b[0-?]*[ -/]*[@-~]", re.DOTALL
)
_OVERWRITTEN = re.compile(r"^.*\r(?!\n|$)", re.MULTILINE)
_BACKSPACE = re.compile(r"[^\n\x08]\x08")


def plain(text: str) -> str:
    r"""Take out control sequences, and what a carriage return or a backspace has overwritten.

    >>> plain("\x1b[31mred\x1b[0m\r\n10%\r100%")
    'red\r\n100%'
    """
    shown = _OVERWRITTEN.sub("", _ESCAPE.sub("", text))
    while _BACKSPACE.search(shown):
        shown = _BACKSPACE.sub("", shown)
    return shown
