"""Inline styles that repeat -> classes: the cells of a table say the same thousands of times."""

from __future__ import annotations

import re

#: A start tag as the sanitiser writes it, up to its `style`; text has no "<" of its own.
_STYLED = re.compile(
    r'<(?P<name>[a-z][a-z0-9]*)(?P<before>(?: [a-z-]+(?:="[^"]*")?)*?) style="(?P<style>[^"]*)"(?P<after>[^>]*)>'
)
#: What can stand in a stylesheet as it is: no comment, no quote and no bracket that could run on into the next rule.
_PLAIN = re.compile(r"[\w\s:;#,.%-]*(?:\([\w\s,.%-]*\)[\w\s:;#,.%-]*)*")


def gather_styles(html: str) -> tuple[str, str]:
    """Replace inline styles by classes; gives the HTML, and the CSS of the classes."""
    names: dict[str, str] = {}

    def named(tag: re.Match[str]) -> str:
        if ' class="' in tag["before"] or ' class="' in tag["after"] or not _PLAIN.fullmatch(tag["style"]):
            return tag[0]
        name = names.setdefault(tag["style"], f"i{len(names) + 1}")
        return f'<{tag["name"]}{tag["before"]} class="{name}"{tag["after"]}>'

    made = _STYLED.sub(named, html)
    # A rule of the page must not win over what the element itself said.
    return made, "".join(f"\n#page .{name} {{ {style} }}" for style, name in names.items())
