"""A reader of a shared page: it opens the file with no network, and keeps what the page complains of and asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

_LOCAL = ("file:", "blob:", "data:")


class Reader:
    """One page, open; `trouble` are errors and warnings of its console, `outside` the addresses it asked for."""

    def __init__(self, browser: Any, path: Path, *, link: str = "", **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(30_000)
        self.trouble: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.route("**/*", self._guard)
        self.page.goto(f"{path.as_uri()}{link}")

    def _guard(self, route: Any) -> None:
        if route.request.url.startswith(_LOCAL):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def _said(self, message: Any) -> None:
        # How quick the software that stands in for a graphics card is, is no trouble of the page.
        if message.type in ("error", "warning") and "GL Driver Message" not in message.text:
            self.trouble.append(message.text)

    def _dialog(self, dialog: Any) -> None:
        self.trouble.append(f"{dialog.type}: {dialog.message}")
        dialog.dismiss()

    def wait(self) -> None:
        """Wait until all that is live shows something."""
        expect(self.page.locator("html")).to_have_attribute("data-mounted", "true", timeout=30_000)
        expect(self.page.locator(".llmlens:not([data-ready])")).to_have_count(0, timeout=30_000)

    def view(self, name: str) -> Any:
        """Find a live view."""
        return self.page.locator(f".llmlens[data-view={name}]").first

    def search(self, text: str) -> str:
        """Search the page; gives what it says of the matches."""
        self.page.get_by_label("Search the page").fill(text)
        return str(self.page.locator(".find output").inner_text())

    def close(self) -> None:
        """Close the page, which must have asked for nothing and complained of nothing."""
        self.context.close()
        assert self.outside == []
        assert self.trouble == []
