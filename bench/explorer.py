"""How fast the TraceExplorer paints in a live JupyterLab: a list of 2,000 traces, and one trace of 25,000 spans.

    python bench/explorer.py

It prints, per case, the seconds from starting the cell to the painted widget, the rows in the page, and the bytes that
came over the websocket meanwhile. Needs Chromium.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from tests.browser.lab import FLAGS, Lab, NotebookPage, chromium, running_lab

MAKE = """
import numpy as np, pandas as pd, llmlens as ll

def made(traces, spans):
    n = traces * spans
    place = np.arange(n) % spans
    of = np.arange(n) // spans
    start = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(of * 60 + place * 0.01, unit="s")
    llm = place % 3 == 1
    frame = pd.DataFrame({
        "trace_id": [f"{t:032x}" for t in of], "span_id": [f"{s:016x}" for s in range(n)],
        "parent_id": [None if p == 0 else f"{t * spans + (p - 1) // 4:016x}" for t, p in zip(of, place)],
        "name": [f"step {p % 40}" for p in place], "kind": np.where(llm, "llm", "tool"), "status": "ok",
        "feature": "refunds", "start": start, "end": start + pd.Timedelta(seconds=0.5), "duration_s": 0.5,
        "model": np.where(llm, "gpt-4o", None), "input_tokens": np.where(llm, 900, 0),
        "cost_usd": np.where(llm, .01, 0),
    })
    return ll.Traces.from_frames({"spans": frame})

traces = made(TRACES, SPANS)
len(traces)
"""
CASES = (("2,000 traces of 5 spans", 2_000, 5), ("1 trace of 25,000 spans", 1, 25_000))
ROUNDS = 3


def measure(page: Any, lab: Lab, traces: int, spans: int) -> list[tuple[float, int, int]]:
    """Give (seconds, rows in the page, bytes received) of each round; the first one also loads the widget manager."""
    received = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: _count(received, frame)))
    make = MAKE.replace("TRACES", str(traces)).replace("SPANS", str(spans))
    name = lab.write(f"bench{traces}.ipynb", [make, *["ll.TraceExplorer(traces)"] * ROUNDS])
    opened = NotebookPage(page, lab, name)
    opened.run_cell(0)
    found = []
    for round_ in range(1, ROUNDS + 1):
        received[0] = 0
        started = time.perf_counter()
        opened.run_cell(round_)
        view = page.locator(".llmlens[data-view=trace-explorer][data-ready]").nth(round_ - 1)
        view.wait_for(state="attached")
        seconds = time.perf_counter() - started
        rows = view.locator("[data-list] [role=row], [data-list] [role=treeitem]").count()
        found.append((seconds, rows, received[0]))
    if opened.errors():
        raise RuntimeError(opened.errors())
    return found


def _count(received: list[int], frame: bytes | str) -> None:
    received[0] += len(frame)


def main() -> None:
    """Run all cases and print a table."""
    path = chromium()
    if path is None:
        sys.exit("There is no Chromium: apt-get install chromium")
    home = Path(tempfile.mkdtemp(prefix="llmlens-bench-"))
    folder = home / "notebooks"
    folder.mkdir()
    print(f"{'case':<26} {'round':>5} {'seconds':>8} {'rows':>6} {'received':>10}")
    with running_lab(home, folder) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for case, traces, spans in CASES:
            page = browser.new_page(viewport={"width": 1500, "height": 1000})
            for number, (seconds, rows, size) in enumerate(measure(page, lab, traces, spans), 1):
                print(f"{case:<26} {number:>5} {seconds:>8.2f} {rows:>6} {size / 1e6:>7.2f} MB")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
