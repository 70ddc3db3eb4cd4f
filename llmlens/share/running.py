"""The notebook that this code runs in: its file, and what of it is not saved."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import ShareError

from .notebook_file import read_notebook

if TYPE_CHECKING:
    from nbformat import NotebookNode


def running_notebook() -> tuple[Path, list[str]]:
    """Find the file of the running notebook; gives its path, and what to tell of it.

    Raises `ShareError` where no notebook runs, or where its file cannot be known.
    """
    path = _path()
    if path is None:
        raise ShareError(
            "share() without a path works in a notebook of JupyterLab or VS Code. "
            'Give the path of the notebook: share("incident-4711.ipynb").'
        )
    saved = time.strftime("%H:%M:%S", time.localtime(path.stat().st_mtime))
    missing = unsaved(read_notebook(path), _history())
    if missing:
        many = f"{missing} cell{'' if missing == 1 else 's'} that {'was' if missing == 1 else 'were'} run"
        return path, [f"This is the notebook as it was saved at {saved}; {many} since then differ from it."]
    return path, []


def _path() -> Path | None:
    shell = _shell()
    if shell is None:
        return None
    for found in (shell.user_ns.get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME")):
        if found and Path(found).suffix == ".ipynb" and Path(found).is_file():
            return Path(found)
    return None


def _history() -> list[str]:
    """Give what was run in this kernel, but for the cell that is running."""
    shell = _shell()
    return [] if shell is None else list(shell.user_ns.get("In", []))[1:-1]


def _shell() -> Any:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    return get_ipython()


def unsaved(notebook: NotebookNode, history: list[str]) -> int:
    """Count the cells that were run and are not in the notebook, each as it was run last."""
    there = {_flat(cell.source) for cell in notebook.cells if cell.cell_type == "code"}
    return len({_flat(source) for source in history if source.strip()} - there)


def _flat(source: str) -> str:
    return "\n".join(line.rstrip() for line in source.strip().splitlines())
