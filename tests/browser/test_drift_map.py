"""The map in a real JupyterLab: a lasso round a cluster, and the explorer that was given the map follows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("LLMLENS_SCREENSHOTS")
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples/model_change.otlp.jsonl.gz"
CELLS = (
    "import llmlens as ll\ntraces = ll.read('model_change.otlp.jsonl.gz')",
    "map = ll.DriftMap(traces, before='2026-11-17 06:20')\nmap",
    "explorer = ll.TraceExplorer(map)\nexplorer",
    "print(len(map.selection), len(explorer.traces), sorted(map.selection.spans.feature.dropna().unique()))",
)
MADE_MS = 300_000  # the first map of an installation is compiled


def shot(page: Any, name: str) -> None:
    """Keep a picture for people to look at, where LLMLENS_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def incident(lab: Any) -> str:
    shutil.copyfile(SAMPLE, lab.folder / SAMPLE.name)
    return str(lab.write("drift_map.ipynb", CELLS))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_lasso_round_a_cluster_opens_its_traces_in_the_explorer(
    notebook: Callable[..., Any], incident: str, theme: str
) -> None:
    opened = notebook(incident, theme=theme)
    page = opened.page
    for number in range(3):
        opened.run_cell(number)
    assert opened.errors() == []
    for name in ("drift-map", "trace-explorer"):  # the kernel answers both while it makes the map
        page.locator(f".llmlens[data-view={name}][data-ready]").wait_for(state="attached", timeout=MADE_MS)
    drift_map, explorer = opened.view("drift-map"), opened.view("trace-explorer")
    expect(explorer).to_have_attribute("data-traces", "1190")
    expect(drift_map).to_have_attribute("data-drift", "true", timeout=MADE_MS)
    opened.view("drift-map")
    expect(drift_map).to_have_attribute("data-layout", "umap")
    expect(drift_map).to_have_attribute("data-theme", theme)
    expect(drift_map.locator(".lm-drift")).to_contain_text("Outputs have changed")
    expect(drift_map.locator(".lm-slice").first).to_contain_text("product_search")
    shot(page, f"drift-map-{theme}")

    # Round the name of the cluster that only the new model makes, and what is under it.
    name = drift_map.locator(".lm-label[data-change=grew]").filter(has_text="couple")
    box = name.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] + 7
    corners = [(x - 18, y - 18), (x + 18, y - 18), (x + 18, y + 18), (x - 18, y + 18), (x - 18, y - 18)]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=4)
    page.mouse.up()
    expect(drift_map).not_to_have_attribute("data-selected", "0")
    selected = int(drift_map.get_attribute("data-selected"))
    assert 5 <= selected <= 60
    expect(explorer).to_have_attribute("data-traces", str(selected))
    shot(page, f"drift-map-selected-{theme}")
    opened.view("trace-explorer")
    expect(explorer.locator("[data-pane=detail]")).not_to_be_empty()
    shot(page, f"drift-map-explorer-{theme}")

    # Keys stay in the map, and its table does the same.
    opened.view("drift-map")
    cells = opened.cells()
    drift_map.locator(".lm-surface").focus()
    for key in ("c", "ArrowDown", "ArrowUp", "a", "b", "x", "d", "d", "Enter"):
        page.keyboard.press(key)
    expect(drift_map).not_to_have_attribute("data-selected", str(selected))
    selected = drift_map.get_attribute("data-selected")
    expect(explorer).to_have_attribute("data-traces", selected)
    assert opened.cells() == cells, "JupyterLab took keys that were meant for the map"
    opened.run_cell(3)
    printed = page.locator(".jp-OutputArea-output pre").last
    expect(printed).to_contain_text(f"{selected} {selected}")
    assert opened.errors() == []
    assert opened.outside == []
    assert opened.trouble == []
