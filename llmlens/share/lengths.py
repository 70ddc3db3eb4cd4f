"""Texts cut to a length, each with a mark that says how much is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .packed import is_packed
from .streams import whole

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = re.compile(r" … \[([\d,]+) more characters left out\]$")
#: HTML is mostly markup.
_HTML_FACTOR = 4


class Scissors:
    """Cuts texts to `limit` characters, counting what it cuts."""

    def __init__(self, limit: int) -> None:
        """Cut to `limit` characters."""
        self.limit = limit
        self.texts = 0
        self.characters = 0

    def text(self, text: str, factor: int = 1) -> str:
        """Cut one text; what was cut from it before counts too."""
        limit = self.limit * factor
        mark = _MARK.search(text)
        body = text[: mark.start()] if mark else text
        if len(body) <= limit:
            return text
        missing = len(body) - limit
        self.texts += 1
        self.characters += missing
        return (
            f"{body[:limit]} … [{missing + (int(mark[1].replace(',', '')) if mark else 0):,} more characters left out]"
        )

    def value(self, value: Any) -> Any:
        """Cut the texts in a JSON value; packed numbers stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return value if is_packed(value) else {key: self.value(each) for key, each in value.items()}
        return [self.value(each) for each in value] if isinstance(value, list) else value

    def notebook(self, notebook: Any) -> None:
        """Cut the outputs of a notebook, in place."""
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                _cut_output(output, self.text)

    def collected(self, collected: dict[str, Any]) -> dict[str, Any]:
        """Cut the replies of collected views; figures and maps stay whole."""
        widgets = {
            model_id: {**copy, "replies": [self._reply(reply) for reply in copy["replies"]]}
            if "replies" in copy
            else copy
            for model_id, copy in collected["widgets"].items()
        }
        return {**collected, "widgets": widgets}

    def _reply(self, reply: dict[str, Any]) -> dict[str, Any]:
        return reply if reply["kind"] == "figure" else {**reply, "result": self.value(reply["result"])}


def _cut_output(output: Any, cut: Callable[..., str]) -> None:
    data = output.get("data", {})
    for kind in data:
        if kind.startswith("text/"):
            data[kind] = cut(whole(data[kind]), _HTML_FACTOR if kind == "text/html" else 1)
    if "text" in output:
        output["text"] = cut(whole(output["text"]))
    if "traceback" in output:
        output["traceback"] = cut("\n".join(map(str, output["traceback"]))).split("\n")
