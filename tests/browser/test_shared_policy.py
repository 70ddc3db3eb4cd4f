"""A shared page where little is allowed: no network at all, and a server that forbids scripts and styles."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import llmlens as ll
from tests.browser.lab import FLAGS, chromium
from tests.share.sample import code, notebook, shown, small_traces, words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Path:
    """A page with a live explorer, treemap and figure."""
    del browser
    traces = small_traces()
    views = [ll.TraceExplorer(traces), ll.CostTreemap(traces), ll.Plot(ll.cost(traces, by="feature").plot())]
    cells = [words("# A review\n\nThe cause was found."), *(code("view", shown(view)) for view in views)]
    return ll.share(notebook(tmp_path / "review.ipynb", cells))


@pytest.fixture
def strict_server(page: Path) -> Iterator[str]:
    """A server on 127.0.0.1 that sends the page with `default-src 'none'`."""

    class Strict(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", "default-src 'none'")
            super().end_headers()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    handler = functools.partial(Strict, directory=str(page.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{page.name}"
        server.shutdown()
        thread.join()


def test_where_scripts_and_styles_are_forbidden_it_still_reads(browser: Any, strict_server: str) -> None:
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(strict_server)
    expect(opened.locator("main")).to_contain_text("The cause was found.")
    expect(opened.locator("main")).to_contain_text("refunds")
    expect(opened.locator("html")).not_to_have_attribute("data-mounted", "true")
    opened.close()
    assert asked == [strict_server]


def test_without_any_network_every_view_is_live(page: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-n", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let a process give up its network (unshare -n)")
    found = chromium()
    assert found is not None
    flags = [*FLAGS, f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=20000", "--dump-dom"]
    command = [unshare, "-n", found, *flags, page.as_uri()]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert 'data-mounted="true"' in done.stdout.split(">", 2)[1]
    for view in ("trace-explorer", "cost", "plot"):
        assert f'data-view="{view}"' in done.stdout
    assert done.stdout.count('data-ready="true"') == 3
