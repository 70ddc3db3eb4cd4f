"""How fluid the DriftMap is in a live JupyterLab: 10,000 and 50,000 points, a lasso, the explorer that follows.

    python bench/drift_map.py [--points 10000 50000]

The map itself is made before (its seconds are those of `bench/embed.py`), so that what is measured is what a reader
waits for when the map is known. It prints the seconds from starting the cell to the painted points (the first one also
loads plotly), the bytes that came over the websocket meanwhile, the longest pause of the page while the map is moved,
and the seconds from the end of a lasso to the explorer that shows what was lassoed; each with the seconds of CPU that
all of it took, server, kernel and browser (which draws without a GPU here): on a busy machine the clock says little.
Needs Chromium.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil  # type: ignore[import-untyped]
from playwright.sync_api import sync_playwright

from tests.browser.lab import FLAGS, Lab, NotebookPage, chromium, running_lab

MAKE = """
import numpy as np, pandas as pd, llmlens as ll
from llmlens.embed.projection import Projection

n = POINTS
random = np.random.default_rng(0)
topic = random.integers(0, 24, n)
late = np.arange(n) >= n // 2
topic = np.where(late & (random.random(n) < .1), 24, topic)
start = pd.Timestamp("2026-11-01", tz="UTC") + pd.to_timedelta(np.arange(n) * (14 * 86400 / n), unit="s")
spans = pd.DataFrame({"trace_id": [f"{t:032x}" for t in range(n)], "span_id": [f"{s:016x}" for s in range(n)],
    "name": "answer", "kind": "llm", "status": "ok", "depth": 0, "feature": [f"feature {t % 5}" for t in topic],
    "start": start, "end": start, "duration_s": 1.0, "model": "gpt-4o", "input_tokens": 900, "cost_usd": .01})
words = [f"word{t}{k}" for t in range(25) for k in range(6)]
texts = [" ".join(words[6 * t + k] for k in order) for t, order in zip(topic, random.integers(0, 6, (n, 5)))]
contents = spans[["trace_id", "span_id"]].assign(output=texts, input="?")
traces = ll.Traces.from_frames({"spans": spans, "contents": contents})

class Vectors:
    name = f"bench {n}"
    at_once = 100_000
    def encode(self, given):
        of = {text: t for text, t in zip(texts, topic)}
        random = np.random.default_rng(1)
        return (6 * np.eye(25)[[of[text] for text in given]] + random.normal(size=(len(given), 25))).astype("float32")

# What UMAP needs minutes for on a small machine is not what is measured here.
middles = np.random.default_rng(2).uniform(-10, 10, (25, 2))
def fit(vectors, strata=None, **_):
    places = (middles[topic] + np.random.default_rng(3).normal(scale=.7, size=(n, 2))).astype("float32")
    return Projection(places, vectors[:10], places[:10], ())
Projection.fit = staticmethod(fit)
warm = ll.DriftMap(traces, before="2026-11-08", encoder=Vectors())
warm.wait()
"""
EXPLORE = "explorer = ll.TraceExplorer(map)\nexplorer"
ROUNDS = 3
#: The longest time between two frames while `act` runs, in ms.
PAUSE = """async (steps) => {
  const root = document.querySelector(".llmlens[data-view=drift-map]");
  const surface = root.querySelector(".lm-surface");
  surface.focus();
  let longest = 0;
  let last = performance.now();
  for (let k = 0; k < steps; k++) {
    const key = k % 2 ? "ArrowLeft" : "ArrowRight";
    surface.dispatchEvent(new KeyboardEvent("keydown", {key, shiftKey: true, bubbles: true}));
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    longest = Math.max(longest, (performance.now() - last) / 2);
    last = performance.now();
  }
  return longest;
}"""


def measure(page: Any, lab: Lab, points: int) -> None:
    received = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: _count(received, frame)))
    cells = [MAKE.replace("POINTS", str(points)), "map = warm", *["map"] * ROUNDS, EXPLORE]
    opened = NotebookPage(page, lab, lab.write(f"map{points}.ipynb", cells))
    page.set_default_timeout(600_000)
    opened.run_cell(0)
    opened.run_cell(1)
    for round_ in range(ROUNDS):
        received[0] = 0
        started, used = time.perf_counter(), cpu()
        opened.run_cell(2 + round_)
        view = page.locator(".llmlens[data-view=drift-map][data-ready]").nth(round_)
        view.wait_for(state="attached")
        seconds, used = time.perf_counter() - started, cpu() - used
        what = f"paint, round {round_ + 1}"
        print(f"{points:>7,}  {what:<32}{seconds:>8.2f} s {used:>8.2f} s {received[0] / 1e6:>8.2f} MB", flush=True)
    opened.run_cell(2 + ROUNDS)
    explorer = page.locator(".llmlens[data-view=trace-explorer][data-ready]")
    explorer.wait_for(state="attached")
    view = page.locator(".llmlens[data-view=drift-map][data-ready]").first
    view.evaluate("(element) => element.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(2000)
    what = "longest frame while moving"
    print(f"{points:>7,}  {what:<32}{page.evaluate(PAUSE, 12):>8.0f} ms", flush=True)
    for round_ in range(ROUNDS):
        used = cpu()
        seconds, selected = lasso(page, view, 60 + 40 * round_)
        used = cpu() - used
        what = f"lasso of {selected:,} -> explorer"
        print(f"{points:>7,}  {what:<32}{seconds:>8.2f} s {used:>8.2f} s", flush=True)
    if opened.errors():
        raise RuntimeError(opened.errors())


#: Wait until map and explorer show the same new number of traces; gives the seconds since the pointer was let go.
FOLLOWED = """(before) => {
  const map = document.querySelector(".llmlens[data-view=drift-map]");
  const list = document.querySelector(".llmlens[data-view=trace-explorer]");
  let from = 0;
  document.addEventListener("pointerup", () => { from = performance.now(); }, {capture: true, once: true});
  globalThis.followed = new Promise((resolve) => {
    const look = () => {
      const n = map.dataset.traces;
      if (from && n !== before && list.dataset.traces === n) resolve([(performance.now() - from) / 1000, Number(n)]);
      else setTimeout(look, 4);
    };
    look();
  });
}"""


def lasso(page: Any, view: Any, size: float) -> tuple[float, int]:
    """Draw a lasso, and wait until the explorer shows as many traces."""
    box = view.locator(".lm-surface").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    corners = [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size), (x - size, y)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    page.evaluate(FOLLOWED, view.get_attribute("data-traces"))
    page.mouse.up()
    seconds, selected = page.evaluate("globalThis.followed")
    return float(seconds), int(selected)


def cpu() -> float:
    """Give the seconds of CPU that this program's processes have used by now."""
    used = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        used += times.user + times.system
    return used


def _count(received: list[int], frame: bytes | str) -> None:
    received[0] += len(frame)


def main() -> None:
    """Run all sizes and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 50_000])
    sizes = parser.parse_args().points
    path = chromium()
    if path is None:
        sys.exit("There is no Chromium: apt-get install chromium")
    home = Path(tempfile.mkdtemp(prefix="llmlens-bench-"))
    folder = home / "notebooks"
    folder.mkdir()
    print(f"{'points':>7}  {'what':<32}{'clock':>10} {'CPU':>10} {'received':>11}")
    with running_lab(home, folder) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for points in sizes:
            page = browser.new_page(viewport={"width": 1500, "height": 1000})
            measure(page, lab, points)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
