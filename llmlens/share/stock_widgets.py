"""ipywidgets' own widgets -> what they say, as plain HTML: a page without a kernel cannot move a slider."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from .sanitising import sanitised

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[[str], str]

_BOXES = frozenset({"BoxModel", "VBoxModel", "GridBoxModel", "StackModel", "AccordionModel", "TabModel"})
_REFERENCE = "IPY_MODEL_"
_DEEPEST = 20


def stock_html(state: dict[str, Any], inner: Render, outputs: Callable[[list[Any]], str], depth: int = 0) -> str:
    """Show the state of a widget; `inner` shows the widget of a model id, `outputs` what an Output holds."""
    name = str(state.get("_model_name", ""))
    value = state.get("value")
    if name in _BOXES or name == "HBoxModel":
        return _box(state, inner, row=name == "HBoxModel") if depth < _DEEPEST else ""
    if name == "OutputModel":
        return outputs([each for each in state.get("outputs") or [] if isinstance(each, dict)])
    if name in {"HTMLModel", "HTMLMathModel"}:
        return _described(state, sanitised(str(value or "")))
    if name.endswith("ProgressModel") and isinstance(value, (int, float)):
        return _described(state, f"{value:g} of {state.get('max')}")
    if name in {"CheckboxModel", "ToggleButtonModel", "ValidModel"}:
        return _described(state, "yes" if value else "no")
    if isinstance(state.get("_options_labels"), list):
        return _described(state, escape(_chosen(state)))
    if isinstance(value, (str, int, float)):
        return _described(state, escape(str(value)))
    if isinstance(value, list) and all(isinstance(each, (str, int, float)) for each in value):
        return _described(
            state, escape(" to ".join(map(str, value)) if "Range" in name else ", ".join(map(str, value)))
        )
    return _described(state, "")


def _box(state: dict[str, Any], inner: Render, *, row: bool) -> str:
    children = [each for each in state.get("children") or [] if isinstance(each, str) and each.startswith(_REFERENCE)]
    titles = list(state.get("titles") or ())
    parts = []
    for place, child in enumerate(children):
        title = f"<b>{escape(str(titles[place]))}</b>" if place < len(titles) and titles[place] else ""
        parts.append(f"<div>{title}{inner(child.removeprefix(_REFERENCE))}</div>")
    return f'<div class="box{" row" if row else ""}">{"".join(parts)}</div>'


def _described(state: dict[str, Any], value: str) -> str:
    words = escape(str(state.get("description") or ""))
    if words and value:
        return f'<div class="control"><span class="quiet">{words}</span> {value}</div>'
    return f'<div class="control">{words or value}</div>' if words or value else ""


def _chosen(state: dict[str, Any]) -> str:
    labels = [str(each) for each in state["_options_labels"]]
    chosen = state.get("index")
    places = chosen if isinstance(chosen, list) else [chosen]
    return ", ".join(labels[place] for place in places if isinstance(place, int) and 0 <= place < len(labels)) or "–"
