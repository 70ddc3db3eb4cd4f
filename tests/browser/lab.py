"""A JupyterLab to look at from a program: starting it, and a page of a browser with one of its notebooks open."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
_START_S = 120

#: JupyterLab asks to fetch news, and by default takes cells that are out of sight out of the page.
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "docmanager-extension/plugin": {"autosave": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
}

_NOTEBOOK = "window.jupyterapp.shell.currentWidget"
_CODE_CELLS = f'[...{_NOTEBOOK}.content.model.cells].filter((cell) => cell.type === "code")'
_KERNEL_IS_READY = """() => {
  const session = window.jupyterapp?.shell.currentWidget?.sessionContext;
  return session?.isReady && session.session?.kernel?.status === "idle";
}"""


def chromium() -> str | None:
    """Find Debian's Chromium, or another one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@dataclass
class Lab:
    """A running JupyterLab, and the folder that it shows."""

    url: str
    folder: Path

    def write(self, name: str, cells: Sequence[str]) -> str:
        """Write a notebook of code cells; gives its name."""
        code: dict[str, Any] = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
        made = [{**code, "id": f"c{n}", "source": source} for n, source in enumerate(cells)]
        notebook = {"cells": made, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}}}
        (self.folder / name).write_text(json.dumps({**notebook, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
        return name


@contextmanager
def running_lab(home: Path, folder: Path, **settings: dict[str, Any]) -> Iterator[Lab]:
    """Run JupyterLab with its own settings, kernels and home, on 127.0.0.1 only; RuntimeError if it will not start.

    `settings` are more of its settings, by plugin without "@jupyterlab/".
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for plugin, values in {**_SETTINGS, **settings}.items():
        path = home / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), "utf-8")
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
    command += ["--IdentityProvider.token=", "--LabApp.news_url=None", "--LabApp.expose_app_in_browser=True"]
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
            raise RuntimeError("JupyterLab did not start:\n" + "".join(log[-20:]))
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


class NotebookPage:
    """One notebook, open in JupyterLab in a page that can reach nothing but it.

    `outside` are the addresses asked for beyond it, `trouble` the errors and dialogs of the page.
    """

    def __init__(self, page: Any, lab: Lab, name: str) -> None:
        self.page = page
        self.folder = lab.folder
        self.outside: list[str] = []
        self.trouble: list[str] = []
        page.set_default_timeout(20_000)
        page.route("**/*", lambda route: self._guard(route, lab.url))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("dialog", self._dialog)
        page.goto(f"{lab.url}/lab/tree/{name}?reset", timeout=60_000)
        page.wait_for_selector(".jp-Notebook", timeout=60_000)
        page.wait_for_function(_KERNEL_IS_READY, timeout=60_000)
        # Cells that are run before the kernel has answered once are dropped by JupyterLab without a word.
        page.evaluate(f"() => {_NOTEBOOK}.sessionContext.session.kernel.info")

    def _guard(self, route: Any, allowed: str) -> None:
        url = route.request.url
        if url.startswith((f"{allowed}/", "blob:", "data:")):
            route.continue_()
        else:
            self.outside.append(url)
            route.abort()

    def _dialog(self, dialog: Any) -> None:
        self.trouble.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def set_theme(self, name: str) -> None:
        """Switch the theme as the settings menu does."""
        self.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        light = "true" if name.endswith("Light") else "false"
        self.page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")

    def run_all(self) -> None:
        """Run every cell and wait until the last one has run."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => null)")
        states = self.page.evaluate(f"() => {_CODE_CELLS}.map((cell) => [cell.executionCount, cell.executionState])")
        assert all(count is not None and state == "idle" for count, state in states), states

    def run_cell(self, number: int) -> None:
        """Run one cell and wait until it has run."""
        self.page.evaluate(
            f"(n) => {{ {_NOTEBOOK}.content.activeCellIndex = n;"
            " return window.jupyterapp.commands.execute('notebook:run-cell'); }",
            number,
        )

    def wait_for_new_kernel(self) -> None:
        """Wait until JupyterLab has noticed that the kernel died, and has started another one."""
        dialog = self.page.locator(".jp-Dialog")
        dialog.wait_for(timeout=60_000)
        dialog.get_by_role("button").last.click()
        self.page.wait_for_function(_KERNEL_IS_READY, timeout=60_000)
        self.page.evaluate(f"() => {_NOTEBOOK}.sessionContext.session.kernel.info")

    def errors(self) -> list[str]:
        """Give the errors and warnings in the outputs of all cells."""
        found = self.page.evaluate(
            f"""() => {_CODE_CELLS}.flatMap((cell) => cell.outputs.toJSON())
                 .filter((output) => output.output_type === "error" || output.name === "stderr")
                 .map((output) => output.evalue ?? output.text)"""
        )
        return [str(each) for each in found]

    def saved(self) -> str:
        """Save the notebook; gives its text, with the state of its widgets."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
        name = str(self.page.evaluate(f"() => {_NOTEBOOK}.context.path"))
        return (self.folder / name).read_text("utf-8")

    def cells(self) -> list[list[Any]]:
        """Give type and text of each cell."""
        found = self.page.evaluate(
            f"() => [...{_NOTEBOOK}.content.model.cells].map((cell) => [cell.type, cell.sharedModel.source])"
        )
        return list(found)

    def view(self, name: str) -> Any:
        """Find a view that is ready and bring it into sight."""
        view = self.page.locator(f".llmlens[data-view={name}][data-ready]")
        view.evaluate("(element) => element.scrollIntoView({block: 'center'})")
        return view
