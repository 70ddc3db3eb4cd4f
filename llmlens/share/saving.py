"""Ask JupyterLab to save the notebook that a kernel serves."""

from __future__ import annotations

import json
import time
from pathlib import Path

#: JupyterLab takes a fraction of a second; other front ends do not save when asked like this.
_WAIT_S = 4.0
_STEP_S = 0.05


def save_notebook(path: Path) -> str | None:
    """Have the page that shows the notebook save it; gives the id of the widget that asked, or None if nobody saved.

    There is no message for this. A widget that is shown for a moment presses the shortcut, in the page.
    """
    import anywidget
    from IPython.display import display

    class Save(anywidget.AnyWidget):
        _esm = Path(__file__).with_name("save.js").read_text("utf-8")

    before = path.stat().st_mtime_ns
    widget = Save()
    model_id = str(widget.model_id)
    shown = display(widget, display_id=True)  # type: ignore[no-untyped-call]
    until = time.monotonic() + _WAIT_S
    while not _saved(path, before) and time.monotonic() < until:
        time.sleep(_STEP_S)
    saved = _saved(path, before)
    if shown is not None:
        shown.update({"text/plain": "", "text/html": ""}, raw=True)
    widget.close()
    return model_id if saved else None


def _saved(path: Path, before: int) -> bool:
    """Say whether the file was written since, and to its end: a server may write it in place."""
    if path.stat().st_mtime_ns == before:
        return False
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True
