"""Which widgets a notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The type of an output that is a widget: `{"model_id": ...}`.
WIDGET = "application/vnd.jupyter.widget-view+json"


def model_ids(notebook: Any) -> list[str]:
    """Give the ids of the widgets in a notebook's outputs, each once, in order."""
    return list(dict.fromkeys(_ids(notebook)))


def _ids(notebook: Any) -> Iterator[str]:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            shown = output.get("data", {}).get(WIDGET)
            if isinstance(shown, dict) and isinstance(shown.get("model_id"), str):
                yield shown["model_id"]
