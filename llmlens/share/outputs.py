"""The outputs of a cell -> HTML that only shows, with places for what is live."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from llmlens.view.snapshot import visible

from . import markdown
from .figures import PLOTLY
from .model_ids import WIDGET
from .sanitising import sanitised
from .stock_widgets import stock_html
from .streams import joined, whole
from .tables import aligned
from .terminal import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .copies import Copies

_FROZEN = "A read-only picture. Share it from the running notebook, or with execute=True, to make it live."
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")


class Outputs:
    """Shows outputs; `copies` gathers what is live in them."""

    def __init__(self, copies: Copies) -> None:
        """Start with the widgets that were collected."""
        self._copies = copies

    def html(self, outputs: Iterable[Any]) -> str:
        """Show the outputs of a cell one after the other."""
        return "".join(self._one(output) for output in joined(outputs))

    def _one(self, output: Any) -> str:
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return f'<pre class="{name}">{_text(output.get("text"))}</pre>'
        if kind == "error":
            lines = output.get("traceback") or []
            said = f"{output.get('ename') or 'Error'}: {output.get('evalue') or ''}".strip().removesuffix(":")
            trace = _text("\n".join(map(str, lines)))
            more = f"<details><summary>Traceback</summary><pre>{trace}</pre></details>" if trace else ""
            return f'<div class="error"><p>{_text(said)}</p>{more}</div>'
        return self._data(output.get("data") or {})

    def _data(self, data: dict[str, Any]) -> str:
        if WIDGET in data and isinstance(data[WIDGET], dict):
            return self._widget(str(data[WIDGET].get("model_id")), data)
        if isinstance(data.get(PLOTLY), dict):
            return self._copies.figure(data[PLOTLY])
        for type_ in (kind for kind in _SHOWN if kind in data):
            shown = _SHOWN[type_](whole(data[type_]), type_)
            if shown:
                return shown
        if "application/json" in data:
            written = json.dumps(data["application/json"], indent=2, ensure_ascii=False)
            return f'<pre class="result">{_text(written)}</pre>'
        if "text/plain" in data:
            lost = [kind for kind in data if kind != "text/plain"]
            why = note(f"Only its text could be kept ({', '.join(lost)}).") if lost else ""
            return f'<pre class="result">{_text(data["text/plain"])}</pre>{why}'
        return note(f"An output of the kind {', '.join(data) or 'none'} was left out.")

    def _widget(self, model_id: str, data: dict[str, Any], depth: int = 0) -> str:
        copy = self._copies.find(model_id)
        fallback = sanitised(whole(data["text/html"])) if "text/html" in data else ""
        if copy is None:
            words = _text(data.get("text/plain") or "A widget")
            return (fallback or f'<pre class="result">{words}</pre>') + note(_FROZEN)
        if copy["kind"] == "stock":
            shown = stock_html(copy["state"], lambda inner: self._widget(inner, {}, depth + 1), self.html, depth)
            return f'<div class="stock">{shown}</div>' if depth == 0 else shown
        picture = sanitised(copy["html"]) if copy.get("html") else fallback
        return self._copies.place(model_id, picture or note(f"{copy['name']}: it shows where scripts run."))


def note(words: str) -> str:
    """Make a quiet line about what is not there."""
    return f'<p class="note">{escape(visible(words))}</p>'


def _text(value: Any) -> str:
    return escape(visible(plain(whole(value))))


def _html(value: str, _type: str) -> str:
    shown = aligned(sanitised(value))
    return f'<div class="rich">{shown}</div>' if shown.strip() else ""


def _markdown(value: str, _type: str) -> str:
    return f'<div class="rich">{markdown.as_html(value, markdown.Headings())}</div>'


def _vector(value: str, _type: str) -> str:
    import base64

    packed = base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")
    return f'<img alt="" src="data:image/svg+xml;base64,{packed}">'


def _picture(value: str, type_: str) -> str:
    packed = "".join(value.split())
    fine = packed.replace("+", "").replace("/", "").replace("=", "").isalnum()
    return f'<img alt="" src="data:{type_};base64,{packed}">' if fine else ""


def _formula(value: str, _type: str) -> str:
    return f'<pre class="formula">{_text(value)}</pre>'


#: How to show an output that has several forms: the first of these that it has.
_SHOWN = {
    "text/html": _html,
    "text/markdown": _markdown,
    "image/svg+xml": _vector,
    **dict.fromkeys(_PICTURES, _picture),
    "text/latex": _formula,
}
