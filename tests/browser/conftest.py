"""A real Chromium, and a real JupyterLab that it can look at. Everything listens on 127.0.0.1 only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.lab import FLAGS, Lab, NotebookPage, chromium, running_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Debian's Chromium, or skip; with LLMLENS_REQUIRE_BROWSER a missing one is a failure."""
    path = chromium()
    if path is None:
        reason = "there is no Chromium: apt-get install chromium"
        if os.environ.get("LLMLENS_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start one JupyterLab for all tests."""
    with running_lab(tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("notebooks")) as started:
        yield started


@pytest.fixture
def notebook(browser: Any, lab: Lab) -> Iterator[Callable[..., NotebookPage]]:
    """Open a notebook of the lab's folder in a fresh page."""
    contexts = []

    def open_notebook(name: str, *, theme: str = "light", size: tuple[int, int] = (1500, 1000)) -> NotebookPage:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        contexts.append(context)
        opened = NotebookPage(context.new_page(), lab, name)
        opened.set_theme(f"JupyterLab {theme.title()}")
        return opened

    yield open_notebook
    for context in contexts:
        context.close()
