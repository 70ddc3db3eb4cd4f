"""What strangers wrote into traces stays text: in a live JupyterLab, and in the static HTML of every view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

import llmlens as ll

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.browser

_HIT = "globalThis.hit=1"
PAYLOADS = (
    f"<script>{_HIT}</script>",
    f'<img src=x onerror="{_HIT}">',
    f"<svg onload={_HIT}></svg>",
    f'"><svg/onload={_HIT}>',
    f"'><img src=http://evil.example/1.png onerror={_HIT}>",
    f"</script><script>{_HIT}</script>",
    f"</style><script>{_HIT}</script>",
    f"</textarea></title><img src=x onerror={_HIT}>",
    f"--><script>{_HIT}</script><!--",
    f"]]><script>{_HIT}</script>",
    f'<a href="javascript:{_HIT}">click</a>',
    f"javascript:{_HIT}",
    f"[link](javascript:{_HIT})",
    f"![image](http://evil.example/2.png) <iframe srcdoc='<script>parent.{_HIT}</script>'></iframe>",
    f'<iframe src="javascript:parent.{_HIT}"></iframe>',
    f'<object data="javascript:{_HIT}"></object><embed src="http://evil.example/3">',
    f"<details open ontoggle={_HIT}><summary>x</summary></details>",
    f"<input autofocus onfocus={_HIT}><body onload={_HIT}>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={_HIT}>",
    "<link rel=stylesheet href=http://evil.example/4.css><style>@import 'http://evil.example/5.css';</style>",
    "<form id=llmlens name=body><input name=parentNode></form>",
    f"${{{_HIT}}} {{{{constructor.constructor('{_HIT}')()}}}}",
    f"$\\href{{javascript:{_HIT}}}{{x}}$ $$x^2$$",
    '<b>bold</b><br><i>i</i><a href="http://evil.example/6">plotly</a> %{x} %{customdata[0]}',
    f"&lt;script&gt;{_HIT}&lt;/script&gt; &#60;img src=x onerror={_HIT}&#62;",
    f"line\u2028separator\u2029paragraph';{_HIT};//",
    "right\u202eto left\u202c\u2066isolate\u2069 zero\u200bwidth\ufeff",
    "\x1b[31mred\x1b]8;;http://evil.example/7\x07link\x1b[2J\x07",
    "__proto__",
    "constructor",
    '=HYPERLINK("http://evil.example/8")\t\r\n@SUM(1)',
    f"\\u003cscript\\u003e{_HIT}\\u003c/script\\u003e \\x3cimg src=x onerror={_HIT}\\x3e",
)

#: Attributes that become columns of the tidy tables.
_COLUMNS = (
    "feature", "session.id", "user.id", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model",
    "gen_ai.prompt.name", "gen_ai.prompt.version", "gen_ai.agent.name", "gen_ai.response.id", "error.type",
    "llm.model_name", "gen_ai.conversation.id", "langfuse.release",
)  # fmt: skip
_OPERATIONS = {"llm": "chat", "tool": "execute_tool", "retriever": "retrieval", "agent": "invoke_agent", "chain": ""}

#: Everything that only markup of strangers could have made.
STRANGE = """(roots) => roots.flatMap((root) => [...root.querySelectorAll("*")]).filter((e) =>
  /^(script|img|iframe|object|embed|link|base|form|math|meta)$/i.test(e.localName)
  || [...e.attributes].some((a) => /^on/i.test(a.name)
    || (/^(href|src|srcdoc|data|action|formaction)$/i.test(a.localName) && /evil|javascript/i.test(a.value)))
).map((e) => e.outerHTML.slice(0, 200))"""

_OPEN_ALL = """async (traces) => {
  const root = document.querySelector(".llmlens[data-view=trace-explorer]");
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


def _value(value: Any) -> dict[str, Any]:
    return {"arrayValue": {"values": [_value(v) for v in value]}} if isinstance(value, list) else {"stringValue": value}


def _pairs(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _attributes(kind: str, evil: str) -> dict[str, Any]:
    nested = json.dumps({evil: {evil: [evil]}, "user": evil})
    call = {"type": "tool_call", "id": evil, "name": evil, "arguments": {evil: evil}}
    result = {"type": "tool_call_response", "id": evil, "response": evil}
    texts = [{"type": "text", "content": evil}, {"type": evil, "content": evil}]
    return {
        **dict.fromkeys(_COLUMNS, evil),
        "gen_ai.operation.name": _OPERATIONS[kind] or evil,
        "openinference.span.kind": "RETRIEVER" if kind == "retriever" else kind.upper(),
        "gen_ai.response.finish_reasons": [evil],
        "gen_ai.input.messages": json.dumps([{"role": role, "name": evil, "parts": texts} for role in ("user", evil)]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [*texts, call, result]}]),
        "gen_ai.tool.name": evil,
        "gen_ai.tool.call.id": evil,
        "gen_ai.tool.call.arguments": nested,
        "gen_ai.tool.call.result": evil,
        "langfuse.trace.tags": [evil, f"feature:{evil}"],
        "metadata": nested,
        "input.value": evil,
        "output.value": nested,
        "retrieval.documents.0.document.id": evil,
        "retrieval.documents.0.document.content": evil,
        "retrieval.documents.0.document.metadata": nested,
        evil: evil,
        f"metadata.{evil}": evil,
    }


def _span(number: int, place: int, kind: str, evil: str) -> dict[str, Any]:
    start = 1_793_577_600_000_000_000 + number * 3_600_000_000_000 + place * 1_000_000
    event = {"timeUnixNano": str(start), "name": evil, "attributes": _pairs({evil: evil, "exception.message": evil})}
    usage = [
        {"key": f"gen_ai.usage.{name}_tokens", "value": {"intValue": "100"}}
        for name in ("input", "output")
        if kind == "llm"
    ]
    cost = [{"key": "gen_ai.usage.cost", "value": {"doubleValue": 1.0}}] if kind == "llm" else []
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number * 16 + place + 1:016x}",
        "parentSpanId": f"{number * 16 + 1:016x}" if place else "",
        "name": evil,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 500_000_000),
        "attributes": [*_pairs(_attributes(kind, evil)), *usage, *cost],
        "events": [event, {**event, "name": "exception"}],
        "links": [{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": _pairs({evil: evil})}],
        "status": {"code": 2, "message": evil},
        "traceState": evil,
    }


def dump() -> str:
    """Write an OTLP file: a trace for each payload, with a span of each kind, and the payload in every text."""
    lines = []
    for number, evil in enumerate(PAYLOADS):
        spans = [_span(number, place, kind, evil) for place, kind in enumerate(("chain", "llm", "tool", "retriever"))]
        resource = _pairs(
            {"service.name": evil, "service.version": evil, "deployment.environment.name": evil, evil: evil}
        )
        scope = {"name": evil, "version": evil}
        batch = {"resource": {"attributes": resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}
        lines.append(json.dumps({"resourceSpans": [batch]}))
    return "\n".join([*lines, f"{PAYLOADS[0]} is no JSON"])


CELLS = (
    "import llmlens as ll\ntraces = ll.read('hostile.otlp.jsonl')\ntraces",
    "costs = ll.cost(traces, by=['feature', 'model'])\ncosts",
    "ll.Plot(ll.cost(traces, by='feature', every='1D').plot(), traces)",
    "treemap = ll.CostTreemap(traces)\ntreemap",
    "explorer = ll.TraceExplorer(traces)\nexplorer",
)


def test_a_live_notebook_shows_hostile_traces_as_text(notebook: Callable[..., Any], lab: Any) -> None:
    (lab.folder / "hostile.otlp.jsonl").write_text(dump(), "utf-8")
    opened = notebook(lab.write("hostile.ipynb", CELLS))
    page = opened.page
    opened.run_all()
    assert opened.errors() == []

    plot = opened.view("plot")
    plot.locator(".scatterlayer .point").first.hover(force=True)
    treemap = opened.view("cost")
    tiles = treemap.locator("g.slice path.surface")
    assert tiles.count() > len(PAYLOADS)
    for n in range(0, tiles.count(), tiles.count() // 12):
        tiles.nth(n).hover(force=True)
    treemap.get_by_role("button", name="Table", exact=True).click()
    expect(treemap).to_have_attribute("data-mode", "table")
    explorer = opened.view("trace-explorer")
    expect(explorer).to_have_attribute("data-traces", str(len(PAYLOADS)))
    seen = page.evaluate(_OPEN_ALL, len(PAYLOADS))
    assert set(seen) >= {"chat", "tools", "documents", "io", "events", "attributes"}
    assert min(seen.values()) >= len(PAYLOADS) - 2

    assert page.evaluate("globalThis.hit") is None
    assert page.evaluate(f"({STRANGE})([...document.querySelectorAll('.jp-OutputArea-output')])") == []
    assert page.evaluate("Object.keys(Object.prototype)") == []
    assert opened.trouble == []
    assert opened.outside == []


def test_static_html_of_hostile_traces_is_text(browser: Any, tmp_path: Any) -> None:
    path = tmp_path / "hostile.otlp.jsonl"
    path.write_text(dump(), "utf-8")
    traces = ll.read(path)
    daily = ll.cost(traces, by="feature", every="1D")
    views = [ll.CostTreemap(traces), ll.Plot(daily.plot(), traces), ll.TraceExplorer(traces)]
    views += [ll.TraceExplorer(traces, trace_id=each) for each in traces.trace_ids]
    drift_map = ll.DriftMap(traces, before="2026-11-03", by="model")
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
    assert page.evaluate(f"({STRANGE})([document.body])") == []
    assert page.evaluate("document.querySelectorAll('svg[onload], style, input').length") == 0
    assert page.evaluate("globalThis.hit") is None
    assert "onerror" in page.locator("body").inner_text()
    assert requests == []
    assert dialogs == []
    page.close()
