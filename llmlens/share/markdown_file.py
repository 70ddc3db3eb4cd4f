"""A notebook as Markdown: words as they are, code in fences, outputs as text, tables and pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .copies import Copies
from .outputs import Outputs
from .sanitising import sanitised
from .streams import whole
from .terminal import plain

if TYPE_CHECKING:
    from .review import Review

_TICKS = re.compile(r"`{3,}")


def markdown_file(review: Review) -> str:
    """Write the notebook as Markdown, with HTML where Markdown has no form: tables of views and frames."""
    outputs = Outputs(Copies(review.collected))
    language = review.notebook.metadata.get("language_info", {}).get("name", "python")
    parts = []
    if not any(
        cell.cell_type == "markdown" and cell.source.lstrip().startswith("# ") for cell in review.notebook.cells
    ):
        parts.append(f"# {review.title}")
    for cell in review.notebook.cells:
        if cell.cell_type == "code":
            parts += [_fenced(cell.source, language)] if cell.source.strip() and review.code != "hide" else []
            parts += filter(None, (_output(output, outputs) for output in cell.get("outputs", [])))
        else:
            parts.append(cell.source.strip())
    parts += [f"*{line}*" for line in review.notices]
    if review.redacted:
        parts.append(f"*Redacted: {review.redacted}*")
    return "\n\n".join(filter(None, parts)) + "\n"


def _output(output: Any, outputs: Outputs) -> str:
    if output.get("output_type") == "stream":
        return _fenced(plain(whole(output.get("text"))).rstrip(), "text")
    data = output.get("data", {})
    if set(data) == {"text/plain"}:
        return _fenced(plain(whole(data["text/plain"])), "text")
    return sanitised(outputs.html([output]))


def _fenced(text: str, language: str) -> str:
    longest = max((len(found) for found in _TICKS.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"
