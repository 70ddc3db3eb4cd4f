"""`CostTreemap` and `Plot` in a real browser: their ES modules with a small model, answered by the Python views."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from playwright.sync_api import Browser, Page, expect

from llmlens.traces import Traces
from llmlens.view.cost_treemap import CostTreemap
from llmlens.view.plot import Plot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmlens.view.base import View

DASH = "\u2013"
EVIL = (
    "<img src=x onerror=\"globalThis.hit='img'\"><a href=\"javascript:globalThis.hit='a'\">b</a> %{label} $x$ <b>z</b>"
)

#: A host such as JupyterLab, as small as can be: the model's traits, messages, and one element per widget.
HOST = """async ({number, esm, css, state, isStatic, replies}) => {
  const style = document.createElement("style"); style.textContent = css; document.head.append(style);
  const url = URL.createObjectURL(new Blob([esm], {type: "text/javascript"}));
  const {default: widget} = await import(url);
  const el = document.createElement("div"); el.id = `w${number}`; document.body.append(el);
  const listeners = new Map();
  const of = (name) => listeners.get(name) ?? listeners.set(name, new Set()).get(name);
  const fire = (name, value) => [...of(name)].forEach((f) => f(value));
  const model = {
    is_static: isStatic, get: (name) => state[name],
    set(name, value) {
      if (JSON.stringify(state[name]) !== JSON.stringify(value)) { state[name] = value; fire(`change:${name}`, value); }
    },
    save_changes() { if (!isStatic) globalThis.kernel_set(number, JSON.stringify(state)); },
    reply: (kind, values) => replies.find((r) => r.kind === kind
      && JSON.stringify(r.arguments) === JSON.stringify(values))?.result,
    on: (name, f) => of(name).add(f), off: (name, f) => of(name).delete(f),
    send: (message) =>
      globalThis.kernel(number, JSON.stringify(message)).then((r) => fire("msg:custom", JSON.parse(r))),
  };
  globalThis.hosted ||= {};
  const close = await widget.render({model, el});
  globalThis.hosted[number] = {model, close, listening: () => [...listeners.values()].reduce((n, s) => n + s.size, 0)};
}"""


class Host:
    """A page without network that shows views."""

    def __init__(self, page: Page) -> None:
        page.set_default_timeout(20_000)
        page.route("**/*", lambda route: route.abort())
        self.page = page
        self.views: list[View] = []
        self.asked: list[str] = []
        self.trouble: list[str] = []
        page.on("console", lambda m: self.trouble.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.trouble.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith(("blob:", "data:")) else self.trouble.append(r.url))
        page.expose_function("kernel", self._answer)
        page.expose_function("kernel_set", self._set)
        page.set_content("<!doctype html><meta charset=utf-8><body data-jp-theme-light=true style='margin:0'>")

    def _answer(self, number: int, message: str) -> str:
        request = json.loads(message)
        identity, kind = request.pop("id"), request.pop("kind")
        self.asked.append(kind)
        return json.dumps({"id": identity, "ok": True, "result": self.views[number].answer(kind, **request)})

    def _set(self, number: int, state: str) -> None:
        view = self.views[number]
        if isinstance(view, CostTreemap):
            view.path_selected = json.loads(state)["path_selected"]

    def show(self, view: View, *, static: bool = False) -> str:
        """Show a view and give the selector of its root, once it is ready."""
        number = len(self.views)
        self.views.append(view)
        state = {name: getattr(view, name) for name in view.keys if not name.startswith("_")}
        state = json.loads(json.dumps(state, default=lambda _: None))
        replies: list[Any] = []
        if static:
            replies = [*view.static_replies(), {"kind": "plotly", "arguments": {}, "result": view.answer("plotly")}]
        code = {"esm": str(view._esm), "css": str(view._css)}
        given = {"number": number, "state": state, "isStatic": static, "replies": replies, **code}
        self.page.evaluate(HOST, given)
        root = f"#w{number} .llmlens"
        self.page.wait_for_selector(f"{root}[data-ready]")
        return root

    def clear(self) -> None:
        """Close all views."""
        self.page.evaluate("Object.values(globalThis.hosted).forEach((h) => h.close()); globalThis.hosted = {}")
        self.page.evaluate(
            "document.body.replaceChildren(); document.body.dataset.jpThemeLight = 'true'; delete globalThis.hit"
        )
        self.page.mouse.move(0, 0)
        self.views.clear()
        self.asked.clear()

    def click_tile(self, root: str, label: str) -> None:
        """Click the middle of the heading or of the leaf whose row has this label."""
        spot = self.page.evaluate(
            """([root, label]) => {
              const tile = [...document.querySelectorAll(root + " g.slice")].find((s) => s.textContent.includes(label));
              const box = tile.querySelector("path.surface").getBoundingClientRect();
              return [box.x + box.width / 2, box.y + Math.min(10, box.height / 2)];
            }""",
            [root, label],
        )
        self.page.mouse.click(*spot)

    def path(self, root: str, labels: list[str]) -> None:
        """Wait until the group at these labels is shown."""
        text = json.dumps(labels, separators=(",", ":"), ensure_ascii=False)
        expect(self.page.locator(root)).to_have_attribute("data-path", text)


@pytest.fixture(scope="module")
def shared(browser: Browser) -> Host:
    """One page for all tests: it loads plotly once."""
    return Host(browser.new_page(viewport={"width": 1100, "height": 600}))


@pytest.fixture
def host(shared: Host) -> Iterator[Host]:
    yield shared
    assert shared.trouble == []
    shared.clear()


@pytest.fixture
def fresh(browser: Browser) -> Iterator[Host]:
    page = browser.new_page(viewport={"width": 1100, "height": 600})
    host = Host(page)
    yield host
    assert host.trouble == []
    page.close()


def traces(calls: Sequence[tuple[str, str | None, str, str, float | None]]) -> Traces:
    frame = pd.DataFrame(calls, columns=["trace_id", "feature", "model", "prompt_version", "cost_usd"])
    frame = frame.assign(kind="llm", depth=0, input_tokens=100, output_tokens=10)
    frame["span_id"] = [f"s{i}" for i in range(len(frame))]
    frame["start"] = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(range(len(frame)), unit="h")
    return Traces.from_frames({"spans": frame})


SMALL = [
    ("a", "refunds", "gpt-4o", "v6", 3.0),
    ("b", "refunds", "gpt-4o", "v7", 4.0),
    ("c", "refunds", "mini", "v7", 1.0),
    ("d", "search", "mini", "v1", 2.0),
    ("e", "search", "local", "v1", None),
    ("f", None, "mini", "v1", 1.5),
]


def test_a_click_opens_and_selects_and_the_breadcrumb_widens(host: Host) -> None:
    treemap = CostTreemap(traces(SMALL))
    root = host.show(treemap)
    expect(host.page.locator(f"{root} .lm-amount")).to_have_text("$11.50")
    expect(host.page.locator(f"{root} .lm-notes")).to_have_text("1 call of 'local' has no price: not in the sum")
    host.click_tile(root, "refunds")
    host.path(root, ["refunds"])
    assert sorted(treemap.selection.trace_ids) == ["a", "b", "c"]
    expect(host.page.locator(f"{root} .lm-facts")).to_contain_text("70 % of $11.50")
    host.click_tile(root, "gpt-4o")
    host.path(root, ["refunds", "gpt-4o"])
    assert sorted(treemap.selection.trace_ids) == ["a", "b"]
    host.page.locator(f"{root} .lm-crumbs button", has_text="refunds").click()
    host.path(root, ["refunds"])
    host.page.locator(f"{root} [aria-label='Clear the selection']").click()
    host.path(root, [])
    assert len(treemap.selection) == 6


def test_a_leaf_is_selected_where_it_is_and_let_go_by_a_second_click(host: Host) -> None:
    treemap = CostTreemap(traces(SMALL), path=["feature"])
    root = host.show(treemap)
    host.click_tile(root, "search")
    host.path(root, ["search"])
    expect(host.page.locator(f"{root} .lm-chosen")).to_be_visible()
    expect(host.page.locator(f"{root} g.slice[data-row]")).to_have_count(4)
    assert treemap.selection.trace_ids == ["d", "e"]
    host.click_tile(root, "search")
    host.path(root, [])
    assert len(treemap.selection) == 6


def test_selecting_in_python_opens_the_group_in_the_browser(host: Host) -> None:
    treemap = CostTreemap(traces(SMALL))
    root = host.show(treemap)
    treemap.select("refunds", "mini")
    host.page.evaluate("hosted[0].model.set('path_selected', ['refunds', 'mini'])")
    host.path(root, ["refunds", "mini"])
    expect(host.page.locator(f"{root} .lm-amount")).to_have_text("$1.00")


def test_everything_works_from_the_keyboard_and_keys_do_not_reach_the_notebook(host: Host) -> None:
    treemap = CostTreemap(traces(SMALL))
    root = host.show(treemap)
    host.page.evaluate("globalThis.leaked = []; document.addEventListener('keydown', (e) => leaked.push(e.key))")
    assert host.page.locator(root).get_attribute("data-lm-suppress-shortcuts") == "true"
    host.page.locator(f"{root} .lm-map").focus()
    host.page.keyboard.press("ArrowDown")
    expect(host.page.locator(root)).to_have_attribute("data-cursor", "refunds")
    host.page.keyboard.press("ArrowRight")
    expect(host.page.locator(root)).not_to_have_attribute("data-cursor", "refunds")
    host.page.keyboard.press("ArrowLeft")
    expect(host.page.locator(root)).to_have_attribute("data-cursor", "refunds")
    host.page.keyboard.press("Enter")
    host.path(root, ["refunds"])
    host.page.keyboard.press("Escape")
    host.path(root, [])
    host.page.keyboard.press("t")
    expect(host.page.locator(f"{root} .lm-cost-table")).to_be_visible()
    host.page.keyboard.press("ArrowDown")
    assert host.page.evaluate("document.activeElement.textContent") == "gpt-4o"
    for key in ("t", "t", "Enter", "Escape", "t"):
        host.page.keyboard.press(key)
        assert host.page.evaluate(f"document.querySelector('{root}').contains(document.activeElement)")
    assert host.page.evaluate("leaked") == []
    host.page.keyboard.press("?")
    expect(host.page.locator(f"{root} [role=dialog]")).to_be_visible()


def test_the_table_has_the_same_groups_and_sorts_siblings(host: Host) -> None:
    root = host.show(CostTreemap(traces(SMALL), path=["feature", "model"]))
    host.page.locator(f"{root} button", has_text="Table").click()

    def names() -> list[str]:
        return host.page.locator(f"{root} tbody th").all_text_contents()

    assert names() == ["refunds", "gpt-4o", "mini", "search", "mini", "local", "(none)", "mini"]
    host.page.locator(f"{root} [data-sort=label]").click()
    assert names() == ["(none)", "mini", "refunds", "gpt-4o", "mini", "search", "local", "mini"]
    expect(host.page.locator(f"{root} th[aria-sort=ascending]")).to_have_count(1)
    unpriced = host.page.locator(f"{root} tbody tr", has_text="local").locator("td").all_text_contents()
    assert unpriced == [DASH, DASH, "1", DASH, DASH, "110", "1"]


def test_a_fold_can_be_opened(host: Host) -> None:
    treemap = CostTreemap(traces([(f"t{i}", "f", f"m{i:03d}", "v", 1.0 + i) for i in range(300)]), path=["model"])
    root = host.show(treemap)
    host.page.locator(f"{root} button", has_text="Table").click()
    host.page.locator(f"{root} tbody button", has_text="(other 50)").click()
    host.path(root, ["(other 50)"])
    assert len(treemap.selection) == 50
    expect(host.page.locator(f"{root} tbody tr")).to_have_count(50)


def test_a_fold_further_down_opens_the_group_that_it_is_in(host: Host) -> None:
    calls = [(f"t{i}", f"f{i % 2}", f"m{i:03d}", "v", 1.0 + i) for i in range(400)]
    root = host.show(CostTreemap(traces(calls), path=["feature", "model"]))
    host.page.locator(f"{root} button", has_text="Table").click()
    host.page.locator(f"{root} tbody button", has_text="(other 75)").first.click()
    host.path(root, ["f1"])
    expect(host.page.locator(f"{root} tbody tr")).to_have_count(200)


def test_two_views_of_a_page_load_plotly_once_and_leave_its_globals_alone(fresh: Host) -> None:
    host = fresh
    host.page.evaluate(
        "globalThis.define = () => { globalThis.hit = 'amd'; }; define.amd = {}; globalThis.Plotly = {version: '1.0.0'}"
    )
    shown = traces(SMALL)
    host.show(CostTreemap(shown))
    host.show(CostTreemap(shown, path=["model"]))
    host.show(Plot(go.Figure(go.Scatter(x=[1], y=[1])), shown))
    assert host.asked.count("plotly") == 1
    assert host.page.evaluate("[globalThis.hit, Plotly.version, 'moduleName' in globalThis]") == [None, "1.0.0", False]


def test_texts_of_strangers_show_literally_and_nothing_of_them_runs(host: Host) -> None:
    shown = traces([("a", EVIL, EVIL, EVIL, 3.0), ("b", "plain", "mini", "v", 1.0), ("c", "plain", EVIL, "v", None)])
    root = host.show(CostTreemap(shown))
    drawn = host.page.locator(f"{root} svg.main-svg").first.text_content() or ""
    assert "<img src=x onerror=" in drawn
    host.page.mouse.move(300, 300)
    expect(host.page.locator(f"{root} .lm-tip")).to_contain_text("<img src=x")
    host.page.locator(f"{root} button", has_text="Table").click()
    expect(host.page.locator(f"{root} tbody")).to_contain_text("<a href=")
    host.page.locator(f"{root} tbody button").first.click()
    host.path(root, [EVIL])
    assert host.page.locator(f"{root} img, {root} a").count() == 0
    assert host.page.evaluate("globalThis.hit") is None


def test_the_theme_of_the_page_is_followed(host: Host) -> None:
    root = host.show(CostTreemap(traces(SMALL)))
    tile = f"getComputedStyle(document.querySelector('{root} g.slice path.surface')).fill"
    light = host.page.evaluate(tile)
    host.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(host.page.locator(root)).to_have_attribute("data-theme", "dark")
    host.page.wait_for_function(f"{tile} !== {json.dumps(light)}")


def test_no_calls_and_no_prices_are_said_in_words(host: Host) -> None:
    root = host.show(CostTreemap(Traces.from_frames({})))
    expect(host.page.locator(f"{root} .lm-empty")).to_contain_text("No model calls here")
    root = host.show(CostTreemap(traces([("a", "f", "local", "v", None)])))
    expect(host.page.locator(f"{root} .lm-empty")).to_contain_text("None of 1 call has a cost")
    host.page.locator(f"{root} button", has_text="Table").click()
    expect(host.page.locator(f"{root} tbody tr")).to_have_count(3)


def test_a_copy_without_a_kernel_still_opens_groups(host: Host) -> None:
    root = host.show(CostTreemap(traces(SMALL)), static=True)
    host.click_tile(root, "refunds")
    host.path(root, ["refunds"])
    assert host.asked == []


def test_closing_a_view_lets_go_of_everything_it_listened_to(host: Host) -> None:
    host.show(CostTreemap(traces(SMALL)))
    host.page.evaluate("hosted[0].close()")
    assert host.page.evaluate("hosted[0].listening()") == 0
    assert host.page.locator(".llmlens").count() == 0


def test_a_plot_offers_no_upload_to_a_cloud(host: Host) -> None:
    root = host.show(Plot(go.Figure(go.Scatter(x=[1], y=[1]))))
    titles = host.page.locator(f"{root} .modebar-btn").evaluate_all(
        "all => all.map((b) => b.dataset.title || b.ariaLabel)"
    )
    assert titles
    assert not [title for title in titles if "hare" in title or "loud" in title]
    assert host.page.evaluate("document.querySelector('.lm-chart')._context.plotlyServerURL") == ""


def drag(page: Page, *points: tuple[float, float]) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


@pytest.mark.parametrize("mode", ["select", "lasso"])
def test_points_in_a_box_or_a_lasso_become_the_selection_of_a_plot(host: Host, mode: str) -> None:
    figure = go.Figure(go.Scatter(x=[0, 1, 2], y=[0, 1, 2], mode="markers", customdata=["a", "b", "c"]))
    plot = Plot(figure.update_layout(dragmode=mode), traces(SMALL))
    root = host.show(plot)
    box = host.page.locator(f"{root} .nsewdrag").first.bounding_box()
    assert box is not None
    left, top = box["x"] + 2, box["y"] + 2
    right, bottom = left + box["width"] - 4, top + box["height"] - 4
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    drag(host.page, *(corners if mode == "lasso" else corners[:3:2]))
    expect(host.page.locator(root)).to_have_attribute("data-points", "3")
    assert sorted(plot.selection.trace_ids) == ["a", "b", "c"]


def test_a_clicked_point_becomes_the_selection_of_a_plot(host: Host) -> None:
    figure = go.Figure(go.Bar(x=["mon", "tue"], y=[1, 2], ids=["a", "b"]))
    plot = Plot(figure, traces(SMALL))
    root = host.show(plot)
    box = host.page.evaluate(
        """() => {
          const bar = document.querySelectorAll(".bars .point")[1].getBoundingClientRect();
          return [bar.x + bar.width / 2, bar.y + bar.height / 2];
        }"""
    )
    host.page.mouse.click(*box)
    expect(host.page.locator(root)).to_have_attribute("data-points", "1")
    assert plot.selection.trace_ids == ["b"]
