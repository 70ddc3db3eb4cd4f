"""Texts -> compressed parts of a page, each once; the browser opens them when they are needed."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Replies are packed together up to here, so that opening one does not open all.
_CHUNK = 400_000


class Parts:
    """The compressed parts of a page, by name."""

    def __init__(self) -> None:
        """Start without any."""
        self._names: dict[str, str] = {}
        self._scripts: list[str] = []

    def add(self, text: str) -> str:
        """Add a text unless it is there; gives the name of its part."""
        if text not in self._names:
            name = self._names[text] = f"p{len(self._names) + 1}"
            self._scripts.append(f'<script type="text/plain" data-part="{name}">{_packed(text)}</script>')
        return self._names[text]

    def add_replies(self, replies: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Add the replies of a view: gives the part that says which reply is in which other part."""
        index: dict[str, int] = {}
        parts: list[str] = []
        chunk: dict[str, Any] = {}
        size = 0
        for reply in replies:
            key = f"{reply['kind']} {as_json(reply['arguments'])}"
            if key in index:
                continue
            index[key] = len(parts)
            chunk[key] = reply["result"]
            size += len(as_json(reply["result"]))
            if size > _CHUNK:
                parts.append(self.add(as_json(chunk)))
                chunk, size = {}, 0
        if chunk:
            parts.append(self.add(as_json(chunk)))
        return {"index": self.add(as_json(index)), "parts": parts}

    def html(self) -> str:
        """Give the parts as scripts that no browser runs."""
        return "\n".join(self._scripts)


def _packed(text: str) -> str:
    """Compress, and write in base 85: a quarter longer than the bytes, where base 64 is a third."""
    made = base64.b85encode(gzip.compress(text.encode("utf-8", "replace"), 9, mtime=0)).decode("ascii")
    return made.replace("<", ",").replace("&", ".")  # nothing in it means anything in HTML


def as_json(value: Any) -> str:
    """Write JSON the one way that the page writes it too: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def in_script(value: Any) -> str:
    """Write JSON that can stand in a script: nothing in it ends the script."""
    return as_json(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
