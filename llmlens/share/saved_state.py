"""What a notebook file itself remembers of ipywidgets' own widgets."""

from __future__ import annotations

from typing import Any

_STATE = "application/vnd.jupyter.widget-state+json"
_OWN = ("@jupyter-widgets/controls", "@jupyter-widgets/base", "@jupyter-widgets/output")


def saved_widgets(notebook: Any) -> dict[str, Any]:
    """Give the stock widgets by model id, as `collecting.collect` does.

    Other widgets bring code of their own; that of a file, which anybody may have written, is not run.
    """
    models = notebook.metadata.get("widgets", {}).get(_STATE, {}).get("state", {})
    found = {}
    for model_id, model in models.items():
        if isinstance(model, dict) and model.get("model_module") in _OWN and isinstance(model.get("state"), dict):
            state = {**model["state"], "_model_name": model.get("model_name")}
            found[model_id] = {"kind": "stock", "name": str(model.get("model_name")), "state": state}
    return found
