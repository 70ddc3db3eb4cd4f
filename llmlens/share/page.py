"""A notebook and what was collected of its widgets -> one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.view.snapshot import visible

from . import markdown, source_code
from .copies import Copies
from .heading import heading_html
from .outputs import Outputs, note
from .packing import Parts, as_json, in_script
from .styles import gather_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .markdown import Heading, Headings
    from .review import Review

_HERE = Path(__file__).parent
#: Tags that hide parts of a cell, as other exporters of notebooks know them.
_NO_CELL, _NO_INPUT, _NO_OUTPUT = ({f"remove-{part}", f"remove_{part}"} for part in ("cell", "input", "output"))


def page(review: Review) -> str:
    """Write the page; the same review gives the same text."""
    copies = Copies(review.collected)
    headings = markdown.Headings()
    body = _cells(review, Outputs(copies), headings)
    body, gathered = gather_styles(body)
    parts = Parts()
    models = {number: _model(copy, copies, parts) for number, copy in copies.made.items()}
    plotly = parts.add(_plotly()) if copies.draws else None
    host, reader = (_script(name) for name in ("host.js", "page.js"))
    return _file("page.html").format(
        policy=escape(_policy([host, reader], evaluates=_needs_eval(copies))),
        title=escape(visible(review.title)),
        style=_file("page.css") + gathered,
        code=escape(review.code),
        heading=heading_html(review),
        contents=_contents(headings.found),
        body=body,
        models=in_script({"models": models, "plotly": plotly}),
        parts=parts.html(),
        host=host,
        reader=reader,
    )


def _cells(review: Review, outputs: Outputs, headings: Headings) -> str:
    shown = []
    language = review.notebook.metadata.get("language_info", {}).get("name", "python")
    for number, cell in enumerate(review.notebook.cells, 1):
        tags = set(cell.metadata.get("tags", []))
        if tags & _NO_CELL:
            continue
        if cell.cell_type == "markdown":
            html = markdown.as_html(_without_title(cell.source, review.title), headings)
            shown.append(f'<section class="cell words" id="cell-{number}">{html}</section>' if html.strip() else "")
        elif cell.cell_type == "code":
            code = (
                "" if tags & _NO_INPUT or review.code == "hide" else _code(cell, language, fold=review.code == "fold")
            )
            results = "" if tags & _NO_OUTPUT else outputs.html(cell.get("outputs", []))
            if code or results:
                shown.append(
                    f'<section class="cell" id="cell-{number}">{code}<div class="outputs">{results}</div></section>'
                )
        else:
            shown.append(f'<section class="cell"><pre class="result">{escape(visible(cell.source))}</pre></section>')
    return "\n".join(filter(None, shown)) or note("This notebook has no cells.")


def _code(cell: Any, language: str, *, fold: bool) -> str:
    if not cell.source.strip():
        return ""
    failed = any(output.get("output_type") == "error" for output in cell.get("outputs", []))
    count = cell.get("execution_count")
    state = "failed" if failed else "" if count else "not run"
    mark = f'<span class="state">{state}</span>' if state else ""
    summary = escape(visible(source_code.first_line(cell.source)))
    marked = source_code.as_html(visible(cell.source), language)
    return (
        f'<details class="code"{"" if fold else " open"}><summary><span class="line">{summary}</span>{mark}</summary>'
        f"<pre><code>{marked}</code></pre></details>"
    )


def _without_title(source: str, title: str) -> str:
    """Leave out a first heading that the head of the page says already."""
    first, _, rest = source.lstrip().partition("\n")
    return rest if first.startswith("# ") and first[2:].strip() == title else source


def _contents(headings: Sequence[Heading]) -> str:
    lines = [
        f'<li class="level{heading.level}"><a href="#{escape(heading.anchor)}">{escape(visible(heading.text))}</a></li>'
        for heading in headings
    ]
    return f"<ol>{''.join(lines)}</ol>" if lines else ""


def _model(copy: dict[str, Any], copies: Copies, parts: Parts) -> dict[str, Any]:
    made = {
        "name": copy["name"],
        "esm": parts.add(copies.assets[copy["esm"]]),
        "css": parts.add(copies.assets[copy["css"]]) if copies.assets.get(copy["css"]) else None,
        "state": copy["state"],
    }
    if copy["buffers"]:
        made["buffers"] = copy["buffers"]
    if copy["kind"] == "view":
        made["replies"] = parts.add_replies(copy["replies"])
    follows = copy.get("follows")
    if follows:
        source = copies.number(follows["source"])
        made["follows"] = {
            **follows,
            "source": source,
            "selections": parts.add(as_json(follows["selections"])),
        }
    return made


def _needs_eval(copies: Copies) -> bool:
    """Whether anything draws with WebGL: plotly.js compiles those drawings at run time."""
    figures = (reply["result"] for copy in copies.made.values() for reply in copy.get("replies", ()))
    drawn = [str(each["figure"]) for each in figures if isinstance(each, dict) and "figure" in each]
    own = [copies.assets[copy["esm"]] for copy in copies.made.values() if copy["kind"] == "view"]
    return any(f'"{kind}"' in text for kind in _COMPILED for text in (*drawn, *own))


_COMPILED = ("scattergl", "scatterpolargl", "splom", "parcoords")


def _policy(scripts: Sequence[str], *, evaluates: bool) -> str:
    """Say what the page may do: run its own scripts and what they open, and reach nothing."""
    sums = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") for script in scripts]
    allowed = " ".join(f"'sha256-{each}'" for each in sums) + " blob:" + (" 'unsafe-eval'" if evaluates else "")
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _plotly() -> str:
    import importlib.resources

    return importlib.resources.files("plotly").joinpath("package_data", "plotly.min.js").read_text("utf-8")


def _script(name: str) -> str:
    return "\n" + _file(name)


def _file(name: str) -> str:
    return (_HERE / name).read_text("utf-8")
