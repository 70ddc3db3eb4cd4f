"""The head of a page: what was loaded, from when to when, what was wrong with it, which versions, what was redacted."""

from __future__ import annotations

import ast
from html import escape
from typing import TYPE_CHECKING, Any

from llmlens.view.snapshot import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .review import Review


def heading_html(review: Review) -> str:
    """Write the head: its title, facts, problems and notices."""
    collected = review.collected or {}
    facts = [*map(_load, collected.get("loaded", []))] or _printed(review.notebook)
    rows = [("Loaded", each) for each in facts]
    if seeds := _seeds(review.notebook):
        rows.append(("Seeds", ", ".join(seeds)))
    versions = collected.get("versions", {})
    if versions:
        rows.append(("Made with", ", ".join(f"{name} {version}" for name, version in versions.items())))
    if review.redacted:
        rows.append(("Redacted", review.redacted))
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(visible(value))}</dd>" for name, value in rows)
    problems = [problem for load in collected.get("loaded", []) for problem in load["problems"]]
    notices = "".join(f'<p class="notice">{escape(visible(words))}</p>' for words in review.notices)
    return f"<h1>{escape(visible(review.title))}</h1><dl>{listed}</dl>{_problems(problems)}{notices}"


def _load(load: dict[str, Any]) -> str:
    since, until = (str(load[key] or "")[:16].replace("T", " ") for key in ("since", "until"))
    window = f", {since} – {until} UTC" if since else ""
    said = f"{load['traces']:,} traces, {load['spans']:,} spans{window}"
    return said if load["problems"] else f"{said}, no problems in the load"


def _printed(notebook: Any) -> list[str]:
    """Read what was loaded from what `Traces` said of themselves in outputs."""
    texts = (
        "".join(output.get("data", {}).get("text/plain", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    heads = [text.splitlines()[0].removeprefix("Traces: ") for text in texts if text.startswith("Traces: ")]
    return list(dict.fromkeys(heads))[:1]


def _problems(problems: list[dict[str, Any]]) -> str:
    if not problems:
        return ""
    count = sum(problem["count"] or 0 for problem in problems)
    items = "".join(f"<li>{escape(visible(_problem(problem)))}</li>" for problem in problems)
    return (
        f'<details class="problems"><summary>{count:,} problem{"" if count == 1 else "s"} in the load</summary>'
        f"<ul>{items}</ul></details>"
    )


def _problem(problem: dict[str, Any]) -> str:
    at = str(problem["source"] or "") + (f":{problem['line']}" if problem["line"] is not None else "")
    times = f" (×{problem['count']:,})" if (problem["count"] or 0) > 1 else ""
    return f"{problem['action'] or 'problem'}: {problem['reason'] or 'no reason given'}{times}{f', {at}' if at else ''}"


def _seeds(notebook: Any) -> list[str]:
    """Find the seeds that the code gives."""
    found: dict[str, None] = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            found.update(dict.fromkeys(_seeds_in(cell.source)))
    return list(found)


def _seeds_in(source: str) -> Iterable[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.keyword)
            and node.arg in {"seed", "random_state"}
            and isinstance(node.value, ast.Constant)
        ):
            yield str(node.value.value)
