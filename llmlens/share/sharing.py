"""`share`: a notebook as one file that opens without network and kernel, redacted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import ShareError, unknown

from .collecting import collect
from .destination import destination, written
from .executing import run_notebook
from .lengths import Scissors
from .model_ids import model_ids
from .notebook_file import as_notebook, read_notebook
from .redacting import Redacts, redact_collected, redact_notebook
from .review import Review
from .running import running_notebook
from .saved_state import saved_widgets
from .streams import joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

#: An output is kept up to so many characters, and is redacted with so many more.
_LONGEST, _MARGIN = 200_000, 20_000
_CODE = ("fold", "show", "hide")
_TEXTS = ("shown", "all", "none")


@explains_arguments
def share(
    notebook: str | Path | NotebookNode | None = None,
    out: str | Path | None = None,
    *,
    execute: bool = False,
    parameters: Mapping[str, Any] | None = None,
    redact: bool | Redacts = True,
    code: str = "fold",
    title: str | None = None,
    texts: str = "shown",
    max_mb: float = 20,
) -> Path:
    """Write a notebook as one file that can be sent: it opens without network and without kernel, redacted.

    `notebook` is the path of an .ipynb file; in a running notebook it can be left out. `out` says by its suffix what
    is written: .html (the default, beside the notebook: views and figures stay live), .ipynb (for GitHub: pictures
    without scripts instead of views), .md, or .pdf (where Chromium is found).

    Views are live when the notebook is shared from its own running kernel, or with `execute=True`, which runs it anew
    in its folder with `parameters` (name -> value, put in as papermill does). Of a file alone only pictures are there.

    `redact`: True takes out secrets, cards, e-mail addresses and the like, a `Redactor` does as it was told, False
    nothing. `code`: "fold", "show" or "hide". `texts`: which texts the trace explorers of the page hold: those of the
    traces that are "shown" first, "all", or "none". Above `max_mb` texts are shortened, each with a mark that says so.

    Returns the path of the file. Raises `ShareError` with nothing written when there is no notebook, when `out`
    cannot be written, or when what it takes is not installed.
    """
    for name, value, known in (("code=", code, _CODE), ("texts=", texts, _TEXTS)):
        if value not in known:
            raise unknown(name, str(value), known)
    from .formats import FORMATS  # its picture of every view is slow to import

    redactor = _redactor(redact)
    notices: list[str] = []
    path: Path | None
    if notebook is None:
        path, read, notices = running_notebook()
    else:
        path = Path(notebook) if isinstance(notebook, (str, os.PathLike)) else None
        read = read_notebook(path) if path is not None else as_notebook(json.dumps(notebook))
    target = destination(path, out, FORMATS)
    write = FORMATS[target.suffix.lower()]
    if execute:
        collected = run_notebook(read, path.resolve().parent if path else Path.cwd(), parameters, texts)
        if collected is None:
            notices.append("The kernel of this notebook has no llmlens: its views are pictures.")
    elif parameters:
        raise ShareError("parameters= are for a notebook that is run: add execute=True.")
    else:
        collected = _of_this_kernel(read, texts, running=notebook is None)
    for cell in read.cells:
        if "outputs" in cell:
            cell.outputs = joined(cell.outputs)
    name = title or _title(read, path)
    # What is cut away is not looked at; a little more is kept until then, so that no secret is cut in two.
    Scissors(_LONGEST + _MARGIN).notebook(read)
    if redactor is not None:
        redact_notebook(read, redactor)
        collected = None if collected is None else redact_collected(collected, redactor)
        name = redactor.text(name, "words")
        notices = [redactor.text(each, "head") for each in notices]
    Scissors(_LONGEST).notebook(read)
    review = Review(read, collected, name, code, notices=notices, redacted=_summary(redactor))
    with written(target) as made:
        write(review, made, max_mb)
    return target


def _of_this_kernel(notebook: Any, texts: str, *, running: bool) -> dict[str, Any]:
    """Collect the widgets that live in this process, and of the others what the file remembers."""
    collected = collect(model_ids(notebook), texts)
    if not (running or collected["widgets"]):
        collected |= {"loaded": [], "versions": {}}  # this process did not make the notebook
    collected["widgets"] = {**saved_widgets(notebook), **collected["widgets"]}
    return collected


def _redactor(redact: bool | Redacts) -> Redacts | None:
    if redact is False:
        return None
    if redact is True:
        from llmlens.redaction import Redactor

        return Redactor()
    if not isinstance(redact, Redacts):
        raise ShareError(f"redact= is True, False or a Redactor; got {type(redact).__name__}.")
    return redact


def _summary(redactor: Redacts | None) -> str:
    """Say what was taken out, for the head of the page."""
    if redactor is None:
        return "nothing: shared with redact=False"
    notes = [note.removeprefix("redacted ") for note in getattr(redactor, "notes", ())]
    return "; ".join(notes) or "looked for secrets, cards, accounts and people, and found none"


def _title(notebook: Any, path: Path | None) -> str:
    """Find a title: the first heading, else the name of the file."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return path.stem.replace("_", " ") if path is not None else "Notebook"
