"""The shared quickstart in a browser without network: clicked, searched, linked into, printed, and without scripts."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import llmlens as ll
from llmlens.cli import demo_file
from tests.browser.reader import Reader
from tests.browser.test_quickstart import shot
from tests.hostile import PAYLOADS, STRANGE
from tests.share.sample import code, data, shown, stream, words
from tests.share.sample import notebook as written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def quickstart(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the quickstart and share it, once."""
    del browser  # without one there is nothing to run it for
    folder = tmp_path_factory.mktemp("shared")
    for name in ("quickstart.ipynb", "support_week.otlp.jsonl.gz"):
        shutil.copyfile(demo_file(name), folder / name)
    return ll.share(folder / "quickstart.ipynb", execute=True)


@contextmanager
def reading(browser: Any, path: Path, **options: Any) -> Iterator[Reader]:
    """Open a shared page, and see that it did without the network and without errors."""
    reader = Reader(browser, path, **options)
    yield reader
    reader.close()


def test_the_quickstart_is_small(quickstart: Path) -> None:
    text = quickstart.read_text("utf-8")
    plotly = max(re.findall(r'<script type="text/plain"[^<]*', text), key=len)
    assert len(text.encode()) <= 2.6e6
    assert len(text.encode()) - len(plotly) <= 0.6e6


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_of_it_is_live_in_the_readers_theme(browser: Any, quickstart: Path, scheme: str) -> None:
    with reading(browser, quickstart, color_scheme=scheme) as reader:
        reader.wait()
        for name in ("plot", "cost", "trace-explorer"):
            expect(reader.view(name)).to_have_attribute("data-theme", scheme)
        expect(reader.page.locator("[data-mounted=false]")).to_have_count(0)
        expect(reader.page.locator(".head")).to_contain_text(
            "1,970 traces, 10,056 spans, 2026-11-02 00:09 – 2026-11-08 23:27 UTC"
        )
        expect(reader.page.locator(".head")).to_contain_text("genai-prices")
        shot(reader.page, f"shared-{scheme}")
        reader.page.get_by_label("Light or dark").click()
        other = "dark" if scheme == "light" else "light"
        for name in ("plot", "cost", "trace-explorer"):
            expect(reader.view(name)).to_have_attribute("data-theme", other)


def test_a_click_in_the_treemap_narrows_the_explorer_as_in_the_notebook(browser: Any, quickstart: Path) -> None:
    with reading(browser, quickstart) as reader:
        reader.wait()
        treemap, explorer = reader.view("cost"), reader.view("trace-explorer")
        expect(explorer).to_have_attribute("data-traces", "1970")
        treemap.locator("g.slice").filter(has_text="product_qa").first.click(position={"x": 12, "y": 10})
        expect(treemap).to_have_attribute("data-path", '["product_qa"]')
        expect(explorer).to_have_attribute("data-traces", "367")
        explorer.locator("[data-sort=cost] button").click()
        dearest = explorer.locator("[data-trace][aria-rowindex='1']")
        dearest.click()
        expect(explorer).to_have_attribute("data-trace", str(dearest.get_attribute("data-trace")))
        explorer.locator("[data-list=spans]").focus()
        for key in ("Home", "ArrowDown", "Enter"):
            reader.page.keyboard.press(key)
        expect(explorer.locator("[data-pane=detail] [data-role=user]").first).to_contain_text("<!DOCTYPE html>")
        shot(reader.page, "shared-culprit")


def test_a_search_counts_finds_folded_code_and_goes_round(browser: Any, quickstart: Path) -> None:
    with reading(browser, quickstart) as reader:
        page = reader.page
        reader.wait()
        folded = page.locator("details.code").filter(has_text="CostTreemap(traces)").first
        expect(folded).not_to_have_attribute("open", "")
        assert reader.search("CostTreemap(traces)") == "1 of 1"
        expect(folded).to_have_attribute("open", "")
        assert page.evaluate("[...CSS.highlights.get('here')].map((range) => range.toString())") == [
            "CostTreemap(traces)"
        ]
        total = int(reader.search("the").split(" of ")[1])
        assert total > 5
        page.get_by_label("Search the page").press("Shift+Enter")
        assert page.locator(".find output").inner_text() == f"{total} of {total}"
        page.get_by_label("Search the page").press("Enter")
        assert page.locator(".find output").inner_text() == f"1 of {total}"
        assert reader.search("no such words at all") == "nothing"
        page.get_by_label("Search the page").press("Escape")
        assert page.locator(".find output").inner_text() == ""
        page.keyboard.press("/")
        expect(page.get_by_label("Search the page")).to_be_focused()


def test_a_link_opens_its_trace_and_span(browser: Any, quickstart: Path) -> None:
    with reading(browser, quickstart) as reader:
        reader.wait()
        explorer = reader.view("trace-explorer")
        second = explorer.locator("[data-trace][aria-rowindex='2']")
        trace = str(second.get_attribute("data-trace"))
        second.click()
        expect(explorer).to_have_attribute("data-trace", trace)
        span = explorer.locator("[data-list=spans] [role=treeitem]").nth(2)
        span_id = str(span.get_attribute("data-span"))
        span.click()
        reader.page.wait_for_url(re.compile(f"#trace={trace}&span={span_id}$"))
        explorer.locator("[data-list=spans]").focus()
        reader.page.keyboard.press("c")
        expect(explorer).to_have_attribute("data-copied", "true")
    with reading(browser, quickstart, link=f"#trace={trace}&span={span_id}") as reader:
        reader.wait()
        explorer = reader.view("trace-explorer")
        expect(explorer).to_have_attribute("data-trace", trace)
        expect(explorer.locator("[role=treeitem][aria-selected=true]")).to_have_attribute("data-span", span_id)
        expect(explorer).to_be_in_viewport()
    with reading(browser, quickstart, link="#trace=" + "f" * 32) as reader:
        reader.wait()
        expect(reader.page.get_by_text(f"The trace {'f' * 32} is not in this file.")).to_be_in_viewport()


def test_without_scripts_it_still_reads(browser: Any, quickstart: Path) -> None:
    with reading(browser, quickstart, java_script_enabled=False) as reader:
        text = reader.page.locator("main").inner_text()
    for said in (
        "The bill has tripled",
        "product_qa",
        "$10.38",
        "The newest 20 of 1,970 traces",
        "131,264 characters were sent",
    ):
        assert said in text


def test_it_prints_with_figures_and_with_tables_in_place_of_lists(browser: Any, quickstart: Path) -> None:
    with reading(browser, quickstart, color_scheme="dark") as reader:
        reader.wait()
        reader.page.emulate_media(media="print")
        expect(reader.page.locator(".bar")).to_be_hidden()
        expect(reader.view("trace-explorer")).to_be_hidden()
        expect(reader.page.get_by_text("The newest 20 of 1,970 traces")).to_be_visible()
        expect(reader.view("cost")).to_be_visible()
        assert reader.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        reader.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(reader.view("cost")).to_have_attribute("data-theme", "light")
        reader.page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(reader.view("cost")).to_have_attribute("data-theme", "dark")


def test_a_pdf_is_printed_without_network(browser: Any, tmp_path: Path, week: ll.Traces) -> None:
    del browser  # there is a Chromium
    path = written(tmp_path / "n.ipynb", [words("# On paper"), code("t", shown(ll.CostTreemap(week)))])
    made = ll.share(path, tmp_path / "n.pdf").read_bytes()
    assert made[:5] == b"%PDF-"
    assert len(made) > 10_000


@pytest.mark.parametrize("width", [360, 800, 1900])
def test_nothing_is_wider_than_the_window(browser: Any, quickstart: Path, width: int) -> None:
    with reading(browser, quickstart) as reader:
        reader.page.set_viewport_size({"width": width, "height": 800})
        reader.wait()
        assert reader.page.evaluate("document.documentElement.scrollWidth") <= width


# Small pages ---------------------------------------------------------------------------------------------------------


def test_a_widget_that_cannot_start_leaves_a_line_and_the_others_go_on(
    browser: Any, tmp_path: Path, week: ll.Traces
) -> None:
    import anywidget
    import traitlets

    class Broken(anywidget.AnyWidget):
        _esm = "export default {render() { throw new Error('no <b>luck</b>'); }}"

    class Counter(anywidget.AnyWidget):
        _esm = """export default {
          initialize({model}) { model.set("n", model.get("n") + 1); },
          render({model, el}) {
            const bytes = () => new Uint8Array(model.get("raw").buffer).join();
            const show = () => { el.textContent = `${model.get("n")} ${bytes()}`; };
            model.on("change:n", show);
            el.onclick = () => { model.set("n", 7); model.save_changes(); model.send({}); };
            show();
          } }"""
        n = traitlets.Int(1).tag(sync=True)
        raw = traitlets.Bytes(b"\x01\x02").tag(sync=True)

    counter = Counter()
    cells = [
        code("b", shown(Broken())),
        code("c", shown(counter), shown(counter)),
        code("t", shown(ll.CostTreemap(week))),
    ]
    with reading(browser, ll.share(written(tmp_path / "n.ipynb", cells))) as reader:
        reader.wait()
        expect(reader.page.get_by_text("Broken could not start here: no <b>luck</b>")).to_be_visible()
        live = reader.page.locator(".live").filter(has_text="1,2")
        expect(live).to_have_text(["2 1,2", "2 1,2"])
        live.first.click()
        expect(live).to_have_text(["7 1,2", "7 1,2"])
        expect(reader.view("cost")).to_have_attribute("data-ready", "true")


def test_plain_figures_are_drawn_webgl_too(browser: Any, tmp_path: Path) -> None:
    import plotly.graph_objects as go

    figures = [go.Figure(go.Bar(x=["a"], y=[1])), go.Figure(go.Scattergl(x=[1, 2, 3], y=[3, 1, 2]))]
    outputs = [data(**{"application__vnd.plotly.v1+json": json.loads(figure.to_json())}) for figure in figures]
    outputs.append(shown(go.FigureWidget(figures[0])))
    reader = Reader(browser, ll.share(written(tmp_path / "n.ipynb", [code("f", *outputs)])))
    reader.wait()
    expect(reader.page.locator(".js-plotly-plot")).to_have_count(3)
    expect(reader.page.locator(".bars path, .barlayer .point path")).not_to_have_count(0)
    assert reader.outside == []
    assert [
        line for line in reader.trouble if "WebGL" not in line and "GPU" not in line and "GL Driver" not in line
    ] == []
    reader.context.close()


def test_what_strangers_wrote_into_words_and_outputs_does_not_run(browser: Any, tmp_path: Path) -> None:
    cells = [
        cell
        for evil in PAYLOADS
        for cell in (
            words(evil),
            code(evil, stream(evil), data(text__html=evil, text__plain=evil), data(text__markdown=evil)),
        )
    ]
    path = ll.share(written(tmp_path / "n.ipynb", cells), title=PAYLOADS[0], code="show", redact=False)
    with reading(browser, path) as reader:
        reader.wait()
        assert reader.page.evaluate("globalThis.hit") is None
        strange = reader.page.evaluate(f"({STRANGE})([document.querySelector('main')])")
        # A link is only followed by who clicks it, and the page it leads to learns nothing of this one.
        assert [
            each for each in strange if not re.match(r'<a href="http://[^>]* rel="noopener noreferrer">', each)
        ] == []
        assert reader.page.evaluate("Object.keys(Object.prototype)") == []
        assert reader.page.title() == PAYLOADS[0]


def test_share_in_a_running_notebook_saves_it_and_shares_its_living_views(
    browser: Any, lab: Any, notebook: Callable[..., Any]
) -> None:
    shutil.copyfile(demo_file("support_week.csv.gz"), lab.folder / "support_week.csv.gz")
    cells = (
        "import llmlens as ll\ntraces = ll.read('support_week.csv.gz')\nlen(traces)",
        "treemap = ll.CostTreemap(traces, path=['feature'])\ntreemap",
        "ll.share()",
    )
    opened = notebook(lab.write("running.ipynb", cells))
    opened.run_all()
    assert opened.errors() == []
    with reading(browser, lab.folder / "running.html") as reader:
        reader.wait()
        expect(reader.view("cost")).to_have_attribute("data-ready", "true")
        expect(reader.page.locator(".head .notice")).to_have_count(0)
        expect(reader.page.locator(".state")).to_have_count(0)
        expect(reader.page.locator(".head")).to_contain_text("1,970 traces")
    assert opened.trouble == []
    assert opened.outside == []
