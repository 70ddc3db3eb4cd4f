"""A page on paper: a headless Chromium prints it, with no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from llmlens.errors import ShareError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_TIMEOUT_S = 180
#: How much of its own time the page gets to draw its figures before it is printed.
_DRAWING_MS = 15_000


def print_page(html: str, path: Path) -> None:
    """Print a page to a PDF; raise `ShareError` without a Chromium, or when it fails."""
    browser = find_chromium()
    if browser is None:
        raise ShareError(
            "A PDF is printed by Chromium, and none is found on the path: install chromium "
            "(Debian: apt-get install chromium), or share as .html and print it in a browser."
        )
    with tempfile.TemporaryDirectory(prefix="llmlens-pdf-") as folder:
        source = Path(folder) / "page.html"
        source.write_text(html, "utf-8")
        made = Path(folder) / "page.pdf"
        command = [
            browser, "--headless", *_as_root(), "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--disable-extensions", "--no-pdf-header-footer",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile",
            f"--virtual-time-budget={_DRAWING_MS}", f"--print-to-pdf={made}", source.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ShareError(f"{browser} could not print the page: {error}") from None
        if not made.is_file():
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise ShareError(f"{browser} could not print the page: {last}")
        shutil.copyfile(made, path)


def _as_root() -> list[str]:
    """Chromium's sandbox does not start for root, as in a container."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def find_chromium() -> str | None:
    """Find a Chromium, or a browser of its family, on the path."""
    return next(filter(None, map(shutil.which, _NAMES)), None)
