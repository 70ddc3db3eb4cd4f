"""Markdown -> HTML that only shows, with anchors at its headings."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from .sanitising import sanitised

_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Heading:
    """A line of the table of contents: `level` 1 to 6, and where it leads."""

    level: int
    text: str
    anchor: str


class Headings:
    """The headings of a page in their order; each gets an anchor that no other has."""

    def __init__(self) -> None:
        """Start without any."""
        self.found: list[Heading] = []

    def add(self, level: int, text: str) -> Heading:
        """Note a heading."""
        heading = Heading(level, text, f"s{len(self.found) + 1}")
        self.found.append(heading)
        return heading


def as_html(text: str, headings: Headings) -> str:
    """Render Markdown; its headings are noted and get anchors. Formulas stay as they were written."""

    def anchored(found: re.Match[str]) -> str:
        words = " ".join(unescape(_TAG.sub("", found[2])).split())
        heading = headings.add(int(found[1]), words)
        return f'<h{found[1]} id="{escape(heading.anchor)}">{found[2]}</h{found[1]}>'

    return _HEADING.sub(anchored, sanitised(_renderer()(text)))


@functools.cache
def _renderer() -> Any:
    import mistune

    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "task_lists", "footnotes", "url"])
