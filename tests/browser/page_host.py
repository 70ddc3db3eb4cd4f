"""One view in a page of a browser without Jupyter: its ES module with a small model, answered by the Python view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from llmlens.view.base import View

#: A host such as JupyterLab, as small as can be.
HOST = """async ({esm, css, state, isStatic, replies}) => {
  const style = document.createElement("style"); style.textContent = css; document.head.append(style);
  const {default: widget} = await import(URL.createObjectURL(new Blob([esm], {type: "text/javascript"})));
  const listeners = new Map(); const of = (name) => listeners.get(name) ?? listeners.set(name, new Set()).get(name);
  const fire = (name, value) => [...of(name)].forEach((f) => f(value));
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const model = {
    is_static: isStatic, sent: 0, saves: 0,
    get: (name) => state[name],
    set(name, value) { if (state[name] !== value) { state[name] = value; fire(`change:${name}`); } },
    save_changes() { this.saves++; globalThis.kernelSet(JSON.stringify(state)); },
    reply: (kind, values) => replies.find((r) => r.kind === kind && same(r.arguments, values))?.result,
    on: (name, f) => of(name).add(f), off: (name, f) => of(name).delete(f),
    async send(message) {
      this.sent++;
      const reply = await globalThis.kernel(JSON.stringify(message));
      if (reply) fire("msg:custom", JSON.parse(reply));
    },
  };
  globalThis.host = {
    model, closers: [], outside: [],
    push(next) {
      for (const [k, v] of Object.entries(next)) if (state[k] !== v) { state[k] = v; fire(`change:${k}`); }
    },
    render() {
      const el = document.createElement("div"); document.body.append(el);
      this.closers.push(widget.render({model, el}));
    },
    listening: () => [...listeners.values()].reduce((n, s) => n + s.size, 0),
  };
  document.body.addEventListener("keydown", (e) => globalThis.host.outside.push(e.key));
  globalThis.host.render();
}"""


class PageHost:
    """A page without network that shows one view; what the browser sets of `settable` reaches the view."""

    settable: ClassVar[tuple[str, ...]] = ("trace_id", "span_id")
    synced: ClassVar[tuple[str, ...]] = ("height", "revision", "n_traces", *settable)

    def __init__(self, page: Page, view: View, *, static: bool = False) -> None:
        self.page, self.view, self.silent = page, view, False
        self.trouble: list[str] = []
        self.replies: list[Any] = []
        view.send = self.replies.append
        page.set_default_timeout(15_000)
        page.route("**/*", lambda route: route.abort())
        page.on("console", lambda m: self.trouble.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.trouble.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith("blob:") else self.trouble.append(r.url))
        page.expose_function("kernel", self._answer)
        page.expose_function("kernelSet", self._set)
        page.set_content("<!doctype html><meta charset=utf-8><body data-jp-theme-light=true style='margin:0'>")
        given = {"esm": str(view._esm), "css": str(view._css), "isStatic": static}
        page.evaluate(HOST, {**given, "state": self._state(), "replies": [*view.static_replies()] if static else []})
        self.root = page.locator(".llmlens").first
        expect(self.root).to_have_attribute("data-ready", "true")

    def _state(self) -> dict[str, Any]:
        return {name: getattr(self.view, name) for name in self.synced}

    def _answer(self, message: str) -> str | None:
        if self.silent:
            return None
        self.view._handle_custom_msg(json.loads(message), [])
        return json.dumps(self.replies.pop())

    def _set(self, state: str) -> None:
        for name in self.settable:
            setattr(self.view, name, json.loads(state)[name])

    def push(self) -> None:
        """Bring what Python changed to the browser."""
        self.page.evaluate("(state) => globalThis.host.push(state)", self._state())

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
