"""The notebook that this code runs in: its file, saved if that can be done, and what of it is not saved."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import ShareError

from .model_ids import WIDGET
from .notebook_file import read_notebook
from .saving import save_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode


def running_notebook() -> tuple[Path, NotebookNode, list[str]]:
    """Save and read the running notebook; gives its path, the notebook, and what to tell of it.

    Raises `ShareError` where no notebook runs, or where its file cannot be known.
    """
    path = _path()
    if path is None:
        raise ShareError(
            "share() without a path works in a notebook of JupyterLab or VS Code. "
            'Give the path of the notebook: share("incident-4711.ipynb").'
        )
    asked = save_notebook(path)
    notebook = read_notebook(path)
    missing = unsaved(notebook, _runs())
    for cell in notebook.cells:
        if asked is not None and "outputs" in cell:
            cell.outputs = [
                each for each in cell.outputs if each.get("data", {}).get(WIDGET, {}).get("model_id") != asked
            ]
        if cell.cell_type == "code" and cell.source in _history()[-1:] and not cell.execution_count:
            cell.execution_count = len(_history()) - 1  # it is running
    saved = time.strftime("%H:%M:%S", time.localtime(path.stat().st_mtime))
    if missing:
        ran = "1 cell was" if missing == 1 else f"{missing} cells were"
        return path, notebook, [f"The notebook as it was saved at {saved}; {ran} run since. Save it and share again."]
    if asked is None:
        return path, notebook, [f"The notebook as it was saved at {saved}."]
    return path, notebook, []


def _path() -> Path | None:
    shell = _shell()
    if shell is None:
        return None
    for found in (shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if found and Path(found).suffix == ".ipynb" and Path(found).is_file():
            return Path(found)
    return None


def _runs() -> int:
    """Count what was run in this kernel, but for the cell that is running."""
    return max(0, len(_history()) - 2)


def _history() -> list[str]:
    """Give what was run in this kernel by its number; the last one is running."""
    shell = _shell()
    return [] if shell is None else list(shell.user_ns.get("In", []))


def _shell() -> Any:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return get_ipython()


def unsaved(notebook: NotebookNode, runs: int) -> int:
    """Count the runs of cells that came after the notebook was saved: it has no cell with their number."""
    counts = [cell.get("execution_count") or 0 for cell in notebook.cells if cell.cell_type == "code"]
    return max(0, runs - max(counts, default=0))
