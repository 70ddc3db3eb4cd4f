"""Living widgets -> what a copy without their kernel needs. This runs in the kernel that the widgets live in."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .follow import following
from .loaded import loaded, versions

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)

#: How long one view is waited for that is still being made.
_WAIT_S = 180.0
_REFERENCE = "IPY_MODEL_"
_PLUMBING = frozenset({"layout", "tabbable", "tooltip"})


def collect(model_ids: Iterable[str], texts: str = "shown") -> dict[str, Any]:
    """Collect what the living among `model_ids` show, and the widgets inside them, as plain JSON.

    Gives `widgets` by model id (`kind`, `name`, `state`, and by kind `esm`, `css`, `replies`, `html`, `figure`,
    `follows`), the `assets` that `esm` and `css` name, `loaded` and `versions`. `texts` says which texts the replies
    hold: "shown", "all" or "none".
    """
    living = _living()
    found: dict[str, Any] = {"widgets": {}, "assets": {}, "loaded": loaded(), "versions": versions()}
    waiting = [model_id for model_id in model_ids if model_id in living]
    while waiting:
        model_id = waiting.pop(0)
        if model_id in found["widgets"]:
            continue
        try:
            copy = _copy(living[model_id], texts, found["assets"])
        except Exception:
            logger.exception("%s cannot be shared", type(living[model_id]).__name__)
            continue
        found["widgets"][model_id] = copy
        waiting += [inner for inner in _references(copy["state"]) if inner in living]
    return found


def write_collected(path: str, model_ids: Iterable[str], texts: str) -> None:
    """Collect into a file: how another process asks for it."""
    Path(path).write_text(json.dumps(collect(model_ids, texts)), "utf-8")


def _living() -> dict[str, Any]:
    """Give the widgets of this process by model id, without importing ipywidgets where nobody has."""
    module = sys.modules.get("ipywidgets.widgets.widget")
    return dict(getattr(module, "_instances", {}))


def _copy(widget: Any, texts: str, assets: dict[str, str]) -> dict[str, Any]:
    name = type(widget).__name__
    plotly = sys.modules.get("plotly.basedatatypes")
    if plotly is not None and isinstance(widget, plotly.BaseFigure):
        return {"kind": "figure", "name": name, "state": {}, "figure": json.loads(widget.to_json())}
    state, buffers = _state(widget)
    esm = state.pop("_esm", None)
    if esm is None:
        return {"kind": "stock", "name": str(state.get("_model_name", name)), "state": state}
    copy: dict[str, Any] = {
        "kind": "module",
        "name": name,
        "esm": _asset(assets, esm),
        "css": _asset(assets, state.pop("_css", "") or ""),
    }
    copy["state"] = {key: value for key, value in state.items() if not key.startswith("_") and key not in _PLUMBING}
    copy["buffers"] = buffers
    view = sys.modules.get("llmlens.view.base")
    return _with_replies(widget, copy, texts) if view is not None and isinstance(widget, view.View) else copy


def _with_replies(view: Any, copy: dict[str, Any], texts: str) -> dict[str, Any]:
    if hasattr(view, "wait") and not view.wait(_WAIT_S):
        logger.warning("%r was not finished after %.0f s: it is shared as far as it is", view, _WAIT_S)
    state, _ = _state(view)
    copy["state"] |= {key: state[key] for key in copy["state"]}
    replies, follows = following(view, texts) or (list(view.static_replies(texts)), None)
    # The picture shows the beginnings of texts too.
    picture = "" if texts == "none" and any(True for _ in view.static_texts()) else view.snapshot()
    return {**copy, "kind": "view", "replies": replies, "html": picture, "follows": follows}


def _state(widget: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a widget's state as plain JSON, and its binary parts with the path where each belongs."""
    from ipywidgets.widgets.widget import _remove_buffers

    state, paths, buffers = _remove_buffers(widget.get_state())
    packed = [
        {"path": list(path), "data": base64.b64encode(bytes(buffer)).decode("ascii")}
        for path, buffer in zip(paths, buffers, strict=True)
    ]
    return json.loads(json.dumps(state, default=str)), packed


def _asset(assets: dict[str, str], text: str) -> str:
    key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
    assets[key] = text
    return key


def _references(value: Any) -> list[str]:
    """Find the models that a state refers to."""
    if isinstance(value, str):
        return [value.removeprefix(_REFERENCE)] if value.startswith(_REFERENCE) else []
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [model_id for each in inside for model_id in _references(each)]
