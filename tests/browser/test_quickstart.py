"""The main job: the quickstart notebook in a real JupyterLab, from the treemap to the culprit's prompt."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from llmlens.cli import demo_file

if TYPE_CHECKING:
    from collections.abc import Callable

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

    opened.view("plot")
    shot(page, f"quickstart-plot-{theme}")
    explorer = opened.view("trace-explorer")
    expect(explorer).to_have_attribute("data-theme", theme)
    expect(explorer).to_have_attribute("data-traces", "1970")
    shot(page, f"quickstart-explorer-{theme}")

    treemap = opened.view("cost")
    shot(page, f"quickstart-treemap-{theme}")
    treemap.locator("g.slice").filter(has_text="product_qa").first.click(position={"x": 12, "y": 10})
    expect(treemap).to_have_attribute("data-path", '["product_qa"]')
    expect(explorer).to_have_attribute("data-traces", "367")
    shot(page, f"quickstart-treemap-open-{theme}")

    opened.view("trace-explorer")
    cells = opened.cells()
    explorer.locator("[data-sort=cost] button").click()
    dearest = explorer.locator("[data-trace][aria-rowindex='1']").filter(has_text="how waterproof is it")
    trace_id = dearest.get_attribute("data-trace")
    dearest.click()
    expect(explorer).to_have_attribute("data-trace", trace_id)
    explorer.locator("[data-list=spans]").focus()
    for key in ("Home", "ArrowDown", "a", "b", "x", "m", "d", "d", "1", "Enter"):
        page.keyboard.press(key)
    expect(explorer.locator("[data-pane=detail] [data-role=user]").first).to_contain_text("<!DOCTYPE html>")
    shot(page, f"quickstart-culprit-{theme}")

    assert opened.cells() == cells, "JupyterLab took keys that were meant for the explorer"
    assert opened.errors() == []
    assert opened.outside == []
    assert opened.trouble == []
