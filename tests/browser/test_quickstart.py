"""The main job: the quickstart notebook in a real JupyterLab, from the treemap to the culprit's prompt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from llmlens.cli import demo_file

TREEMAP, EXPLORER = 3, 4  # cells of the notebook
CELLS = "() => [...window.jupyterapp.shell.currentWidget.content.model.cells].map((cell) => cell.type)"

pytestmark = pytest.mark.browser

SHOTS = os.environ.get("LLMLENS_SCREENSHOTS")


def shot(page: Any, name: str) -> None:
    """Keep a picture for people to look at, where LLMLENS_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


@pytest.fixture
def quickstart(lab: Any) -> str:
    for name in ("quickstart.ipynb", "support_week.otlp.jsonl.gz", "support_week.csv.gz"):
        shutil.copyfile(demo_file(name), lab.folder / name)
    return "quickstart.ipynb"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_quickstart_leads_from_the_treemap_to_the_culprits_prompt(
    notebook: Callable[..., Any], quickstart: str, theme: str
) -> None:
    opened = notebook(quickstart, theme=theme)
    page = opened.page
    opened.run_all()
    assert opened.errors() == []

    opened.scroll_to(TREEMAP)
    treemap = page.locator(".llmlens[data-view=cost-treemap][data-ready]")
    treemap.wait_for()
    tiles = treemap.locator("g.slice")
    tiles.filter(has_text="product_qa").first.wait_for()
    shot(page, f"quickstart-treemap-{theme}")

    opened.scroll_to(EXPLORER)
    explorer = page.locator(".llmlens[data-view=trace-explorer][data-ready]")
    expect(explorer).to_have_attribute("data-traces", "1970")
    shot(page, f"quickstart-explorer-{theme}")

    opened.scroll_to(TREEMAP)
    heading = tiles.filter(has_text="product_qa").first.bounding_box()
    page.mouse.click(heading["x"] + heading["width"] / 2, heading["y"] + 10)
    expect(treemap).to_have_attribute("data-path", '["product_qa"]')
    shot(page, f"quickstart-treemap-open-{theme}")

    opened.scroll_to(EXPLORER)
    expect(explorer).to_have_attribute("data-traces", "367")
    cells = page.evaluate(CELLS)
    explorer.locator("[data-sort=cost] button").click()
    first = explorer.locator("[data-list=traces] [data-trace]").first
    first.click()
    expect(explorer).to_have_attribute("data-spans", "2")
    tree = explorer.locator("[data-list=spans]")
    tree.focus()
    for key in ("Home", "ArrowDown", "a", "b", "x", "m", "1", "Enter"):
        page.keyboard.press(key)
    prompt = explorer.locator("[data-pane=detail] [data-role=user]").first
    expect(prompt).to_contain_text("<!DOCTYPE html>")
    assert page.evaluate(CELLS) == cells  # none of these keys reached JupyterLab
    shot(page, f"quickstart-culprit-{theme}")

    assert opened.errors() == []
    assert opened.outside == []
    assert opened.trouble == []
