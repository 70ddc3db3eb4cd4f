"""A notebook for readers without scripts, such as GitHub: pictures instead of views, no widget state."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from .copies import Copies
from .figures import PLOTLY, figure_copy
from .model_ids import WIDGET
from .outputs import Outputs
from .sanitising import sanitised

if TYPE_CHECKING:
    from .review import Review

#: A figure up to this size is kept beside its picture, for JupyterLab to draw.
_DRAWN = 300_000


def github_notebook(review: Review) -> str:
    """Write the notebook as JSON: the same cells, with outputs that any reader of notebooks shows."""
    notebook = copy.deepcopy(review.notebook)
    notebook.metadata.pop("widgets", None)
    outputs = Outputs(Copies(review.collected))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [_cleaned(output, outputs) for output in cell.get("outputs", [])]
    said = [*review.notices, f"Redacted: {review.redacted}"] if review.redacted else list(review.notices)
    if said:
        notebook.cells.append(_words("\n\n".join(f"*{line}*" for line in said)))
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _cleaned(output: Any, outputs: Outputs) -> Any:
    data = output.get("data")
    if not data:
        return output
    if WIDGET in data:
        output["data"] = {"text/plain": data.get("text/plain", "A widget"), "text/html": _picture(output, outputs)}
    elif PLOTLY in data:
        kept = {PLOTLY: data[PLOTLY]} if len(json.dumps(data[PLOTLY])) <= _DRAWN else {}
        picture = sanitised(figure_copy(data[PLOTLY], {})["html"])
        output["data"] = {**kept, "text/html": picture, "text/plain": data.get("text/plain", "A figure")}
    else:
        output["data"] = {kind: value for kind, value in data.items() if kind != "application/javascript"}
        if "text/html" in data:
            output["data"]["text/html"] = sanitised("".join(data["text/html"]))
    return output


def _picture(output: Any, outputs: Outputs) -> str:
    return sanitised(outputs.html([output]))


def _words(text: str) -> Any:
    import nbformat

    return nbformat.v4.new_markdown_cell(text, id="shared")  # type: ignore[no-untyped-call]
