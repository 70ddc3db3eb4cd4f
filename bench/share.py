"""What a shared notebook weighs, what making it costs, and how soon it is live.

`python bench/share.py` prints, for the quickstart (run and shared) and for three figures of 20,000 points with three
traces of 3,000 spans: megabytes with and without plotly.js; CPU seconds of running, collecting and writing; and those
of the main thread of a headless Chromium, with the network cut, until every view is live.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import llmlens as ll  # from this checkout
from llmlens.cli import demo_file
from llmlens.share.packing import Parts

GOALS = {"quickstart": (2.6, 0.6, 2.0), "three figures, three traces": (3.5, None, None)}


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        print("| | MB | without plotly.js | CPU s to make | CPU s until live |\n|---|---|---|---|---|")
        for name, write in (("quickstart", quickstart), ("three figures, three traces", large)):
            before = cpu()
            path = write(folder)
            report(name, path, cpu() - before)


def quickstart(folder: Path) -> Path:
    for name in ("quickstart.ipynb", "support_week.otlp.jsonl.gz"):
        shutil.copyfile(demo_file(name), folder / name)
    return ll.share(folder / "quickstart.ipynb", execute=True)


def large(folder: Path) -> Path:
    import plotly.graph_objects as go

    rng = np.random.default_rng(0)
    figures = [
        go.Figure(go.Scatter(x=rng.normal(size=20_000), y=rng.normal(size=20_000), mode="markers")) for _ in range(3)
    ]
    widgets: list[Any] = [ll.Plot(figure) for figure in figures]
    widgets += [ll.TraceExplorer(long_trace(n)) for n in range(3)]
    notebook = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    for number, widget in enumerate(widgets):
        view = {"application/vnd.jupyter.widget-view+json": {"model_id": widget.model_id}}
        output = nbformat.from_dict({"output_type": "display_data", "data": view, "metadata": {}})  # type: ignore[no-untyped-call]
        cell = nbformat.v4.new_code_cell("", outputs=[output], id=f"c{number}")  # type: ignore[no-untyped-call]
        notebook.cells.append(cell)
    return ll.share(notebook, folder / "large.html", title="Large")


def long_trace(seed: int, n: int = 3_000) -> ll.Traces:
    """Make a trace whose spans each have a parent before them, and 60 words of its own."""
    rng = np.random.default_rng(seed)
    ids = [f"{seed:04x}{row:012x}" for row in range(n)]
    start = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(np.arange(n), unit="ms")
    spans = pd.DataFrame(
        {"trace_id": f"{seed:032x}", "span_id": ids, "start": start, "end": start + pd.Timedelta("1s")}
    )
    spans["parent_id"] = [None, *(ids[int(rng.integers(row))] for row in range(1, n))]
    spans["name"], spans["kind"], spans["status"] = [f"step {row % 40}" for row in range(n)], "tool", "ok"
    texts = [" ".join(f"word{word}" for word in rng.integers(2_000, size=60)) for _ in range(n)]
    return ll.Traces.from_frames({"spans": spans, "contents": spans[["trace_id", "span_id"]].assign(input=texts)})


def report(name: str, path: Path, seconds: float) -> None:
    from llmlens.share.page import _plotly

    parts = Parts()
    parts.add(_plotly())
    size = path.stat().st_size / 1e6
    rest = size - len(parts.html()) / 1e6
    megabytes, without, until = (f" ({goal:g})" if goal else "" for goal in GOALS[name])
    print(f"| {name} | {size:.2f}{megabytes} | {rest:.2f}{without} | {seconds:.1f} | {live(path)}{until} |", flush=True)


def live(path: Path, times: int = 3) -> str:
    """Open the page; the least and the most CPU seconds of its main thread until all is live."""
    from playwright.sync_api import sync_playwright

    from tests.browser.lab import FLAGS, chromium

    found = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=FLAGS)
        for _ in range(times):
            page = browser.new_context(offline=True, viewport={"width": 1400, "height": 1000}).new_page()
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-mounted=true] body:not(:has(.llmlens:not([data-ready])))")
            metrics = session.send("Performance.getMetrics")["metrics"]
            found.append(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))
            page.close()
        browser.close()
    return f"{min(found):.1f} to {max(found):.1f}"


def cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main()
