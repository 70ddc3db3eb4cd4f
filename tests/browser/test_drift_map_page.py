"""`DriftMap` in a real browser: its ES module with a small model, answered by the Python view."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, expect

from llmlens.compare.drift import drifting
from llmlens.embed.projection import Projection
from llmlens.traces import Traces
from llmlens.view.drift_map import DriftMap
from llmlens.view.drift_map_density import extent
from tests.browser.page_host import PageHost
from tests.hostile import GROUPS, PAYLOADS, STRANGE
from tests.topics import said

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.browser

EVIL = "<img src=x onerror=\"globalThis.hit='img'\"><b>z</b> %{x}"
OLD, NEW = {"refund": 24, "weather": 36, "sizes": 16}, {"refund": 24, "weather": 16, "sizes": 36}


class MapHost(PageHost):
    """A page that shows a map; what the browser's driver says of its GPU is no trouble."""

    settable = ("color",)
    synced = ("height", "revision", "n_traces", "progress", "chosen", *settable)

    def real_trouble(self) -> list[str]:
        return [words for words in self.trouble if "GL Driver Message" not in words]

    def places(self) -> list[tuple[float, float]]:
        """Give the place of each point on the screen."""
        assert isinstance(self.view, DriftMap)
        places = self.view._work.made.places
        assert places is not None
        box = self.page.locator(".lm-surface").bounding_box()
        assert box is not None
        left, right, bottom, top = extent(places)
        unit = max((right - left) / box["width"], (top - bottom) / box["height"])
        x = box["x"] + (places[:, 0] - (left + right) / 2) / unit + box["width"] / 2
        y = box["y"] + box["height"] / 2 - (places[:, 1] - (bottom + top) / 2) / unit
        return list(zip(x.tolist(), y.tolist(), strict=True))

    def drag(self, *places: tuple[float, float]) -> None:
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=3)
        self.page.mouse.up()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the map be the first picture; the real one is in test_drift_map.py."""

    def fit(vectors: Any, _strata: Any = None, *, seed: int = 0, **_options: Any) -> Projection:
        places = -Projection.preview(vectors, seed)
        return Projection(places, vectors, places, ())

    whole = drifting.drift_of
    monkeypatch.setattr(Projection, "fit", staticmethod(fit))
    monkeypatch.setattr(sys.modules["llmlens.embed.warm_up"], "warm_up", lambda: None)
    monkeypatch.setattr(drifting, "drift_of", lambda windows, **options: whole(windows, times=99, **options))
    monkeypatch.setenv("LLMLENS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="module")
def traces() -> Traces:
    return said(OLD, "2026-11-01", "old") | said(NEW, "2026-11-08", "new", seed=1)


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[..., MapHost]]:
    pages = []
    expect.set_options(timeout=20_000)

    def open_page(view: DriftMap, *, static: bool = False) -> MapHost:
        assert view.wait(120)
        page = browser.new_page(viewport={"width": 1200, "height": 660})
        pages.append(page)
        host = MapHost(page, view, static=static)
        if not view.progress["problem"]:
            expect(host.root).to_have_attribute("data-drift", "true")
        return host

    yield open_page
    for page in pages:
        page.close()
    expect.set_options(timeout=5_000)


@pytest.fixture
def host(show: Callable[..., MapHost], traces: Traces) -> MapHost:
    return show(DriftMap(traces, before="2026-11-08"))


def corners(places: list[tuple[float, float]], around: float = 6) -> list[tuple[float, float]]:
    xs, ys = zip(*places, strict=True)
    left, right, top, bottom = min(xs) - around, max(xs) + around, min(ys) - around, max(ys) + around
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


@pytest.mark.parametrize("tool", ["l", "b"])
def test_what_a_lasso_or_a_box_goes_round_becomes_the_selection(host: MapHost, tool: str) -> None:
    view = host.view
    assert isinstance(view, DriftMap)
    places = host.places()
    mine = places[:3]
    around = corners(mine)
    expected = [
        i for i, (x, y) in enumerate(places)
        if around[0][0] < x < around[1][0] and around[0][1] < y < around[2][1]
    ]  # fmt: skip
    host.page.locator(".lm-surface").focus()
    host.press(tool)
    host.drag(*(around if tool == "l" else [around[0], around[2]]))
    expect(host.root).to_have_attribute("data-selected", str(len(expected)))
    expect(host.root).to_have_attribute("data-traces", str(len(expected)))
    assert set(view.selection.trace_ids) == {view._points.trace_ids[i] for i in expected}
    expect(host.page.locator(".lm-chip")).to_contain_text("selected")
    host.press("Escape")
    expect(host.root).to_have_attribute("data-selected", "0")
    assert len(view.selection) == 152
    assert host.real_trouble() == []


def test_a_click_selects_a_point_and_shift_adds_one(host: MapHost) -> None:
    places = host.places()
    far = max(range(len(places)), key=lambda i: abs(places[i][0] - places[0][0]))
    host.page.mouse.click(*places[0])
    expect(host.root).to_have_attribute("data-selected", "1")
    host.page.keyboard.down("Shift")
    host.page.mouse.click(*places[far])
    host.page.keyboard.up("Shift")
    expect(host.root).to_have_attribute("data-selected", "2")
    expect(host.root).to_have_attribute("data-traces", "2")


def test_hovering_shows_the_first_lines_which_come_only_then(host: MapHost) -> None:
    asked = host.page.evaluate("globalThis.host.model.sent")
    host.page.mouse.move(*host.places()[5])
    tip = host.page.locator(".lm-tip")
    expect(tip).to_contain_text("what about")
    expect(tip).to_contain_text("before")
    assert host.page.evaluate("globalThis.host.model.sent") == asked + 1
    host.page.mouse.move(2, 2)
    expect(tip).to_be_hidden()


def test_the_table_of_clusters_is_the_map_for_the_keyboard(host: MapHost) -> None:
    view = host.view
    assert isinstance(view, DriftMap)
    assert view.clusters is not None
    host.page.evaluate("document.body.addEventListener('keydown', (e) => host.outside.push(e.key))")
    host.page.locator(".lm-surface").focus()
    host.press("c", "ArrowDown", "ArrowUp")
    first = view.clusters.iloc[0]
    assert first["name"] in host.page.evaluate("document.activeElement.textContent")
    host.press("Enter")
    count = first["n_before"] + first["n_after"]
    expect(host.root).to_have_attribute("data-selected", str(count))
    assert len(view.selection) == count
    host.press("Escape")
    expect(host.root).to_have_attribute("data-selected", "0")
    headings = host.page.locator(".lm-clusters thead th").all_text_contents()
    assert headings == ["cluster", "before", "after", "points"]
    assert host.page.evaluate("host.outside") == []


def test_arrows_go_from_cluster_to_cluster_on_the_map(host: MapHost) -> None:
    host.page.locator(".lm-surface").focus()
    host.press("ArrowRight")
    expect(host.page.locator(".lm-label[data-spot]")).to_have_count(1)
    host.press("Enter")
    expect(host.root).not_to_have_attribute("data-selected", "0")
    assert host.page.locator("[aria-live]").text_content() != ""


def test_days_play_over_the_map_which_stays(host: MapHost) -> None:
    host.page.locator(".lm-surface").focus()
    before = host.page.evaluate("document.querySelector('.lm-chart').layout.xaxis.range")
    host.press("]")
    expect(host.page.locator(".lm-facts")).to_contain_text("76 of 152 traces")
    expect(host.page.locator(".lm-day-label")).to_contain_text("2026-11-01")
    expect(host.page.locator(".lm-under")).to_be_hidden()
    host.page.locator(".lm-slider").fill("8")
    expect(host.page.locator(".lm-day-label")).to_contain_text("2026-11-08")
    host.page.get_by_role("button", name="all days").click()
    expect(host.page.locator(".lm-facts")).to_contain_text("152 traces")
    assert host.page.evaluate("document.querySelector('.lm-chart').layout.xaxis.range") == before


def test_windows_can_be_looked_at_one_by_one(host: MapHost) -> None:
    expect(host.page.locator(".lm-legend button")).to_have_count(2)
    host.page.locator(".lm-legend button").first.click()
    expect(host.page.locator(".lm-facts")).to_contain_text("76 of 152 traces")
    host.page.locator(".lm-surface").focus()
    host.press("w")
    expect(host.page.locator(".lm-legend [aria-pressed=true]")).to_have_count(2)


def test_points_are_coloured_by_what_is_chosen_in_the_list(host: MapHost) -> None:
    host.page.locator("select").select_option("feature")
    host.push()
    expect(host.page.locator(".lm-legend")).to_contain_text("support refund")
    expect(host.page.locator(".lm-swatch")).to_have_count(3)
    assert host.view.color == "feature"
    host.page.locator("select").select_option("day")
    host.push()
    expect(host.page.locator(".lm-legend")).to_contain_text("2026-11-01")


def test_what_python_selects_is_shown(host: MapHost, traces: Traces) -> None:
    host.view.select(traces.where(feature="support refund"))
    host.push()
    expect(host.root).to_have_attribute("data-selected", "48")


def test_points_move_once_when_the_map_is_ready(show: Callable[..., MapHost], traces: Traces) -> None:
    view = DriftMap(traces, before="2026-11-08")
    assert view.wait(120)
    made = view._work.made
    done, after = view.progress, made.places
    assert after is not None
    made.places, made.layout = -after, "pca"
    view.progress = {**done, "stage": "placing", "share": 0.5, "picture": 1, "facts": 0}
    host = _open_early(show, view)
    expect(host.root).to_have_attribute("data-layout", "pca")
    expect(host.page.locator(".lm-work")).to_contain_text("Placing the points 50 %")
    made.places, made.layout = after, "umap"
    view.progress = done
    host.push()
    expect(host.root).to_have_attribute("data-layout", "umap")
    expect(host.root).to_have_attribute("data-drift", "true")
    expect(host.page.locator(".lm-work")).to_be_hidden()
    expect(host.page.locator(".lm-label").first).to_be_visible()


def _open_early(show: Callable[..., MapHost], view: DriftMap) -> MapHost:
    """Open the page before there is a picture, then let there be one."""
    progress, view.progress = view.progress, {**view.progress, "problem": "not yet"}
    host = show(view)
    view.progress = progress
    host.push()
    return host


def test_what_makes_no_map_is_said_in_place_of_a_picture(show: Callable[..., MapHost]) -> None:
    host = show(DriftMap(Traces.from_frames({})))
    expect(host.page.locator(".lm-empty")).to_contain_text("There are no outputs in these 0 traces")
    assert host.page.locator(".lm-map").is_hidden()


def test_texts_of_strangers_show_literally_and_nothing_of_them_runs(
    show: Callable[..., MapHost], traces: Traces
) -> None:
    spans = traces.spans.assign(feature=EVIL)
    contents = traces.contents
    contents["output"] = [f"{EVIL} {text}" for text in contents["output"]]
    contents["input"] = EVIL
    host = show(
        DriftMap(Traces.from_frames({"spans": spans, "contents": contents}), before="2026-11-08", color="feature")
    )
    expect(host.page.locator(".lm-legend")).to_contain_text("<img src=x")
    expect(host.page.locator(".lm-clusters")).to_contain_text("<img src=x")
    host.page.mouse.move(*host.places()[5])
    expect(host.page.locator(".lm-tip")).to_contain_text("<img src=x")
    assert host.page.locator("img, a, .lm-map b, .lm-legend b").count() == 0
    assert host.page.evaluate("globalThis.hit") is None


def test_no_payload_of_the_corpus_is_more_than_text(show: Callable[..., MapHost], traces: Traces) -> None:
    spans, contents = traces.spans, traces.contents
    evil = [PAYLOADS[place % len(PAYLOADS)] for place in range(len(spans))]
    spans["feature"] = spans["model"] = spans["name"] = evil
    contents["output"] = [f"{GROUPS[n % len(GROUPS)]} {text}" for n, text in enumerate(contents["output"])]
    contents["input"] = [GROUPS[n % len(GROUPS)] for n in range(len(contents))]
    view = DriftMap(Traces.from_frames({"spans": spans, "contents": contents}), before="2026-11-08", color="feature")
    host = show(view)
    for place in host.places()[::10]:
        host.page.mouse.move(*place)
    for color in ("window", "cluster", "model"):
        host.page.locator("select").select_option(color)
        host.page.wait_for_function("() => !document.querySelector('.llmlens[data-busy]')")
    assert host.page.evaluate("globalThis.hit ?? null") is None
    assert host.page.evaluate(f"({STRANGE})([...document.querySelectorAll('.llmlens')])") == []


def test_the_theme_of_the_page_is_followed(host: MapHost) -> None:
    color = "document.querySelector('.lm-chart').data[0].marker.color"
    light = host.page.evaluate(color)
    host.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(host.root).to_have_attribute("data-theme", "dark")
    host.page.wait_for_function(f"{color} !== {json.dumps(light)}")


def test_a_copy_without_a_kernel_shows_the_map_and_asks_for_nothing(
    show: Callable[..., MapHost], traces: Traces
) -> None:
    view = DriftMap(traces, before="2026-11-08")
    assert view.wait(120)
    whole = view.static_replies
    plotly = {"kind": "plotly", "arguments": {}, "result": view.answer("plotly")}
    view.static_replies = lambda texts="shown": iter([*whole(texts), plotly])  # type: ignore[method-assign]
    host = show(view, static=True)
    host.drag(*corners(host.places()))
    expect(host.root).to_have_attribute("data-selected", "152")
    host.page.locator("select").select_option("feature")
    assert host.page.evaluate("globalThis.host.model.sent") == 0
    assert len(view.selection) == 152
    assert host.real_trouble() == []


def test_closing_lets_go_of_everything_it_listened_to(host: MapHost) -> None:
    host.page.evaluate("globalThis.host.closers.forEach((close) => close())")
    assert host.page.evaluate("globalThis.host.listening()") == 0
    assert host.page.locator(".llmlens").count() == 0
