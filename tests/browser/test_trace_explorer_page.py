"""`TraceExplorer` in a real browser: its ES module with a small model, answered by the real Python view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from llmlens.traces import Traces
from llmlens.view.trace_explorer import TraceExplorer
from tests.browser.page_host import PageHost

if TYPE_CHECKING:
    from collections.abc import Iterator

START = pd.Timestamp("2026-11-02T10:00:00Z")


class Host(PageHost):
    """A page that shows one explorer."""

    @property
    def traces(self) -> Locator:
        return self.page.locator("[data-list=traces]")

    @property
    def spans(self) -> Locator:
        return self.page.locator("[data-list=spans]")

    def span(self, span_id: str) -> Locator:
        return self.page.locator(f"[data-span='{span_id}'][role=treeitem]")

    @property
    def detail(self) -> Locator:
        return self.page.locator("[data-pane=detail]")

    def expect_trace(self, trace_id: str) -> None:
        expect(self.root).to_have_attribute("data-trace", trace_id)

    def expect_span(self, span_id: str) -> None:
        expect(self.span(span_id)).to_have_attribute("aria-selected", "true")
        expect(self.detail).to_have_attribute("data-span", span_id)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1300, "height": 700})
    yield made
    made.close()


@pytest.fixture
def host(page: Page, traces: Traces) -> Iterator[Host]:
    made = Host(page, TraceExplorer(traces))
    yield made
    assert made.trouble == []


def span(trace: str, name: str, parent: str | None, at: float, seconds: float | None, **more: Any) -> dict[str, Any]:
    start = START + pd.Timedelta(seconds=at)
    return {
        "trace_id": trace, "span_id": f"{trace}-{name}", "parent_id": f"{trace}-{parent}" if parent else None,
        "name": name, "kind": "chain", "start": start, "status": "ok", "depth": 1 if parent else 0,
        "end": None if seconds is None else start + pd.Timedelta(seconds=seconds), "duration_s": seconds, **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def traces() -> Traces:
    call = {"kind": "llm", "model": "gpt-4o", "usage_source": "reported"}
    spans = [
        span("a", "root", None, 0, 4, feature="refunds"),
        span("a", "agent", "root", 0.1, 3.5, kind="agent", input_tokens=999),
        span("a", "plan", "agent", 0.2, 1, **call, input_tokens=100, output_tokens=20, cost_usd=0.5, ttft_s=0.3),
        span("a", "look1", "agent", 1.3, 0.2, kind="tool"),
        span("a", "look2", "agent", 1.6, 0.2, kind="tool", status="error", error_type="Timeout", status_message="late"),
        span("a", "answer", "agent", 2, 1, **call, input_tokens=200, output_tokens=30),
        span("a", "check", "root", 3.7, None, kind="guardrail"),
        span("b", "root", None, 60, 9, feature="search"),
        span("b", "lost", "nowhere", 61, 1),
        span("b", "ring1", "ring2", 62, 1),
        span("b", "ring2", "ring1", 63, 1),
        span("c", "root", None, 120, 1),
    ]
    for row in spans[3:5]:
        row["name"] = "lookup"
    messages = [{"role": "system", "content": "Be kind. " * 100}, {"role": "user", "content": "Where is\nmy parcel?"}]
    contents = [
        ("a", "root", "Where is my parcel?", "It is lost."),
        ("a", "plan", json.dumps(messages), "Let me look."),
        ("a", "look1", '{"order": 7}', '{"status": "lost"}'),
        ("a", "look2", '{"order": 7}', None),
        ("b", "root", "needle " + "x" * 30_000 + "THE END", None),
    ]
    rows = [
        {
            "trace_id": t,
            "span_id": f"{t}-{n}",
            "input": i,
            "output": o,
            "attributes": '{"http.method": "GET"}',
            "events": "[]",
        }
        for t, n, i, o in contents
    ]
    return Traces.from_frames({"spans": pd.DataFrame(spans), "contents": pd.DataFrame(rows)})


# Moving about --------------------------------------------------------------------------------------------------------


def test_the_newest_trace_is_shown_but_nothing_is_selected_before_the_user_acts(host: Host) -> None:
    host.expect_trace("c")
    assert host.view.trace_id is None
    assert host.page.evaluate("host.model.saves") == 0


def test_arrows_walk_the_list_and_the_selection_follows(host: Host) -> None:
    host.traces.focus()
    host.press("ArrowDown")
    host.expect_trace("b")
    host.press("End")
    host.expect_trace("a")
    host.press("Home")
    host.expect_trace("c")
    host.press("]", "]")
    host.expect_trace("a")
    host.page.wait_for_function("host.model.get('trace_id') === 'a' && host.model.saves > 0")
    assert host.view.selection.trace_ids == ["a"]


def test_arrows_walk_the_tree_open_and_close_it(host: Host) -> None:
    host.view.show("a")
    host.push()
    host.expect_trace("a")
    host.spans.focus()
    host.press("ArrowDown")
    host.expect_span("a-agent")
    host.press("ArrowRight")
    host.expect_span("a-plan")
    host.press("ArrowLeft")
    host.expect_span("a-agent")
    host.press("ArrowLeft")
    expect(host.span("a-agent")).to_have_attribute("aria-expanded", "false")
    expect(host.span("a-agent")).to_contain_text("+4")
    expect(host.span("a-plan")).to_have_count(0)
    host.press("ArrowRight", "End")
    host.expect_span("a-check")
    host.press("Home")
    host.expect_span("a-root")
    host.press("*")
    expect(host.spans).to_have_attribute("data-rows", "1")
    host.press("*")
    expect(host.spans).to_have_attribute("data-rows", "7")


def test_tab_and_enter_lead_from_pane_to_pane(host: Host) -> None:
    where = "document.activeElement.closest('[data-pane]')?.dataset.pane"
    host.traces.focus()
    host.press("Enter")
    assert host.page.evaluate(where) == "tree"
    host.press("Enter")
    assert host.page.evaluate(where) == "detail"
    host.press("Escape")
    assert host.page.evaluate(where) == "tree"
    host.press("Escape")
    assert host.page.evaluate(where) == "traces"
    seen = set()
    for _ in range(14):
        host.press("Tab")
        seen.add(host.page.evaluate(where))
    assert {"tree", "detail"} <= seen


def test_python_moves_the_view(host: Host) -> None:
    host.view.show("a", "a-look2")
    host.push()
    host.expect_trace("a")
    host.expect_span("a-look2")
    host.view.span_id = "a-answer"
    host.push()
    host.expect_span("a-answer")


def test_keys_stay_inside_but_combinations_pass_to_the_notebook(host: Host) -> None:
    host.spans.focus()
    host.press("ArrowDown", "e", "a", "b", "m", "x", "Control+s")
    assert host.page.evaluate("host.outside") == ["Control", "s"]
    expect(host.root).to_have_attribute("data-lm-suppress-shortcuts", "true")


def test_letters_typed_into_a_search_are_text(host: Host) -> None:
    field = host.page.get_by_label("Search traces by")
    host.traces.focus()
    host.press("/")
    expect(field).to_be_focused()
    host.page.keyboard.type("ne?[*]")
    expect(field).to_have_value("ne?[*]")
    expect(host.page.get_by_role("dialog")).to_be_hidden()
    host.press("Escape")
    expect(field).to_have_value("")


def test_the_help_sheet_comes_from_the_table_of_keys(host: Host) -> None:
    host.spans.focus()
    host.press("?")
    sheet = host.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    for key in ("↑", "↓", "←", "→", "Home", "End", "Enter", "/", "n", "N", "e", "E", "t", "[", "]", "*", "c", "?"):
        expect(sheet.locator("kbd", has_text=key).first).to_be_visible()
    host.press("Escape")
    expect(sheet).to_be_hidden()
    expect(host.spans).to_be_focused()


# The list ------------------------------------------------------------------------------------------------------------


def test_the_list_is_sorted_by_its_heads(host: Host) -> None:
    heads = host.page.locator("[role=columnheader][data-sort=duration]")
    heads.locator("button").click()
    expect(heads).to_have_attribute("aria-sort", "descending")
    expect(host.traces.locator("[role=row]").first).to_have_attribute("data-trace", "b")
    heads.locator("button").click()
    expect(heads).to_have_attribute("aria-sort", "ascending")
    expect(host.traces.locator("[role=row]").first).to_have_attribute("data-trace", "c")


def test_the_search_finds_names_at_once_and_texts_through_the_kernel(host: Host) -> None:
    field = host.page.get_by_label("Search traces by")
    field.fill("refunds")
    expect(host.root).to_have_attribute("data-traces", "1")
    expect(host.page.get_by_text("1 of 3")).to_be_visible()
    field.fill("needle")
    expect(host.traces.locator("[role=row]").first).to_have_attribute("data-trace", "b")
    field.fill("there is no such thing")
    expect(host.page.get_by_text("No trace matches")).to_be_visible()
    host.page.get_by_role("button", name="Clear the search").click()
    expect(host.root).to_have_attribute("data-traces", "3")


def test_an_error_marks_its_trace(host: Host) -> None:
    expect(host.traces.locator("[data-trace=a] [title='1 span with an error']")).to_be_visible()


# The tree ------------------------------------------------------------------------------------------------------------


def test_usage_and_cost_are_summed_over_the_calls_below_and_partial_cost_is_marked(host: Host) -> None:
    host.view.show("a")
    host.push()
    agent = host.span("a-agent")
    expect(agent.locator(".lm-c-tok")).to_have_text("350")
    expect(agent.locator(".lm-c-usd")).to_have_text("≥$0.500")
    expect(agent.locator(".lm-c-usd")).to_have_attribute("data-partial", "true")
    expect(host.span("a-plan").locator(".lm-c-usd")).to_have_text("$0.500")
    expect(host.span("a-look1").locator(".lm-c-tok")).to_have_text("")


def test_errors_are_seen_on_every_ancestor_and_are_jumped_to(host: Host) -> None:
    host.view.show("a")
    host.push()
    expect(host.span("a-look2")).to_have_attribute("data-failed", "own")
    for above in ("a-agent", "a-root"):
        expect(host.span(above)).to_have_attribute("data-failed", "below")
    host.spans.focus()
    host.press("ArrowLeft", "e")
    host.expect_span("a-look2")
    expect(host.detail).to_contain_text("Timeout")
    expect(host.detail).to_contain_text("late")


def test_identical_tool_calls_and_spans_that_never_ended_are_marked(host: Host) -> None:
    host.view.show("a")
    host.push()
    expect(host.span("a-look1")).to_contain_text("\u00d72")
    expect(host.span("a-check")).to_contain_text("open")


def test_find_keeps_the_ancestors_of_matches_and_steps_through_them(host: Host) -> None:
    host.view.show("a")
    host.push()
    host.expect_trace("a")
    host.spans.focus()
    host.press("/")
    host.page.keyboard.type("look")
    expect(host.page.locator("[data-pane=tree]")).to_have_attribute("data-hits", "3")
    expect(host.spans).to_have_attribute("data-rows", "5")
    expect(host.span("a-plan")).to_have_attribute("data-hit", "text")
    host.press("Enter", "Escape", "Escape")
    host.page.get_by_label("Find in this trace").fill("")
    expect(host.spans).to_have_attribute("data-rows", "7")


def test_orphans_rings_and_several_roots_are_all_shown(host: Host) -> None:
    host.view.show("b")
    host.push()
    host.expect_trace("b")
    expect(host.spans).to_have_attribute("data-rows", "4")
    expect(host.span("b-lost")).to_contain_text("orphan")
    expect(host.span("b-ring1")).to_contain_text("orphan")
    expect(host.span("b-ring2")).to_have_attribute("aria-level", "2")


def test_the_tree_has_roles_and_levels_for_screen_readers(host: Host) -> None:
    host.view.show("a", "a-plan")
    host.push()
    host.expect_span("a-plan")
    tree = host.page.get_by_role("tree")
    assert (
        host.page.evaluate(
            "(id) => document.getElementById(id).dataset.span", tree.get_attribute("aria-activedescendant")
        )
        == "a-plan"
    )
    expect(host.span("a-plan")).to_have_attribute("aria-level", "3")
    expect(host.span("a-root")).to_have_attribute("aria-expanded", "true")
    expect(host.page.get_by_role("grid")).to_have_attribute("aria-rowcount", "3")


def test_25_000_spans_and_10_000_levels_keep_few_rows_in_the_page(page: Page) -> None:
    n, deep = 25_000, 10_000
    rows = pd.DataFrame({"trace_id": "t", "span_id": [f"s{i}" for i in range(n)], "name": "step", "kind": "chain"})
    rows["parent_id"] = [None, *(f"s{i - 1}" if i < deep else f"s{i % 100}" for i in range(1, n))]
    rows["start"] = START + pd.to_timedelta(range(n), unit="ms")
    rows["end"] = rows["start"] + pd.Timedelta(milliseconds=5)
    rows["depth"] = rows["parent_id"].notna().astype(int)
    rows.loc[deep - 1, "status"] = "error"
    host = Host(page, TraceExplorer(Traces.from_frames({"spans": rows}), trace_id="t"))
    expect(host.spans).to_have_attribute("data-rows", str(n))
    host.spans.focus()
    host.press("e")
    expect(host.span(f"s{deep - 1}")).to_have_attribute("aria-level", str(deep))
    expect(host.span("s0")).to_have_count(0)
    host.press("End", "Home", "PageDown")
    assert page.locator("[role=treeitem]").count() < 60
    page.evaluate("document.querySelector('[data-list=spans]').scrollTop = 300000")
    page.wait_for_function("document.querySelectorAll('[role=treeitem]').length > 5")
    assert page.locator("[role=treeitem]").count() < 60
    assert host.trouble == []


# The detail ----------------------------------------------------------------------------------------------------------


def test_messages_are_a_chat_with_long_instructions_folded(host: Host) -> None:
    host.view.show("a", "a-plan")
    host.push()
    host.expect_span("a-plan")
    system = host.detail.locator("[data-role=system]")
    expect(system.get_by_role("button", name="Show all 900 characters")).to_be_visible()
    system.get_by_role("button", name="Show all").click()
    expect(system.get_by_role("button", name="Fold")).to_be_visible()
    user = host.detail.locator("[data-role=user] pre")
    assert user.text_content() == "Where is\nmy parcel?"
    expect(host.detail.locator("[data-role=assistant]")).to_contain_text("Let me look.")


def test_the_rest_of_a_long_text_is_fetched_on_demand(host: Host) -> None:
    host.view.show("b", "b-root")
    host.push()
    host.expect_span("b-root")
    expect(host.detail).not_to_contain_text("THE END")
    host.detail.get_by_role("button", name="Show all 30,014 characters").click()
    expect(host.detail).to_contain_text("THE END")


def test_json_that_nests_absurdly_deep_is_shown_as_text(page: Page) -> None:
    contents = {"trace_id": "t", "span_id": "t-s", "input": "[" * 9_500 + "]" * 9_500, "attributes": '{"a": 1}'}
    frames = {"spans": pd.DataFrame([span("t", "s", None, 0, 1)]), "contents": pd.DataFrame([contents])}
    host = Host(page, TraceExplorer(Traces.from_frames(frames)))
    expect(host.detail).to_contain_text("19,000 characters")
    expect(host.detail).to_contain_text("[[[[[[")
    assert host.trouble == []


def test_tabs_are_walked_with_arrows_and_stay_for_the_next_span(host: Host) -> None:
    host.view.show("a", "a-look1")
    host.push()
    host.expect_span("a-look1")
    host.page.get_by_role("tab", name="Attributes").click()
    expect(host.detail).to_contain_text("http.method")
    host.page.get_by_label("Filter attributes").fill("no such key")
    expect(host.detail).to_contain_text("Nothing matches.")
    host.page.get_by_label("Filter attributes").fill("")
    host.spans.focus()
    host.press("ArrowUp")
    host.expect_span("a-plan")
    expect(host.detail).to_have_attribute("data-tab", "attributes")
    host.press("Enter", "ArrowRight")
    expect(host.detail).to_have_attribute("data-tab", "chat")


# Robustness ----------------------------------------------------------------------------------------------------------

PAYLOADS = (
    "<img src=x onerror=\"globalThis.hit='img'\">",
    "<script>globalThis.hit='script'</script>",
    "</pre></div><svg onload=\"globalThis.hit='svg'\">",
    "javascript:globalThis.hit='url'",
    '"><iframe srcdoc="<script>parent.hit=\'frame\'</script>">',
    "__proto__",
    "constructor",
    "a\u202eb\u2066c\x1b[31md",
)


#: Opens each part of each span of each trace and gives the parts that were seen.
OPEN_EVERYTHING = """async (traces) => {
  const one = (selector) => document.querySelector(selector);
  const settled = async () => {
    do await new Promise((r) => setTimeout(r, 5)); while (one("[data-waiting], [data-busy]"));
  };
  const press = (key) => one("[data-list=spans]").dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const seen = [];
  for (let trace = 0; trace < traces; trace++) {
    await settled();
    for (let n = Number(one("[data-list=spans]").dataset.rows); n > 0; n--) {
      await settled();
      for (let t = 0; t < document.querySelectorAll("[role=tab]").length; t++) {
        document.querySelectorAll("[role=tab]")[t].click();
        seen.push(one("[data-tab]").dataset.tab);
      }
      press("ArrowDown");
    }
    press("]");
  }
  return seen;
}"""

#: Counts elements and attributes that only markup of strangers could have made.
STRANGE_ELEMENTS = """[...document.querySelectorAll(".llmlens *")].filter((e) =>
  /^(img|script|iframe|a|object|embed|link)$/i.test(e.localName) || [...e.attributes].some((x) => /^on/i.test(x.name))
).length"""

_TEXTS = (
    "user_id", "session_id", "agent_name", "service", "environment", "release", "feature", "error_type",
    "status_message", "provider", "model", "finish_reason", "prompt_name", "prompt_version", "convention",
)  # fmt: skip


def hostile_span(trace_id: str, kind: str, evil: str, at: int) -> dict[str, Any]:
    """Make a span with `evil` in every text."""
    row = span("", evil, None, at, 1, **dict.fromkeys(_TEXTS, evil))
    nested = json.dumps({evil: {evil: [evil]}})
    row |= {"trace_id": trace_id, "span_id": f"{kind}{evil}", "kind": kind, "status": "error"}
    return row | {"tags": [evil], "metadata": nested, "params": nested}


def hostile_contents(row: dict[str, Any], evil: str) -> dict[str, Any]:
    """Make contents with `evil` in every message, document, tool call, key, event and link."""
    call = {"id": evil, "type": "function", "function": {"name": evil, "arguments": evil}}
    said = [{"role": evil, "name": evil, "content": evil}, {"role": "tool", "tool_call_id": evil, "content": evil}]
    texts = {
        "llm": (said, [{"role": "assistant", "content": evil, "tool_calls": [call]}]),
        "retriever": (evil, [{"id": evil, "score": 0.5, "content": evil, "metadata": {evil: evil}}]),
    }
    given, got = texts.get(row["kind"], ({evil: evil}, {evil: evil}))
    attributes = {evil: evil, "exception.stacktrace": evil}
    return {
        "trace_id": row["trace_id"],
        "span_id": row["span_id"],
        "input": given if isinstance(given, str) else json.dumps(given),
        "output": json.dumps(got),
        "attributes": json.dumps(attributes),
        "events": json.dumps([{"name": f"exception {evil}", "time": evil, "attributes": attributes}]),
        "links": json.dumps([{"trace_id": evil, "span_id": evil}]),
        "resource": json.dumps({evil: evil}),
    }


@pytest.mark.parametrize("static", [False, True])
def test_what_strangers_wrote_is_text_everywhere(page: Page, static: bool) -> None:
    spans, contents, scores = [], [], []
    for at, evil in enumerate(PAYLOADS):
        rows = [hostile_span(f"t{at}{evil}", kind, evil, at) for kind in ("llm", "tool", "retriever", evil)]
        spans += rows
        contents += [hostile_contents(row, evil) for row in rows]
        score = dict.fromkeys(("score_id", "name", "label", "comment", "source", "author"), evil)
        scores.append({"trace_id": f"t{at}{evil}", **score})
    data = {"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents), "scores": pd.DataFrame(scores)}
    host = Host(page, TraceExplorer(Traces.from_frames(data)), static=static)
    seen = set(page.evaluate(OPEN_EVERYTHING, len(PAYLOADS)))
    assert seen == {"chat", "documents", "tools", "io", "events", "scores", "attributes"}
    assert page.evaluate("globalThis.hit") is None
    assert page.evaluate("Object.keys(Object.prototype).length") == 0
    assert page.evaluate(STRANGE_ELEMENTS) == 0
    shown = host.root.text_content() or ""
    assert "\u27e8U+202E\u27e9" in shown
    assert "\u241b[31m" in shown
    assert host.trouble == []


def test_two_views_of_one_model_work_apart_and_leave_nothing_behind(host: Host) -> None:
    host.page.evaluate("host.render()")
    second = host.page.locator(".llmlens").nth(1)
    expect(second).to_have_attribute("data-ready", "true")
    second.locator("[data-list=traces]").focus()
    host.press("End")
    expect(second).to_have_attribute("data-trace", "a")
    ids = host.page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 0
    host.page.evaluate("host.closers.forEach((close) => close())")
    assert host.page.evaluate("host.listening()") == 0
    expect(host.page.locator(".llmlens")).to_have_count(0)


def test_a_copy_without_kernel_shows_what_was_saved_and_says_what_was_not(page: Page, traces: Traces) -> None:
    view = TraceExplorer(traces, trace_id="a")
    host = Host(page, view, static=True)
    expect(host.root).to_contain_text("Read-only copy")
    host.expect_trace("a")
    expect(host.detail).to_contain_text("Where is my parcel?")
    assert page.evaluate("host.model.sent") == 0
    page.evaluate("host.model.reply = () => undefined")
    host.traces.focus()
    host.press("Home")
    expect(host.root).to_contain_text("was not saved with this read-only copy")
    assert host.trouble == []


def test_an_error_of_the_kernel_is_shown_and_can_be_tried_again(
    host: Host, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("llmlens.view.span_detail.span_detail", lambda *_: 1 / 0)
        host.traces.focus()
        host.press("End")
        alert = host.page.get_by_role("alert")
        expect(alert).to_contain_text("ZeroDivisionError")
    alert.get_by_role("button", name="Try again").click()
    expect(host.detail).to_contain_text("Where is my parcel?")
    expect(alert).to_be_hidden()
    assert "ZeroDivisionError" in caplog.text


def test_a_kernel_that_does_not_answer_is_waited_for_and_can_be_asked_again(page: Page, traces: Traces) -> None:
    page.clock.install()
    host = Host(page, TraceExplorer(traces))
    host.silent = True
    host.traces.focus()
    host.press("End")
    expect(host.root).to_have_attribute("data-busy", "")
    waiting = page.get_by_text("Waiting for the kernel")
    expect(waiting).to_be_hidden()
    page.clock.fast_forward(9_000)
    expect(waiting).to_be_visible()
    page.clock.fast_forward(60_000)
    expect(page.get_by_role("alert")).to_contain_text("has not answered for 60 s")
    expect(waiting).to_be_hidden()
    host.silent = False
    page.get_by_role("button", name="Try again").click()
    host.expect_trace("a")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_an_answer_is_taken_however_late_it_comes(page: Page, traces: Traces) -> None:
    page.clock.install()
    host = Host(page, TraceExplorer(traces))
    page.evaluate("""() => {
      const { model } = globalThis.host;
      const send = model.send;
      globalThis.held = [];
      model.send = (...given) => globalThis.held.push(() => send.apply(model, given));
    }""")
    host.traces.focus()
    host.press("End")
    expect(host.root).to_have_attribute("data-busy", "")
    page.clock.fast_forward(70_000)
    expect(page.get_by_role("alert")).to_contain_text("has not answered for 60 s")
    page.evaluate("globalThis.held.forEach((send) => send())")
    host.expect_trace("a")
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_model_without_kernel_says_so_instead_of_waiting(host: Host) -> None:
    host.page.evaluate("() => { host.model.send = () => { throw new Error('no comm'); }; }")
    host.traces.focus()
    host.press("End")
    expect(host.root).to_contain_text("This trace could not be shown")
    assert host.root.get_attribute("data-busy") is None


def test_an_explorer_follows_another_view_down_to_no_traces_and_back(page: Page, traces: Traces) -> None:
    first = TraceExplorer(traces)
    host = Host(page, TraceExplorer(first, trace_id="b"))
    host.expect_trace("b")
    first.select(traces.where(trace_id=["a", "b"]))
    host.push()
    expect(host.root).to_have_attribute("data-traces", "2")
    host.expect_trace("b")
    first.select(traces.where(trace_id="nothing"))
    host.push()
    expect(host.page.get_by_text("0 traces").first).to_be_visible()
    expect(host.root).to_have_attribute("data-spans", "0")
    first.select(None)
    host.push()
    expect(host.root).to_have_attribute("data-traces", "3")
    host.expect_trace("c")
    assert host.trouble == []


def test_a_list_too_long_to_send_at_once_comes_in_pages(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [span(f"t{i:04}", "root", None, i, 1 + i % 7) for i in range(1200)]
    monkeypatch.setattr("llmlens.view.trace_index.PAGE", 500)
    host = Host(page, TraceExplorer(Traces.from_frames({"spans": pd.DataFrame(rows)})))
    expect(host.root).to_have_attribute("data-traces", "1200")
    host.expect_trace("t1199")
    page.evaluate("document.querySelector('[data-list=traces]').scrollTop = 1e7")
    expect(host.traces.locator("[data-trace=t0000]")).to_be_visible()
    host.page.locator("[data-sort=duration] button").click()
    expect(host.traces.locator("[role=row]").first).to_contain_text("7.00 s")
    host.page.get_by_label("Search traces by").fill("t0100")
    expect(host.root).to_have_attribute("data-traces", "1")
    assert host.trouble == []


def test_the_theme_of_the_host_is_followed(host: Host) -> None:
    expect(host.root).to_have_attribute("data-theme", "light")
    host.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    expect(host.root).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("width", [700, 1000, 1600])
def test_nothing_overflows_at_any_width(page: Page, traces: Traces, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    host = Host(page, TraceExplorer(traces, trace_id="a"))
    host.expect_trace("a")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = """[...document.querySelectorAll("[data-pane]")].filter(
      (e) => e.scrollWidth > e.clientWidth + 1 || e.clientWidth < 190).length"""
    assert page.evaluate(wide) == 0
    assert host.trouble == []


def test_dividers_move_with_the_keyboard(host: Host) -> None:
    before = host.page.locator("[data-pane=traces]").bounding_box()
    host.page.get_by_role("separator", name="Width of the list").focus()
    host.press("ArrowRight")
    after = host.page.locator("[data-pane=traces]").bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] == before["width"] + 24
