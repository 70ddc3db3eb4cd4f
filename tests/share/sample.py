"""Small notebooks, small traces, and a look into the shared page."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd

from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDGET = "application/vnd.jupyter.widget-view+json"
START = pd.Timestamp("2026-11-02", tz="UTC")
SECRET = "sk-proj-" + "aB3" * 16
MAIL = "jane.doe@example.org"


def code(source: str, *outputs: dict[str, Any], count: int | None = 1, **metadata: Any) -> Any:
    """Make a code cell."""
    made = [nbformat.from_dict(each) for each in outputs]  # type: ignore[no-untyped-call]
    kept = {"outputs": made, "execution_count": count, "id": "x", "metadata": metadata}
    return nbformat.v4.new_code_cell(source, **kept)  # type: ignore[no-untyped-call]


def words(source: str) -> Any:
    """Make a Markdown cell."""
    return nbformat.v4.new_markdown_cell(source, id="x")  # type: ignore[no-untyped-call]


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def data(**kinds: Any) -> dict[str, Any]:
    """Make an output; `__` stands for `/` in the types."""
    named = {kind.replace("__", "/"): value for kind, value in kinds.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


def shown(widget: Any) -> dict[str, Any]:
    """Make the output that a widget gives in a notebook."""
    kinds = {WIDGET: {"model_id": widget.model_id, "version_major": 2, "version_minor": 0}, "text/plain": "a widget"}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def notebook(path: Path, cells: Sequence[Any], **metadata: Any) -> Path:
    """Write a notebook."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell{number}"
    made = nbformat.v4.new_notebook(cells=list(cells), metadata=metadata)  # type: ignore[no-untyped-call]
    path.write_text(nbformat.writes(made), "utf-8")  # type: ignore[no-untyped-call]
    return path


def small_traces() -> Traces:
    """Make three traces of two features with texts, one of them with an address and a key."""
    rows = (("a" * 32, "refunds", 3.0), ("b" * 32, "search", 2.0), ("c" * 32, "refunds", 1.0))
    starts = [START + pd.Timedelta(hours=n) for n in range(3)]
    spans = pd.DataFrame(
        [
            {
                "trace_id": trace, "span_id": f"{trace}-1", "name": "answer", "kind": "llm", "feature": feature,
                "model": "mini", "start": start, "end": start + pd.Timedelta(seconds=2), "cost_usd": cost,
                "input_tokens": 10, "output_tokens": 5, "status": "ok",
            }
            for start, (trace, feature, cost) in zip(starts, rows, strict=True)
        ]
    )  # fmt: skip
    said = [
        json.dumps([{"role": "user", "content": f"I am {MAIL}, my key is {SECRET}"}]),
        "plain question",
        "x" * 30_000,
    ]
    contents = pd.DataFrame(
        {"trace_id": spans["trace_id"], "span_id": spans["span_id"], "input": said, "output": ["fine", "ok", "long"]}
    )
    return Traces.from_frames({"spans": spans, "contents": contents})


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"


def parts(page: str) -> dict[str, str]:
    """Open the compressed parts of a page by name."""
    found = re.findall(r'<script type="text/plain" data-part="(\w+)">([^<]*)</script>', page)
    return {
        name: gzip.decompress(base64.b85decode(packed.replace(",", "<").replace(".", "&"))).decode()
        for name, packed in found
    }


def models(page: str) -> dict[str, Any]:
    """Give the live parts of a page."""
    found = re.search(r'<script type="application/json" id="models">([^<]*)</script>', page)
    assert found is not None
    return dict(json.loads(found[1])["models"])


def replies(page: str, model: dict[str, Any]) -> dict[str, Any]:
    """Give what a page can answer for a model, by request."""
    opened = parts(page)
    return {key: each for name in model["replies"]["parts"] for key, each in json.loads(opened[name]).items()}


def everything(path: Path) -> str:
    """Give all that a shared page holds, opened."""
    page = path.read_text("utf-8")
    return page + "\n".join(parts(page).values())
