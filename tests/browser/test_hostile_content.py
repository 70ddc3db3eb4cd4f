"""What strangers wrote into traces stays text: live in JupyterLab, in static HTML, and in what is shared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import llmlens as ll
from tests.browser.reader import Reader
from tests.hostile import GROUPS, PAYLOADS, STRANGE
from tests.hostile_traces import dump
from tests.share.sample import code, data, stream, words
from tests.share.sample import notebook as notebook_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.browser

_OPEN_ALL = """async (traces) => {
  const root = document.querySelector(".lm-trace-explorer");
  const one = (selector) => root.querySelector(selector);
  const settled = async () => {
    const until = Date.now() + 10000;
    do await new Promise((r) => setTimeout(r, 4));
    while ((root.hasAttribute("data-busy") || one("[data-waiting], [data-busy]")) && Date.now() < until);
  };
  const press = (key) => one("[data-list=spans]").dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const seen = {};
  for (let trace = 0; trace < traces; trace++) {
    await settled();
    for (let n = Number(one("[data-list=spans]").dataset.rows); n > 0; n--) {
      await settled();
      for (let t = 0; t < root.querySelectorAll("[role=tab]").length; t++) {
        root.querySelectorAll("[role=tab]")[t].click();
        const {tab} = one("[data-tab]").dataset;
        seen[tab] = (seen[tab] ?? 0) + 1;
      }
      press("ArrowDown");
    }
    press("]");
  }
  return seen;
}"""


CELLS = (
    """import llmlens as ll
import pandas as pd
traces = ll.read("hostile.otlp.jsonl")
evil = traces.spans.drop_duplicates("trace_id")[["trace_id", "name"]]
judged = evil.assign(value=0.5, label=evil["name"], comment=evil["name"], author=evil["name"], source="judge")
traces = traces.with_scores(judged)
traces""",
    """results = [
    ll.cost(traces, by=["feature", "model"]), ll.errors(traces, by="feature"), ll.latency(traces, by="name"),
    ll.quality(traces, by="feature"), ll.tools(traces), ll.agents(traces, by="feature"), ll.loops(traces),
    ll.retrieval(traces, by="feature"), ll.sessions(traces), ll.users(traces), ll.handoffs(traces), ll.versions(traces),
    ll.critical_path(traces, by="feature"), ll.prompt_cache(traces, by="feature"), ll.self_time(traces),
    ll.instructions_in_documents(traces), ll.cost_audit(traces), ll.cost_anomalies(traces), ll.duplicates(traces),
    ll.context_growth(traces), ll.groundedness(traces), ll.explain(traces.sample(9), traces),
]
tables = [traces.traces, traces.spans, traces.contents, traces.messages, traces.documents, traces.tool_calls]
for each in [*results, *tables, traces.scores, traces.problems]:
    display(each.head(60))""",
    """for each in results:
    display(ll.Plot(each.plot()))""",
    """names = evil["name"].tolist()
print("\\n".join(names))
try:
    raise ValueError(names[3])
except ValueError:
    get_ipython().showtraceback()""",
    "treemap = ll.CostTreemap(traces)\ntreemap",
    "explorer = ll.TraceExplorer(traces)\nexplorer",
    """asked = [ll.Score("helpful", 1, 5, help=names[0]), ll.Score("kind", [names[0][:60], "b"])]
panel = ll.Annotator(traces, asked, store="labels-hostile.sqlite", author=names[1])
panel""",
    'll.share(out="shared-hostile.html", redact=False)',
)


#: What the author of a notebook may show: links that a reader may follow, embedded pictures, which run nothing; and
#: what the page is made of.
_HARMLESS = re.compile(
    r"<a href=.https?://[^>]* rel=.noopener noreferrer.|<img alt=.[^>]*. src=.data:image/|<script(?: type=| id=|>\n//)"
)


def opened_everywhere(page: Any, root: str, traces: int) -> None:
    """Hover over the treemap, list it as a table, open every part of every span of every trace."""
    treemap = page.locator(f"{root} .lm-cost").first
    tiles = treemap.locator("g.slice path.surface")
    for n in range(0, tiles.count(), max(1, tiles.count() // 12)):
        tiles.nth(n).hover(force=True)
    treemap.get_by_role("button", name="Table", exact=True).click()
    expect(treemap).to_have_attribute("data-mode", "table")
    seen = page.evaluate(_OPEN_ALL, traces)
    assert set(seen) >= {"chat", "tools", "documents", "io", "events", "attributes"}
    assert min(seen.values()) >= traces - 2


def only_text(page: Any, roots: str) -> None:
    """See that no payload became more than text."""
    assert page.evaluate("globalThis.hit") is None
    assert page.evaluate(f"({STRANGE})([...document.querySelectorAll({roots!r})])") == []
    assert page.evaluate("Object.keys(Object.prototype)") == []


def test_every_payload_is_its_own() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 150
    assert set("\n".join(GROUPS).split("\n")) == set("\n".join(PAYLOADS).split("\n"))


def test_hostile_traces_are_text_live_and_in_the_shared_page(
    browser: Any, notebook: Callable[..., Any], lab: Any
) -> None:
    (lab.folder / "hostile.otlp.jsonl").write_text(dump(GROUPS), "utf-8")
    opened = notebook(lab.write("hostile.ipynb", CELLS))
    page = opened.page
    opened.run_all()
    assert opened.errors() == [GROUPS[3]]
    expect(page.locator(".llmlens[data-view=plot][data-ready]")).to_have_count(22, timeout=120_000)
    page.locator(".llmlens[data-view=plot] .point").first.hover(force=True)
    expect(page.locator(".lm-trace-explorer[data-ready]")).to_have_attribute("data-traces", str(len(GROUPS)))
    opened_everywhere(page, ".jp-Notebook", len(GROUPS))
    only_text(page, ".llmlens, .jp-RenderedHTML")  # of a terminal JupyterLab makes links of its own
    assert opened.trouble == []
    assert opened.outside == []

    reader = Reader(browser, lab.folder / "shared-hostile.html")
    reader.wait()
    assert reader.page.evaluate("document.querySelectorAll('[data-view]:not([tabindex])').length") == 0
    opened_everywhere(reader.page, "body", len(GROUPS))
    reader.search("onerror")
    only_text(reader.page, "main")
    reader.close()


def test_hostile_outputs_of_a_notebook_file_are_text_in_the_shared_page(browser: Any, tmp_path: Path) -> None:
    figure = {"data": [{"type": "bar", "x": list(PAYLOADS), "y": [1] * len(PAYLOADS)}], "layout": {}}
    cells = [words(evil) for evil in PAYLOADS]
    cells += [
        code(
            evil,
            data(text__html=evil),
            data(text__html=f"<table><tr><td title='{evil}'>{evil}</td></tr></table>"),
            data(text__markdown=evil),
            data(text__latex=evil),
            data(**{"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{evil}</svg>"}),
            data(application__json={evil: evil}, application__javascript=evil, text__plain=evil),
            data(**{evil: evil, "text__plain": evil}),
            stream(evil),
            stream(evil, "stderr"),
            {"output_type": "error", "ename": evil, "evalue": evil, "traceback": [evil, evil]},
        )
        for evil in PAYLOADS
    ]
    cells.append(code("figure", data(**{"application/vnd.plotly.v1+json": figure})))
    path = notebook_file(
        tmp_path / "hostile.ipynb",
        cells,
        title=PAYLOADS[0],
        kernelspec={"name": PAYLOADS[1], "display_name": PAYLOADS[1]},
    )
    made = ll.share(path, title=PAYLOADS[2], redact=False)
    reader = Reader(browser, made)
    reader.wait()
    reader.page.locator(".js-plotly-plot .point").first.hover(force=True)
    assert reader.page.evaluate("globalThis.hit") is None
    strange = reader.page.evaluate(f"({STRANGE})([document.body])")
    assert [each for each in strange if not _HARMLESS.match(each)] == []
    reader.close()
    reader = Reader(browser, made, java_script_enabled=False)
    expect(reader.page.locator("main")).to_contain_text("onerror")
    reader.close()
    for suffix in (".ipynb", ".md"):
        shared = ll.share(path, tmp_path / f"shared{suffix}", redact=False).read_text("utf-8")
        assert "application/javascript" not in shared


def test_static_html_of_every_payload_is_text(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.otlp.jsonl"
    path.write_text(dump(PAYLOADS), "utf-8")
    traces = ll.read(path)
    daily = ll.cost(traces, by="feature", every="1D")
    views = [ll.CostTreemap(traces), ll.Plot(daily.plot(), traces), ll.TraceExplorer(traces)]
    views += [ll.TraceExplorer(traces, trace_id=each) for each in traces.trace_ids]
    drift_map = ll.DriftMap(traces, before="2026-11-05", by="model")
    assert drift_map.wait(300)
    views.append(drift_map)
    parts = [traces._repr_html_(), *(view.snapshot() for view in views)]
    page = browser.new_page()
    requests: list[str] = []
    dialogs: list[str] = []

    def dismiss(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", dismiss)
    page.route("**/*", lambda route: route.abort())
    page.set_content("<!doctype html><meta charset=utf-8><title>static</title>" + "".join(parts))
    only_text(page, "body")
    assert page.evaluate("document.querySelectorAll('svg[onload], style, input').length") == 0
    assert "onerror" in page.locator("body").inner_text()
    assert requests == []
    assert dialogs == []
    page.close()
