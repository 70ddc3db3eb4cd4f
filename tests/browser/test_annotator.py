"""The panel in a real JupyterLab: ten traces by keyboard alone, with a kernel that dies half-way."""

from __future__ import annotations

import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from llmlens.cli import demo_file
from llmlens.label.store import LabelStore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("LLMLENS_SCREENSHOTS")
STORE = "labels-of-ada.sqlite"
CELLS = [
    "import os, pathlib\npathlib.Path('kernel.pid').write_text(str(os.getpid()))",
    f"""import llmlens as ll

traces = ll.read("support_week.otlp.jsonl.gz").low_scoring("helpfulness", below=0.5)
ten = traces.where(trace_id=traces.trace_ids[:10])
scores = [ll.Score("helpful", 1, 5, help="Did it solve the request?"), ll.Score("tool_failed", bool)]
panel = ll.Annotator(ten, scores, to=ll.labels("{STORE}"), author="ada", height=600)
panel""",
]


def shot(page: Any, name: str) -> None:
    """Keep a picture for people to look at, where LLMLENS_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def begin(opened: Any) -> Any:
    """Find the panel and bring the focus into it."""
    panel = opened.view("annotator")
    panel.locator(".lm-field[data-active]").focus()
    return panel


def label(page: Any, panel: Any, place: int, done: int, keys: list[str]) -> None:
    """Answer the open item and complete it."""
    expect(panel).to_have_attribute("data-place", str(place))
    for key in keys:
        page.keyboard.press(key)
    expect(panel.locator("[data-score=tool_failed]")).to_have_attribute("data-state", "saved")
    page.keyboard.press("Control+Enter")
    expect(panel).to_have_attribute("data-done", str(done))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ten_traces_are_labelled_by_keyboard_though_the_kernel_dies_half_way(
    notebook: Callable[..., Any], lab: Any, theme: str
) -> None:
    name = f"annotator-{theme}.ipynb"
    for old in lab.folder.glob(f"{STORE}*"):
        old.unlink()
    shutil.copyfile(demo_file("support_week.otlp.jsonl.gz"), lab.folder / "support_week.otlp.jsonl.gz")
    opened = notebook(lab.write(name, CELLS), theme=theme)
    page = opened.page
    opened.run_all()
    assert opened.errors() == []
    panel = begin(opened)
    expect(panel).to_have_attribute("data-theme", theme)
    cells = opened.cells()
    for place in range(4):
        label(page, panel, place, place + 1, [str(place + 1), "Enter", "1"])
    expect(panel).to_have_attribute("data-place", "4")
    page.keyboard.press("s")
    page.keyboard.type("not a text that I can read")
    page.keyboard.press("Enter")
    expect(panel).to_have_attribute("data-place", "5")
    page.keyboard.press("5")
    expect(panel.locator("[data-score=helpful]")).to_have_attribute("data-state", "saved")
    shot(page, f"annotator-{theme}")

    os.kill(int((lab.folder / "kernel.pid").read_text()), signal.SIGKILL)
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    state = panel.locator("[data-score=tool_failed] .lm-state")
    expect(state).not_to_have_text("saved")
    shot(page, f"annotator-killed-{theme}")
    opened.wait_for_new_kernel()
    opened.run_all()
    assert opened.errors() == []

    panel = begin(opened)
    expect(panel).to_have_attribute("data-done", "4")
    expect(panel).to_have_attribute("data-skipped", "1")
    expect(panel.locator("[data-score=helpful] [aria-checked=true]")).to_have_attribute("data-value", "5")
    label(page, panel, 5, 5, ["2"])  # the first question that is left is the active one
    for place in range(6, 10):
        label(page, panel, place, place, [str(place - 5), "Enter", "2"])
    page.keyboard.press("ArrowLeft")
    expect(panel).to_have_attribute("data-place", "8")
    for place in (7, 6, 5, 4):
        page.keyboard.press("ArrowLeft")
        expect(panel).to_have_attribute("data-place", str(place))
    label(page, panel, 4, 10, ["1", "Enter", "1"])
    expect(panel).to_have_attribute("data-left", "0")
    shot(page, f"annotator-done-{theme}")

    store = LabelStore(lab.folder / STORE)
    found = {name: [e for e in store.current() if e.name == name] for name in ("helpful", "tool_failed")}
    assert [len({e.trace_id for e in events}) for events in found.values()] == [10, 10]
    assert Counter(e.value for e in found["helpful"]) == {1: 3, 2: 2, 3: 2, 4: 2, 5: 1}
    assert {item.state for item in store.items("ada").values()} == {"done"}
    assert opened.cells() == cells, "JupyterLab took keys that were meant for the panel"
    assert opened.outside == []
    assert opened.trouble == []


def test_the_notebook_about_low_scores_runs_and_shows_what_was_labelled(notebook: Callable[..., Any], lab: Any) -> None:
    for name in ("label_low_scoring.ipynb", "support_week.otlp.jsonl.gz"):
        shutil.copyfile(demo_file(name), lab.folder / name)
    opened = notebook("label_low_scoring.ipynb")
    page = opened.page
    opened.run_all()
    assert opened.errors() == []
    first, second = (opened.page.locator(".llmlens[data-view=annotator][data-ready]").nth(n) for n in (0, 1))
    expect(first).to_have_attribute("data-items", "18")
    first.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    shot(page, "label-notebook")
    first.locator(".lm-field[data-active]").focus()
    for key in ("2", "Enter", "1", "Control+Enter"):
        page.keyboard.press(key)
    expect(first).to_have_attribute("data-place", "1")
    explorer = opened.page.locator(".llmlens[data-view=trace-explorer]")
    expect(explorer).to_have_attribute("data-trace", first.get_attribute("data-trace") or "")
    opened.run_cell(5)
    expect(page.locator(".jp-Cell").nth(5)).to_contain_text("a tool failed")
    opened.run_cell(6)
    expect(page.locator(".jp-Cell").nth(6).locator("tbody tr")).to_have_count(1)
    second.evaluate("(element) => element.scrollIntoView({block: 'center'})")
    expect(second.locator(".lm-chip")).to_have_count(0)
    shot(page, "label-notebook-blind")
    assert opened.errors() == []
    assert opened.outside == []
    assert opened.trouble == []
