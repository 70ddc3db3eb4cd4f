"""A notebook file of any age -> a notebook of today's format."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

from llmlens.errors import ShareError

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

#: The format that everything here works on.
_FORMAT = 4


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook, bringing older formats up to date.

    Raises `ShareError` when there is no such file, or when it is no notebook.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ShareError(f"There is no notebook {str(path)!r}. Give the path of an .ipynb file.") from None
    except IsADirectoryError:
        raise ShareError(f"{str(path)!r} is a folder. Give the path of an .ipynb file in it.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ShareError(f"{str(path)!r} cannot be read as a notebook: {error}") from None
    return as_notebook(text, repr(str(path)))


def as_notebook(text: str, name: str = "the notebook") -> NotebookNode:
    """Parse a notebook and bring it up to date; raise `ShareError` naming `name` when it is none."""
    import nbformat

    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise ShareError(f"{name} is no notebook: it is not JSON. Give the path of an .ipynb file.") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("nbformat"), int):
        raise ShareError(f"{name} is no notebook: it is JSON without `nbformat`. Give the path of an .ipynb file.")
    if raw["nbformat"] > _FORMAT:
        raise ShareError(f"{name} has notebook format {raw['nbformat']}, newer than {_FORMAT}: update nbformat.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about ids of cells, which older notebooks do not have
            made: NotebookNode = nbformat.convert(nbformat.reader.reads(text), _FORMAT)  # type: ignore[no-untyped-call]
            made = nbformat.v4.upgrade(made)  # type: ignore[no-untyped-call]
            nbformat.validate(made, relax_add_props=True)
    except Exception as error:  # noqa: BLE001  # nbformat raises what it meets: KeyError, AttributeError, ValidationError
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ShareError(f"{name} is no valid notebook: {first}. Open and save it in JupyterLab first.") from None
    ids = [cell.get("id") for cell in raw.get("cells", [])]
    if None in ids or len(set(ids)) < len(made.cells):
        for number, cell in enumerate(made.cells):
            cell["id"] = f"c{number + 1}"  # those that nbformat makes up are random
    return made
