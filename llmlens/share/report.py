"""`report`: a dump in, a review out."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.arguments import explains_arguments
from llmlens.errors import ReadError, SelectionError, ShareError, SourceNotFoundError, nearest
from llmlens.traces import Traces

from .notebook_file import read_notebook
from .sharing import share

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from .redacting import Redacts

TEMPLATES = Path(__file__).with_name("templates")
#: As `baseline=`: what the load has before the window.
BEFORE = "before"


@explains_arguments
def report(
    traces: Traces | str | Path,
    out: str | Path = "review.html",
    template: str | Path = "incident",
    *,
    baseline: Traces | str | Path | None = None,
    since: str | pd.Timestamp | None = None,
    until: str | pd.Timestamp | None = None,
    title: str | None = None,
    redact: bool | Redacts = True,
    code: str = "fold",
    parameters: Mapping[str, Any] | None = None,
    max_mb: float = 20,
) -> Path:
    """Write a review of a dump: what changed, the traces that show it, cost, errors, quality, outputs, tools.

    `traces` is what `llmlens.read` takes (a path, a glob, a folder), or `Traces`. `since` and `until` are the window
    under review. `baseline` is the same of a usual time, or "before": what the load has before `since`; without one the
    window is compared with itself over time. `out` says by its suffix what is written, see `llmlens.share`, which also
    explains `title`, `redact`, `code` and `max_mb`.

    `template` is "incident", or the path of a notebook of your own with a cell tagged "parameters": it is given
    `source`, `baseline_source`, `since` and `until`, and what `parameters` has. A cell that fails is shown with its
    error, and the rest of the review comes all the same.

    Returns the path of the review. Raises `ShareError` for a template or an `out` that does not do,
    `SourceNotFoundError` for a dump that is not there; nothing is written then.

    >>> ll.report("support_week.otlp.jsonl.gz", "review.html", since="2026-11-05")  # doctest: +SKIP
    """
    notebook = read_notebook(_template(template))
    if isinstance(baseline, str) and baseline == BEFORE and since is None:
        raise SelectionError('baseline="before" is what comes before since=: give that too.')
    with ExitStack() as stack:
        told = baseline is None or (isinstance(baseline, str) and baseline == BEFORE)
        given = {
            "source": _source(traces, "traces", stack),
            "baseline_source": baseline if told else _source(baseline, "baseline", stack),
            "since": None if since is None else str(since),
            "until": None if until is None else str(until),
            **(parameters or {}),
        }
        return share(
            notebook,
            out,
            execute=True,
            parameters=given,
            redact=redact,
            code=code,
            title=title or _title(traces),
            max_mb=max_mb,
        )


def _template(name: str | Path) -> Path:
    """Find a template by its name, or by its path."""
    known = {path.stem: path for path in TEMPLATES.glob("*.ipynb")}
    if str(name) in known:
        return known[str(name)]
    path = Path(name)
    if path.suffix != ".ipynb":
        raise ShareError(
            f"There is no template {str(name)!r}. There is {', '.join(known)}, or give the path of an .ipynb file."
            + nearest(str(name), known)
        )
    return path


def _source(given: object, argument: str, stack: ExitStack) -> str:
    """Give a path that the notebook's kernel can read: `Traces` are saved for it, and gone afterwards."""
    if isinstance(given, Traces):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="llmlens-report-"))) / argument
        return str(given.save(folder))
    if not isinstance(given, str | Path):
        raise ReadError(f"{argument} is what llmlens.read takes, or Traces; got {type(given).__name__}.")
    path = Path(given)
    if not path.exists() and not any(sign in str(given) for sign in "*?["):
        raise SourceNotFoundError(f"There is no {str(given)!r} to report on.")
    return str(path.absolute())


def _title(traces: Traces | str | Path) -> str:
    if isinstance(traces, Traces):
        return "Incident review"
    return f"Incident review: {Path(traces).name.split('.')[0].replace('_', ' ')}"
