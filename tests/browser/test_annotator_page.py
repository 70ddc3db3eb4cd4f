"""`Annotator` in a real browser, without Jupyter: keys, saving, what goes wrong, and what strangers wrote."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import llmlens as ll
from llmlens.label.score import Score
from llmlens.label.sender import Sender
from llmlens.label.sink import Label, Result, Sink, Stored
from llmlens.label.store import LabelStore
from llmlens.traces import Traces
from llmlens.view.annotator import Annotator
from tests.browser.page_host import PageHost
from tests.hostile import GROUPS, STRANGE
from tests.hostile_traces import dump

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

START = pd.Timestamp("2026-11-02T10:00:00Z")
EVIL = "<img src=x onerror=\"globalThis.hit='img'\"><a href=\"javascript:globalThis.hit='a'\">b</a>\u202e ${alert(1)}"
SCORES = (
    Score("helpful", 1, 5, help="Did it help?"),
    Score("tone", ["polite", "rude"]),
    Score("share", 0, 1),
    Score("note", str),
)
SHOTS = os.environ.get("LLMLENS_SCREENSHOTS")


class Shelf(Sink):
    """A sink out of reach: nothing gets there, and nothing is there."""

    name = "shelf"

    def push(self, labels: Sequence[Label]) -> list[Result]:
        return [Result(label.score_id, "failed", "out of reach") for label in labels]

    delete = push

    def read_back(self, _labels: Sequence[Label]) -> dict[str, Stored]:
        return {}


class Host(PageHost):
    """A page that shows one panel."""

    view: Annotator

    def field(self, name: str) -> Locator:
        return self.page.locator(f"[data-score='{name}']")

    @property
    def said(self) -> Locator:
        return self.page.locator(".lm-said")

    def begin(self) -> None:
        """Bring the focus into the panel, as a first click does."""
        self.page.locator(".lm-fields").click(position={"x": 4, "y": 4})

    def expect_saved(self, name: str, state: str = "saved") -> None:
        expect(self.field(name)).to_have_attribute("data-state", state)

    def expect_place(self, place: int) -> None:
        expect(self.root).to_have_attribute("data-place", str(place))

    def expect_active(self, name: str) -> None:
        expect(self.root).to_have_attribute("data-active", name)

    def labels(self) -> list[tuple[Any, ...]]:
        return [(e.trace_id, e.name, e.value) for e in LabelStore(self.view.store.path).current()]


def make_traces(text: str = "Where is my parcel?") -> Traces:
    spans, contents, scores = [], [], []
    for place, trace in enumerate("abcd"):
        start = START + pd.Timedelta(minutes=place)
        same = {"trace_id": trace, "start": start, "end": start + pd.Timedelta(seconds=2), "status": "ok"}
        spans += [
            {**same, "span_id": f"{trace}1", "name": f"ask {trace}", "kind": "chain"},
            {**same, "span_id": f"{trace}2", "parent_id": f"{trace}1", "name": "model", "kind": "llm", "model": text},
            {**same, "span_id": f"{trace}3", "parent_id": f"{trace}1", "name": "find", "kind": "retriever"},
        ]
        chat = [{"role": "system", "content": "Be kind. " * 400}, {"role": "user", "content": text}]
        documents = [{"id": text, "content": f"Of parcels, {text}", "score": 0.5}]
        answer = f"Lost, {text}"
        texts = [("1", text, answer), ("2", json.dumps(chat), answer), ("3", text, json.dumps(documents))]
        contents += [
            {"trace_id": trace, "span_id": trace + number, "input": asked, "output": said}
            for number, asked, said in texts
        ]
        scores.append({"trace_id": trace, "name": "helpful", "value": place + 1.0, "source": "judge", "comment": text})
    frames = {"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents)}
    return Traces.from_frames(frames).with_scores(pd.DataFrame(scores))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page(viewport={"width": 1200, "height": 640})
    yield made
    made.close()


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore(tmp_path / "labels.sqlite")


@pytest.fixture
def open_panel(page: Page, store: LabelStore) -> Iterator[Callable[..., Host]]:
    opened: list[Host] = []

    def open_one(traces: Traces | None = None, *, static: bool = False, **options: Any) -> Host:
        given = {"scores": SCORES, "to": store, "author": "ada", "height": 600, **options}
        panel = Annotator(traces or make_traces(), **given)
        opened.append(Host(page, panel, static=static))
        return opened[-1]

    yield open_one
    assert [host.trouble for host in opened] == [[]]


@pytest.fixture
def host(open_panel: Callable[..., Host]) -> Host:
    made = open_panel()
    made.begin()
    return made


# Keys ----------------------------------------------------------------------------------------------------------------


def test_an_item_is_labelled_and_completed_by_keys_alone(host: Host) -> None:
    host.press("2", "Enter")
    host.expect_saved("helpful")
    host.expect_active("tone")
    host.press("1", "ArrowDown", "0", ".", "5", "Enter")
    host.expect_saved("share")
    host.press("Enter")
    host.page.keyboard.type("u s ? 1")
    host.press("Enter")
    host.expect_saved("note")
    host.expect_active("complete")
    host.press("Enter")
    host.expect_place(1)
    given = [("helpful", 2), ("tone", "polite"), ("share", 0.5), ("note", "u s ? 1")]
    assert host.labels() == [("a", *answer) for answer in given]
    expect(host.root).to_have_attribute("data-done", "1")
    host.expect_active("helpful")
    expect(host.field("helpful")).to_have_attribute("data-state", "")


@pytest.mark.parametrize("modifier", ["Control", "Meta"])
def test_ctrl_or_cmd_enter_completes_out_of_a_text_too(host: Host, modifier: str) -> None:
    host.press("3", "ArrowDown", "2", "ArrowDown", "1", "Enter", "Enter")
    host.page.keyboard.type("as it came")
    host.press(f"{modifier}+Enter")
    host.expect_place(1)
    assert ("a", "note", "as it came") in host.labels()


def test_what_has_no_answer_yet_is_pointed_at_before_an_item_is_completed(host: Host) -> None:
    host.press("Control+Enter")
    expect(host.said).to_contain_text("Nothing is answered yet")
    host.press("4", "Control+Enter")
    expect(host.said).to_contain_text("tone has no answer")
    host.expect_active("tone")
    host.press("Control+Enter")
    host.expect_place(1)


def test_skipping_asks_why_and_escape_keeps_the_item(host: Host) -> None:
    host.press("s")
    host.page.keyboard.type("n u 1")
    host.press("Escape")
    host.expect_place(0)
    host.press("s")
    host.page.keyboard.type("too long")
    host.press("Enter")
    host.expect_place(1)
    expect(host.root).to_have_attribute("data-skipped", "1")
    assert [(e.kind, e.comment) for e in host.view.store.events()] == [("skip", "too long")]


def test_undo_goes_back_to_whatever_was_done_last(host: Host) -> None:
    host.press("2")
    host.expect_saved("helpful")
    host.press("3", "Control+Enter", "Control+Enter")
    host.expect_place(1)
    host.press("s", "Enter")
    host.expect_place(2)
    host.press("u")
    host.expect_place(1)
    expect(host.said).to_contain_text("Took back the skip")
    host.press("u")
    host.expect_place(0)
    expect(host.root).to_have_attribute("data-done", "0")
    host.press("u")
    expect(host.field("helpful").locator("[aria-checked=true]")).to_have_attribute("data-value", "2")
    host.press("U")
    expect(host.field("helpful").locator("[aria-checked=true]")).to_have_attribute("data-value", "3")
    assert host.labels() == [("a", "helpful", 3)]


def test_arrows_visit_items_that_are_done_and_n_goes_to_what_is_left(host: Host) -> None:
    host.press("2", "Control+Enter", "Control+Enter")
    host.expect_place(1)
    host.press("ArrowLeft")
    host.expect_place(0)
    expect(host.page.locator(".lm-mark")).to_have_text("Done")
    host.expect_saved("helpful")
    host.press("n")
    host.expect_place(1)
    host.press("ArrowRight", "ArrowRight", "ArrowLeft")
    host.expect_place(2)


def test_a_comment_is_saved_with_its_answer(host: Host) -> None:
    host.press("c")
    host.page.keyboard.type("first the comment")
    host.press("Escape")
    expect(host.said).to_contain_text("Answer helpful too")
    host.press("5")
    host.expect_saved("helpful")
    (event,) = host.view.store.current()
    assert (event.value, event.comment) == (5, "first the comment")


def test_a_number_moves_in_its_range_by_arrows_and_one_outside_it_is_not_saved(host: Host) -> None:
    host.press("ArrowDown", "ArrowDown", "7", "Enter")
    expect(host.said).to_contain_text("share takes 0 to 1")
    assert host.labels() == []
    host.press("ArrowUp", "ArrowDown", "Enter")
    host.expect_saved("share")
    assert host.labels() == [("a", "share", 0.9)]


def test_keys_are_left_alone_while_an_input_method_composes(host: Host) -> None:
    host.page.evaluate("""() => {
      const key = (type, more) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", {key: type, bubbles: true, composed: true, cancelable: true, ...more}));
      key("3", {isComposing: true});
      key("Enter", {isComposing: true, ctrlKey: true});
    }""")
    host.press("2")
    host.expect_saved("helpful")
    assert host.labels() == [("a", "helpful", 2)]


def test_who_is_faster_than_the_kernel_answers_the_item_that_comes(open_panel: Callable[..., Host]) -> None:
    host = open_panel(scores=SCORES[:2])
    host.begin()
    host.press("3", "Enter", "1", "Control+Enter", "5", "Enter", "2", "Control+Enter", "1")
    host.expect_place(2)
    host.expect_saved("helpful")
    first = [("a", "helpful", 3), ("a", "tone", "polite"), ("b", "helpful", 5), ("b", "tone", "rude")]
    assert host.labels() == [*first, ("c", "helpful", 1)]


def test_the_help_sheet_names_every_key_and_keys_do_nothing_behind_it(host: Host) -> None:
    host.press("?")
    sheet = host.page.get_by_role("dialog")
    for words in ("Complete, and go on", "Skip, with a reason", "Undo", "Comment on the answer", "done ones too"):
        expect(sheet).to_contain_text(words)
    host.press("4", "Control+Enter")
    expect(sheet).to_be_visible()
    host.press("Escape")
    assert host.labels() == []


def test_keys_stay_in_the_panel(host: Host) -> None:
    host.press("x", "a", "b", "2", "Control+Enter")
    assert "Enter" not in host.page.evaluate("globalThis.host.outside")
    assert host.page.evaluate("globalThis.host.outside.filter((key) => key.length === 1)") == []


# Saving --------------------------------------------------------------------------------------------------------------


def test_nothing_is_called_saved_before_the_kernel_says_so(host: Host) -> None:
    host.silent = True
    host.press("2")
    expect(host.field("helpful").locator(".lm-state")).to_have_text("saving…")
    host.press("ArrowRight")
    host.expect_place(0)
    assert host.labels() == []


def test_what_could_not_be_saved_says_why_stays_and_is_tried_again(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from llmlens.errors import LabelError

    real = host.view.store.add

    def full(*_: Any, **__: Any) -> None:
        raise LabelError("the disk is full")

    monkeypatch.setattr(host.view.store, "add", full)
    host.press("2")
    host.expect_saved("helpful", "failed")
    expect(host.field("helpful")).to_contain_text("the disk is full")
    host.press("ArrowRight")
    expect(host.said).to_contain_text("helpful is not saved")
    host.expect_place(0)
    monkeypatch.setattr(host.view.store, "add", real)
    host.field("helpful").get_by_role("button", name="Try again").click()
    host.expect_saved("helpful")
    assert host.labels() == [("a", "helpful", 2)]


def test_how_far_a_label_is_arrives_by_itself_and_a_rejected_one_is_sent_again(
    open_panel: Callable[..., Host], store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(store, Shelf())
    state = ["pending", None]
    retried: list[str | None] = []
    monkeypatch.setattr(sender, "start", lambda: sender)
    monkeypatch.setattr(sender, "states", lambda ids: dict.fromkeys(ids, tuple(state)))
    monkeypatch.setattr(sender, "counts", lambda: {state[0]: len(store.current())})
    monkeypatch.setattr(sender, "retry", retried.append)
    host = open_panel(to=sender)
    host.begin()
    host.press("2")
    host.expect_saved("helpful", "pending")
    state[:] = ["rejected", "no such trace"]
    host.expect_saved("helpful", "rejected")
    expect(host.field("helpful")).to_contain_text("no such trace")
    expect(host.page.locator(".lm-deliveries")).to_contain_text("1 rejected")
    state[:] = ["confirmed", None]
    host.field("helpful").get_by_role("button", name="Try again").click()
    host.expect_saved("helpful", "confirmed")
    assert retried == [store.current()[0].score_id]


def test_labels_that_wait_say_why_above_and_beside_the_answer(
    open_panel: Callable[..., Host], store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(store, Shelf())
    monkeypatch.setattr(sender, "start", lambda: sender)
    sender.trouble = "the shelf cannot be reached"
    host = open_panel(to=sender)
    host.begin()
    waiting = host.page.locator(".lm-deliveries [data-trouble]")
    expect(waiting).to_have_attribute("title", "the shelf cannot be reached")
    host.press("2")
    expect(waiting).to_have_text("1 wait")
    expect(host.field("helpful")).to_contain_text("the shelf cannot be reached")
    sender.trouble = None
    expect(waiting).to_have_count(0)
    expect(host.page.locator(".lm-deliveries")).to_have_text("1 on the way")


def test_a_panel_without_kernel_says_so_and_has_no_dead_buttons(host: Host) -> None:
    host.page.evaluate("() => { globalThis.host.model.send = () => { throw new Error('gone'); }; }")
    host.press("2")
    expect(host.page.locator(".lm-note")).to_contain_text("No kernel is connected")
    expect(host.page.locator(".lm-form footer")).to_be_hidden()
    expect(host.page.get_by_role("button", name="Complete")).to_have_count(0)


def test_a_static_copy_shows_answers_and_takes_none(open_panel: Callable[..., Host], store: LabelStore) -> None:
    store.add(SCORES[1], "rude", trace_id="a", author="ada")
    host = open_panel(static=True)
    expect(host.page.locator(".lm-note")).to_contain_text("Read-only copy")
    expect(host.field("tone").locator("[aria-checked=true]")).to_contain_text("rude")
    expect(host.field("tone").locator("[aria-checked=false]")).to_be_hidden()
    host.begin()
    host.press("1", "s", "u", "ArrowRight")
    host.expect_place(1)
    assert [e.value for e in store.current()] == ["rude"]


def test_the_end_offers_what_was_skipped(host: Host) -> None:
    for place in range(4):
        host.expect_place(place)
        host.press("s", "Enter")
    expect(host.root).to_have_attribute("data-left", "0")
    expect(host.page.locator(".lm-finished")).to_contain_text("4 items skipped")
    host.page.get_by_role("button", name="Look at them again").click()
    host.expect_place(0)


# Reading -------------------------------------------------------------------------------------------------------------


def test_only_the_open_items_texts_are_in_the_page(open_panel: Callable[..., Host]) -> None:
    traces = make_traces()
    spans = traces.spans
    contents = traces.contents.assign(output=lambda f: [f"said in {t}" for t in f["trace_id"]])
    host = open_panel(Traces.from_frames({"spans": spans, "contents": contents}))
    host.begin()
    expect(host.page.locator(".lm-reading")).to_contain_text("said in a")
    host.press("ArrowRight")
    host.expect_place(1)
    text = host.page.evaluate("document.body.textContent")
    assert "said in b" in text
    assert "said in a" not in text
    assert "said in c" not in text


def test_the_next_items_texts_are_here_before_they_are_asked_for(host: Host) -> None:
    host.page.wait_for_function("globalThis.host.model.sent >= 3")
    host.silent = True
    host.press("ArrowRight")
    host.expect_place(1)


def test_the_judge_is_shown_beside_the_question_unless_blind(open_panel: Callable[..., Host]) -> None:
    host = open_panel()
    expect(host.field("helpful").locator(".lm-chip")).to_contain_text("judge 1")


def test_a_blind_panel_does_not_show_the_judge(open_panel: Callable[..., Host]) -> None:
    host = open_panel(blind=True)
    expect(host.page.locator(".lm-reading")).to_contain_text("Lost")
    expect(host.page.locator(".lm-chip")).to_have_count(0)


def test_python_moves_the_panel_and_the_panel_moves_python(host: Host) -> None:
    host.view.show("c")
    host.push()
    host.expect_place(2)
    host.press("ArrowRight")
    host.page.wait_for_function("globalThis.host.model.get('trace_id') === 'd'")
    assert host.view.selection.trace_ids == ["d"]


def test_who_goes_on_while_python_is_told_is_not_taken_back(host: Host) -> None:
    host.expect_place(0)
    host.page.evaluate(
        """() => {
          const { model } = globalThis.host;
          const set = model.set.bind(model);
          const key = new KeyboardEvent("keydown", {key: "ArrowRight", bubbles: true});
          model.set = (name, value) => {
            set(name, value);
            if (name === "span_id" || value !== "b") return;
            model.set = set;
            document.activeElement.dispatchEvent(key);
          };
        }"""
    )
    host.press("ArrowRight")
    expect(host.root).to_have_attribute("data-trace", "c")
    host.page.wait_for_function("() => globalThis.host.model.get('trace_id') === 'c'")
    host.page.wait_for_function("() => !document.querySelector('.llmlens[data-busy]')")
    host.expect_place(2)
    assert host.view.trace_id == "c"


def test_what_strangers_wrote_is_only_text(open_panel: Callable[..., Host], store: LabelStore) -> None:
    score = Score("note", str, help=EVIL)
    store.add(score, EVIL, trace_id="a", author=EVIL, comment=EVIL)
    store.skip(trace_id="a", author=EVIL, reason=EVIL)
    host = open_panel(make_traces(EVIL), scores=[score, Score("what", [EVIL, "b"], help=EVIL)], author="ada")
    host.begin()
    host.press("ArrowDown", "1")
    host.expect_saved("what")
    host.press("s")
    host.page.keyboard.type(EVIL)
    host.press("Enter")
    host.expect_place(1)
    host.press("ArrowLeft")
    host.expect_place(0)
    expect(host.page.locator(".lm-mark")).to_contain_text("<img")
    assert host.page.evaluate("globalThis.hit ?? null") is None
    assert host.page.locator(".llmlens :is(img, a, script, iframe, style)").count() == 0


def test_no_payload_of_the_corpus_is_more_than_text(open_panel: Callable[..., Host], tmp_path: Path) -> None:
    path = tmp_path / "hostile.otlp.jsonl"
    path.write_text(dump(GROUPS), "utf-8")
    traces = ll.read(path)
    host = open_panel(traces, scores=[Score("what", list(GROUPS[:12]), help=GROUPS[0])], author=GROUPS[1])
    host.begin()
    for place in range(len(GROUPS)):
        host.expect_place(place)
        host.press(str(place % 9 + 1))
        host.expect_saved("what")
        assert host.page.evaluate(f"({STRANGE})([document.body])") == []
        host.press("ArrowRight")
    assert host.page.evaluate("globalThis.hit ?? null") is None
    assert host.page.evaluate("Object.keys(Object.prototype)") == []
    host.page.set_content(f"<!doctype html><meta charset=utf-8>{host.view.snapshot()}")
    assert host.page.evaluate(f"({STRANGE})([document.body])") == []


def test_nothing_listens_any_more_when_the_panel_is_gone(host: Host) -> None:
    host.page.evaluate("globalThis.host.closers.forEach((close) => close())")
    assert host.page.evaluate("globalThis.host.listening()") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_follows_the_theme_and_fits_a_narrow_page(host: Host, theme: str) -> None:
    host.page.evaluate("(light) => { document.body.dataset.jpThemeLight = light; }", str(theme == "light").lower())
    expect(host.root).to_have_attribute("data-theme", theme)
    host.page.set_viewport_size({"width": 520, "height": 640})
    expect(host.page.get_by_role("button", name="Complete")).to_be_in_viewport()
    assert host.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if SHOTS:
        host.page.screenshot(path=str(Path(SHOTS) / f"annotator-narrow-{theme}.png"))
