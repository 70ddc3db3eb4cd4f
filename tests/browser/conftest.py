"""A real Chromium, and a real JupyterLab that it can look at. Everything listens on 127.0.0.1 only."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
_START_S = 120


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Debian's Chromium, or skip; with LLMLENS_REQUIRE_BROWSER a missing one is a failure."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        reason = "there is no Chromium: apt-get install chromium"
        if os.environ.get("LLMLENS_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Lab:
    """A running JupyterLab."""

    url: str
    folder: Path


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab with settings, kernels and home of its own; wait until it says that it is up."""
    home = tmp_path_factory.mktemp("home")
    folder = tmp_path_factory.mktemp("notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += ["--IdentityProvider.token=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"]
    server = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    up = threading.Event()
    log: list[str] = []

    def read() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            log.append(line)
            if "is running at" in line:
                up.set()
        up.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        if not up.wait(_START_S) or server.poll() is not None:
            pytest.fail("JupyterLab did not start:\n" + "".join(log[-20:]))
        yield Lab(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        reader.join(10)
        if server.stderr is not None:
            server.stderr.close()


@pytest.fixture
def notebook(browser: Any, lab: Lab) -> Iterator[Callable[..., NotebookPage]]:
    """Open a notebook of the lab's folder in a fresh page."""
    contexts = []

    def open_notebook(name: str, *, theme: str = "light", size: tuple[int, int] = (1500, 1000)) -> NotebookPage:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
        contexts.append(context)
        return NotebookPage(context.new_page(), lab, name, theme)

    yield open_notebook
    for context in contexts:
        context.close()


class NotebookPage:
    """One notebook, open in JupyterLab in a browser that can reach nothing but it."""

    def __init__(self, page: Any, lab: Lab, name: str, theme: str) -> None:
        self.page = page
        self.outside: list[str] = []
        self.trouble: list[str] = []
        page.set_default_timeout(90_000)
        page.route("**/*", lambda route: self._guard(route, lab.url))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.goto(f"{lab.url}/lab/tree/{name}?reset")
        page.wait_for_selector(".jp-Notebook")
        page.wait_for_function(
            """() => {
                 const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
                 return session?.isReady && session.session?.kernel?.status === "idle";
               }"""
        )
        # Cells that are run before the kernel has answered once are dropped by JupyterLab without a word.
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info")
        if theme == "dark":
            self.set_theme("JupyterLab Dark")

    def _guard(self, route: Any, allowed: str) -> None:
        url = route.request.url
        if url.startswith((allowed, "blob:", "data:")):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()

    def set_theme(self, name: str) -> None:
        """Switch the theme as the settings menu does."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]")

    def run_all(self) -> None:
        """Run every cell and wait until the last one has run; cells that are out of sight are not in the page."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.page.wait_for_function(
            """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
                 .filter((cell) => cell.type === "code").every((cell) => cell.executionCount !== null)""",
            timeout=40_000,
        )
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=40_000)

    def errors(self) -> list[str]:
        """Give the errors and warnings in the outputs of all cells."""
        found = self.page.evaluate(
            """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
                 .filter((cell) => cell.type === "code").flatMap((cell) => cell.outputs.toJSON())
                 .filter((output) => output.output_type === "error" || output.name === "stderr")
                 .map((output) => output.evalue ?? output.text)"""
        )
        return [str(each) for each in found]

    def scroll_to(self, cell: int) -> None:
        """Bring a cell into view: only cells in view are in the page."""
        self.page.evaluate("n => window.jupyterapp.shell.currentWidget.content.scrollToItem(n, 'start')", cell)
