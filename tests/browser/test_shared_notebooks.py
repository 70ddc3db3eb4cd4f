"""Each notebook runs from the first cell to the last, finds what is planted, and is shared: live, without network."""

from __future__ import annotations

import re
import shutil
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import llmlens as ll
from llmlens import cli
from tests.browser.reader import Reader
from tests.test_notebooks import NOTEBOOKS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.browser

#: All but the quickstart, which test_shared_page.py shares.
ALL = {**NOTEBOOKS, "label_low_scoring": ("support_week.otlp.jsonl.gz", [])}


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_finds_what_is_planted_and_is_live_when_shared(
    browser: Any, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, findings = ALL[name]
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    for each in (data, f"{name}.ipynb"):
        shutil.copyfile(cli.demo_file(each), tmp_path / each)
    path = ll.share(tmp_path / f"{name}.ipynb", execute=True)
    html = path.read_text("utf-8")
    printed = unescape("".join(re.findall(r'<pre class="stdout">([^<]*)', html)))
    for finding in findings:
        assert finding in printed
    reader = Reader(browser, path)
    reader.wait()
    page = reader.page
    expect(page.locator("[data-mounted=false], .error, .stderr")).to_have_count(0)
    expect(page.locator(".llmlens[data-static=true]")).to_have_count(html.count("data-model="))
    words = html.split("<h1>")[1].split("</h1>")[0]
    assert reader.search(unescape(words)[:12]).startswith("1 of ")
    for explorer in page.locator(".llmlens[data-view=trace-explorer][data-trace]").all():
        page.goto(f"{path.as_uri()}#trace={explorer.get_attribute('data-trace')}")
        expect(explorer).to_be_in_viewport()
        explorer.locator("[data-list=spans]").focus()
        page.keyboard.press("ArrowDown")
        expect(explorer.locator("[data-pane=detail] [role=tab]").first).to_be_visible()
    reader.close()
