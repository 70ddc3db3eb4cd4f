"""The live parts of a page: copies of widgets, numbered as they appear, each beside a picture without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from .figures import figure_copy
from .sanitising import sanitised

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Views that have more rows than they show are printed as their picture.
_PRINTED_LIVE = frozenset({"Plot", "CostTreemap", "DriftMap"})
_DRAWN = _PRINTED_LIVE


class Copies:
    """Widgets by number (`w1`, `w2`, ...), and the assets that they share."""

    def __init__(self, collected: Mapping[str, Any] | None) -> None:
        """Take what `collecting.collect` gave, or None."""
        self._widgets: Mapping[str, Any] = (collected or {}).get("widgets", {})
        self.assets: dict[str, str] = dict((collected or {}).get("assets", {}))
        self.made: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, str] = {}

    def find(self, model_id: str) -> dict[str, Any] | None:
        """Give what was collected of a widget."""
        found = self._widgets.get(model_id)
        return found if isinstance(found, dict) else None

    def place(self, model_id: str, picture: str) -> str:
        """Give the place of a live widget in the page; `picture` is its HTML without scripts."""
        copy = self._widgets[model_id]
        if copy["kind"] == "figure":
            return self.figure(copy["figure"])
        if model_id not in self._numbers:
            self._numbers[model_id] = f"w{len(self._numbers) + 1}"
            self.made[self._numbers[model_id]] = copy
        return _place(self._numbers[model_id], copy, picture)

    def figure(self, spec: dict[str, Any]) -> str:
        """Give the place of a plotly figure."""
        number = f"w{len(self._numbers) + 1}"
        self._numbers[f"figure {number}"] = number
        copy = self.made[number] = figure_copy(spec, self.assets)
        return _place(number, copy, sanitised(copy["html"]))

    def number(self, model_id: str | None) -> str | None:
        """Give the number of a widget that is in the page."""
        return self._numbers.get(model_id or "")

    @property
    def draws(self) -> bool:
        """Whether any of them needs plotly.js."""
        return any(copy["kind"] == "view" and copy["name"] in _DRAWN for copy in self.made.values())


def _place(number: str, copy: dict[str, Any], picture: str) -> str:
    height = copy["state"].get("height") if copy["kind"] == "view" else None
    room = f' style="--room:{int(height)}px"' if isinstance(height, (int, float)) else ""
    printed = "live" if copy["name"] in _PRINTED_LIVE or copy["kind"] != "view" else "picture"
    return (
        f'<div class="widget" data-model="{escape(number)}" data-print="{printed}"{room}>'
        f'<div class="picture">{picture}</div></div>'
    )
