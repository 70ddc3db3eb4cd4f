"""The main job: the quickstart notebook in a real JupyterLab, from the treemap to the culprit's prompt."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlens.cli import demo_file

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

    treemap = page.locator(".llmlens[data-view=cost-treemap]")
    treemap.wait_for()
    treemap.scroll_into_view_if_needed()
    page.wait_for_selector(".llmlens[data-view=cost-treemap][data-ready]")
    shot(page, f"quickstart-treemap-{theme}")
    explorer = page.locator(".llmlens[data-view=trace-explorer]")
    explorer.scroll_into_view_if_needed()
    shot(page, f"quickstart-explorer-{theme}")
    assert opened.outside == []
