"""`Annotator` without a browser: what is asked, what is stored, and what leaves the kernel."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from llmlens.errors import LabelError, SelectionError, UnknownNameError
from llmlens.label.score import Score
from llmlens.label.sender import Sender
from llmlens.label.sink import Label, Result, Sink, Stored
from llmlens.label.store import LabelStore
from llmlens.traces import Traces
from llmlens.view.annotation_item import item_detail
from llmlens.view.annotator import Annotator
from llmlens.view.label_target import Target, target
from llmlens.view.trace_explorer import TraceExplorer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START = pd.Timestamp("2026-11-02T10:00:00Z")
PRIVATE = "the patient's name is Ada"
VERDICT = "the judge was not amused"
HELPFUL, TONE = Score("helpful", 1, 5), Score("tone", ["polite", "rude"])


def span(trace: str, name: str, parent: str | None, at: float, **more: Any) -> dict[str, Any]:
    start = START + pd.Timedelta(seconds=at)
    end = start + pd.Timedelta(seconds=1)
    return {
        "trace_id": trace, "span_id": f"{trace}-{name}", "parent_id": f"{trace}-{parent}" if parent else None,
        "name": name, "kind": "chain", "start": start, "end": end, "status": "ok", **more,
    }  # fmt: skip


def make_traces() -> Traces:
    spans, contents, scores = [], [], []
    for number, trace in enumerate("abc"):
        at = 60 * number
        spans += [
            span(trace, "root", None, at, feature="refunds"),
            span(trace, "search", "root", at + 1, kind="retriever"),
            span(trace, "model", "root", at + 2, kind="llm", model="mini"),
            span(trace, "judge", "root", at + 3, kind="evaluator"),
            span(trace, "judging", "judge", at + 4, kind="llm"),
        ]
        chat = [{"role": "user", "content": f"Where is it? {PRIVATE}"}]
        answer = [{"role": "assistant", "content": f"Lost, {trace}."}]
        documents = [{"id": "d1", "content": "Parcels are never lost."}]
        contents += [
            (trace, "root", "Where is it?", f"Lost, {trace}."),
            (trace, "search", "Where", json.dumps(documents)),
            (trace, "model", json.dumps(chat), json.dumps(answer)),
            (trace, "judging", json.dumps([{"role": "user", "content": "Judge this."}]), VERDICT),
        ]
        given = {"name": "helpful", "value": (3.0, 1.0, 2.0)[number], "source": "judge", "comment": VERDICT}
        scores.append({"score_id": f"s-{trace}", "trace_id": trace, "span_id": f"{trace}-model", **given})
    texts = [{"trace_id": t, "span_id": f"{t}-{n}", "input": i, "output": o} for t, n, i, o in contents]
    frames = {"spans": pd.DataFrame(spans), "contents": pd.DataFrame(texts), "scores": pd.DataFrame(scores)}
    return Traces.from_frames(frames)


@pytest.fixture(scope="module")
def traces() -> Traces:
    return make_traces()


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore(tmp_path / "labels.sqlite")


@pytest.fixture
def panel(traces: Traces, store: LabelStore) -> Annotator:
    return Annotator(traces, [HELPFUL, TONE], to=store, author="ada")


def order_of(panel: Annotator) -> str:
    count = len(panel.answer("worklist")["states"])
    return "".join(panel.answer("item", place=place)["trace_id"] for place in range(count))


def label(panel: Annotator, trace: str, name: str, value: Any, **more: Any) -> Any:
    return panel.answer("label", trace_id=trace, span_id=None, name=name, value=value, **more)


def mark(panel: Annotator, kind: str, trace: str, **more: Any) -> Any:
    return panel.answer(kind, trace_id=trace, span_id=None, **more)


# What is asked -------------------------------------------------------------------------------------------------------


def test_the_lowest_scored_trace_comes_first(panel: Annotator) -> None:
    assert order_of(panel) == "bca"


@pytest.mark.parametrize(
    ("order", "expected"), [("start", "abc"), ("-start", "cba"), ("disagreement", "abc"), ("n_errors", "abc")]
)
def test_the_order_is_that_of_a_column_or_of_disagreement(
    traces: Traces, store: LabelStore, order: str, expected: str
) -> None:
    assert order_of(Annotator(traces, [TONE], to=store, order=order)) == expected


def test_a_person_who_contradicts_the_judge_makes_a_disagreement(traces: Traces, store: LabelStore) -> None:
    store.add(HELPFUL, 5, trace_id="c", author="ben")
    store.add(HELPFUL, 3, trace_id="a", author="ben")
    assert order_of(Annotator(traces, [HELPFUL], to=store, order="disagreement")) == "cab"


def test_people_who_choose_different_categories_disagree(traces: Traces, store: LabelStore) -> None:
    for trace, first, second in (("a", "polite", "polite"), ("c", "polite", "rude")):
        store.add(TONE, first, trace_id=trace, author="ben")
        store.add(TONE, second, trace_id=trace, author="cem")
    assert order_of(Annotator(traces, [TONE], to=store, order="disagreement"))[0] == "c"


def test_a_random_order_repeats_with_its_seed(traces: Traces, store: LabelStore) -> None:
    orders = [order_of(Annotator(traces, [TONE], to=store, order="random", seed=seed)) for seed in (1, 1, *range(9))]
    assert orders[0] == orders[1]
    assert len(set(orders)) > 1


def test_an_unknown_order_names_the_nearest_one(traces: Traces, store: LabelStore) -> None:
    with pytest.raises(UnknownNameError, match=r"order 'lowes'.*'lowest'"):
        Annotator(traces, [TONE], to=store, order="lowes")


def test_an_unknown_option_names_the_nearest_one(traces: Traces, store: LabelStore) -> None:
    with pytest.raises(UnknownNameError, match=r"'autor'.*'author'"):
        Annotator(traces, [TONE], to=store, autor="ada")


def test_items_are_traces_or_spans(traces: Traces, store: LabelStore) -> None:
    with pytest.raises(SelectionError, match="'session'"):
        Annotator(traces, [TONE], to=store, per_item="session")


@pytest.mark.parametrize(
    ("scores", "match"),
    [
        (None, "Say what is asked"),
        ([], "Say what is asked"),
        ([TONE, Score("tone", bool)], "asked once; twice there is: tone"),
        ([Score("old", bool, archived=True)], "archived"),
        (["tone"], "no score 'tone'"),
        ([7], "takes Score objects or names of scores; got 7"),
    ],
)
def test_scores_that_nobody_could_give_are_refused_at_once(
    traces: Traces, store: LabelStore, scores: Any, match: str
) -> None:
    with pytest.raises(LabelError, match=match):
        Annotator(traces, scores, to=store)


def test_what_labels_cannot_be_sent_to_is_refused(traces: Traces) -> None:
    with pytest.raises(TypeError, match=r"to= takes a store of labels.*got int"):
        Annotator(traces, [TONE], to=7)


def test_without_a_store_the_labels_are_in_the_working_folder(
    traces: Traces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    label(Annotator(traces, [TONE]), "a", "tone", "rude")
    assert [event.value for event in LabelStore().current()] == ["rude"]


# What there is to read -----------------------------------------------------------------------------------------------


def test_a_trace_is_the_chat_of_the_call_that_gave_its_answer(panel: Annotator) -> None:
    item = panel.answer("item", place=0)
    assert [m["content"] for m in item["messages"]] == [f"Where is it? {PRIVATE}", "Lost, b."]
    assert item["path"] == ["root", "model"]
    assert [d["content"] for group in item["retrieved"] for d in group["documents"]] == ["Parcels are never lost."]


def test_an_answer_that_no_model_gave_is_shown_too() -> None:
    spans = [span("t", "root", None, 0), span("t", "model", "root", 1, kind="llm", status="error")]
    asked = json.dumps([{"role": "user", "content": "Where?"}])
    texts = [("root", "Where?", "Something went wrong."), ("model", asked, None)]
    contents = [{"trace_id": "t", "span_id": f"t-{n}", "input": i, "output": o} for n, i, o in texts]
    shown = item_detail(Traces.from_frames({"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents)}), "t")
    assert [(m["role"], m["content"]) for m in shown["messages"]] == [
        ("user", "Where?"),
        ("assistant", "Something went wrong."),
    ]
    assert shown["span"]["status"] == "error"


def test_long_texts_come_in_parts(store: LabelStore) -> None:
    contents = pd.DataFrame([{"trace_id": "t", "span_id": "t-root", "input": "x" * 50_000, "output": "y"}])
    long = Traces.from_frames({"spans": pd.DataFrame([span("t", "root", None, 0)]), "contents": contents})
    panel = Annotator(long, [TONE], to=store)
    shown = panel.answer("item", place=0)
    assert shown["input"]["total"] == 50_000
    more = panel.answer("more", trace_id="t", span_id=None, path=shown["input"]["path"], offset=20_000)
    assert len(more["text"]) == 30_000


def test_spans_are_labelled_one_by_one(traces: Traces, store: LabelStore) -> None:
    panel = Annotator(traces.where(kind="retriever", spans_only=True), [TONE], to=store, per_item="span", order="start")
    shown = panel.answer("item", place=1)
    assert (shown["trace_id"], shown["span_id"], shown["span"]["kind"]) == ("b", "b-search", "retriever")
    panel.answer("label", trace_id="b", span_id="b-search", name="tone", value="rude")
    assert [(e.trace_id, e.span_id) for e in store.current()] == [("b", "b-search")]


def test_the_judges_scores_and_other_peoples_labels_are_shown_but_not_ones_own(
    panel: Annotator, store: LabelStore
) -> None:
    store.add(HELPFUL, 4, trace_id="b", author="ben")
    store.add(HELPFUL, 2, trace_id="b", author="ada")
    shown = panel.answer("item", place=0)
    assert [(s["source"], s["author"], s["value"]) for s in shown["given"]] == [("judge", None, 1), ("human", "ben", 4)]
    assert [lbl["value"] for lbl in shown["status"]["labels"]] == [2]


def test_labels_that_were_joined_to_the_traces_are_shown_once(traces: Traces, store: LabelStore) -> None:
    store.add(HELPFUL, 4, trace_id="b", author="ben")
    panel = Annotator(traces.with_scores(store.frame()), [HELPFUL], to=store, author="ada")
    place = order_of(panel).index("b")
    assert [s["author"] for s in panel.answer("item", place=place)["given"]] == [None, "ben"]


@pytest.mark.parametrize("per_item", ["trace", "span"])
def test_nothing_that_a_judge_said_reaches_a_blind_panel(traces: Traces, store: LabelStore, per_item: str) -> None:
    store.add(HELPFUL, 4, trace_id="b", author="ben", comment="as Ben sees it")
    panel = Annotator(traces, [HELPFUL], to=store, author="ada", blind=True, per_item=per_item)
    places = range(len(panel.answer("worklist")["states"]))
    sent = json.dumps([panel.answer("item", place=place) for place in places])
    saved = json.dumps({k: v for k, v in panel.get_state().items() if k not in {"_esm", "_css"}}, default=str)
    copied = json.dumps([*panel.static_replies()])
    for said in (VERDICT, "as Ben sees it", "judging"):
        assert [said in text for text in (sent, saved, copied, panel.snapshot())] == [False] * 4


def test_copies_of_a_blind_panel_hold_no_labels_at_all(traces: Traces, store: LabelStore) -> None:
    panel = Annotator(traces, [TONE], to=store, author="ada", blind=True)
    label(panel, "b", "tone", "rude", comment="so rude")
    copies = json.dumps([reply for reply in panel.static_replies() if reply["kind"] == "item"])
    assert "so rude" not in copies
    assert '"value": "rude"' not in copies
    assert "rude</td>" not in panel.snapshot()
    assert panel.answer("item", place=order_of(panel).index("b"))["status"]["labels"][0]["value"] == "rude"


# Labelling -----------------------------------------------------------------------------------------------------------


def test_what_is_called_saved_is_in_the_store(panel: Annotator, store: LabelStore) -> None:
    status = label(panel, "a", "helpful", 4, comment="quick")
    assert [(lbl["name"], lbl["value"], lbl["state"]) for lbl in status["labels"]] == [("helpful", 4, "saved")]
    (event,) = LabelStore(store.path).current()
    assert (event.trace_id, event.value, event.comment, event.author) == ("a", 4, "quick", "ada")


@pytest.mark.parametrize(("name", "value"), [("helpful", 6), ("helpful", "4"), ("tone", "kind"), ("tone", None)])
def test_an_answer_outside_the_score_is_refused_and_nothing_is_stored(
    panel: Annotator, store: LabelStore, name: str, value: Any
) -> None:
    with pytest.raises(LabelError, match=f"The score '{name}' takes"):
        label(panel, "a", name, value)
    assert store.events() == []


def test_a_score_or_an_item_that_is_not_asked_is_refused(panel: Annotator) -> None:
    with pytest.raises(UnknownNameError, match="score 'tune'"):
        label(panel, "a", "tune", "rude")
    with pytest.raises(UnknownNameError, match="no trace 'zz' on this list"):
        label(panel, "zz", "tone", "rude")


def test_a_store_that_cannot_write_is_an_error_and_never_saved(panel: Annotator, store: LabelStore) -> None:
    replies: list[Any] = []
    panel.send = replies.append
    store.close()
    panel._handle_custom_msg(
        {"id": 1, "kind": "label", "trace_id": "a", "span_id": None, "name": "tone", "value": "rude"}, []
    )
    assert replies[0]["ok"] is False
    assert str(store.path) in replies[0]["error"]["message"]


def test_skipping_is_not_doing(panel: Annotator) -> None:
    assert mark(panel, "skip", "a", reason="too long")["mark"] == {"kind": "skip", "reason": "too long"}
    status = mark(panel, "done", "b")
    assert status["people"] == [{"author": "ada", "done": 1, "skipped": 1, "left": 1}]
    assert panel.answer("worklist")["states"] == ["d", "l", "s"]


def test_completing_twice_is_completing_once(panel: Annotator, store: LabelStore) -> None:
    mark(panel, "done", "a")
    mark(panel, "done", "a")
    assert [event.kind for event in store.events()] == ["done"]


def test_undo_takes_back_answers_skips_and_completions_in_turn(panel: Annotator) -> None:
    label(panel, "a", "tone", "rude")
    label(panel, "a", "tone", "polite")
    mark(panel, "done", "a")
    mark(panel, "skip", "b")
    undone = [panel.answer("undo") for _ in range(5)]
    assert [u.get("kind") for u in undone] == ["skip", "done", "score", "score", None]
    assert [u["place"] for u in undone] == [0, 2, 2, 2, None]
    values = [[lbl["value"] for lbl in u["status"]["labels"]] for u in undone[:4]]
    assert values == [[], ["polite"], ["rude"], []]


def test_redo_does_again_what_was_undone_until_something_new_is_done(panel: Annotator) -> None:
    label(panel, "a", "tone", "rude")
    mark(panel, "done", "a")
    for _ in range(2):
        panel.answer("undo")
    assert panel.answer("redo")["status"]["labels"][0]["value"] == "rude"
    assert panel.answer("redo")["status"]["mark"]["kind"] == "done"
    assert panel.answer("redo")["place"] is None
    panel.answer("undo")
    label(panel, "b", "tone", "rude")
    assert panel.answer("redo")["place"] is None


def test_undo_leaves_alone_what_other_people_and_other_lists_did(store: LabelStore, panel: Annotator) -> None:
    store.add(TONE, "rude", trace_id="a", author="ben")
    store.add(TONE, "rude", trace_id="elsewhere", author="ada")
    assert panel.answer("undo") == {"place": None}


def test_a_panel_sees_what_another_program_wrote(panel: Annotator, store: LabelStore) -> None:
    LabelStore(store.path).add(TONE, "rude", trace_id="b", author="ada")
    status = panel.answer("status", trace_id="b", span_id=None)
    assert [lbl["value"] for lbl in status["labels"]] == ["rude"]


# Going on ------------------------------------------------------------------------------------------------------------


def test_a_new_panel_goes_on_where_its_author_stopped(traces: Traces, store: LabelStore, panel: Annotator) -> None:
    mark(panel, "done", "b")
    label(panel, "c", "tone", "rude")

    def opened(author: str) -> str:
        again = Annotator(traces, [TONE], to=LabelStore(store.path), author=author)
        return order_of(again)[again.answer("worklist")["place"]]

    assert opened("ada") == "c"
    assert opened("ben") == order_of(panel)[0]
    mark(panel, "done", "c")
    assert opened("ada") == "a"
    mark(panel, "done", "a")
    assert Annotator(traces, [TONE], to=store, author="ada").answer("worklist")["states"] == ["d"] * 3


def test_everybodys_progress_is_told_apart(traces: Traces, store: LabelStore, panel: Annotator) -> None:
    mark(panel, "done", "a")
    ben = Annotator(traces, [TONE], to=store, author="ben")
    mark(ben, "done", "a")
    mark(ben, "skip", "b")
    assert panel.answer("status", trace_id="a", span_id=None)["people"] == [
        {"author": "ada", "done": 1, "skipped": 0, "left": 2},
        {"author": "ben", "done": 1, "skipped": 1, "left": 1},
    ]


def test_a_panel_on_nothing_says_so(traces: Traces, store: LabelStore) -> None:
    panel = Annotator(traces.where(trace_id=[]), [TONE], to=store)
    overview = panel.answer("worklist")
    assert (overview["states"], overview["place"]) == ([], -1)
    assert [reply["kind"] for reply in panel.static_replies()] == ["worklist"]
    assert "0 traces" in repr(panel)
    with pytest.raises(UnknownNameError, match="no place 0 on this list of 0"):
        panel.answer("item", place=0)


# With other views ----------------------------------------------------------------------------------------------------


def test_the_open_trace_is_the_selection(panel: Annotator) -> None:
    panel.show("c")
    assert panel.selection.trace_ids == ["c"]
    with pytest.raises(UnknownNameError, match="'zz'"):
        panel.show("zz")


def test_a_panel_follows_the_selection_of_a_view(traces: Traces, store: LabelStore) -> None:
    explorer = TraceExplorer(traces)
    panel = Annotator(explorer, [TONE], to=store)
    panel.show("b")
    explorer.show("a")
    assert order_of(panel) == "a"
    assert panel.trace_id is None


def test_a_panel_of_spans_goes_to_the_span_that_is_open_in_the_explorer(traces: Traces, store: LabelStore) -> None:
    explorer = TraceExplorer(traces)
    panel = Annotator(explorer, [TONE], to=store, per_item="span")
    explorer.show("b", "b-search")
    assert (panel.trace_id, panel.span_id) == ("b", "b-search")
    explorer.show("b", "b-model")
    assert (panel.trace_id, panel.span_id) == ("b", "b-model")
    panel.close()
    explorer.show("b", "b-root")
    assert panel.span_id == "b-model"


# Where labels go -----------------------------------------------------------------------------------------------------


class Drawer(Sink):
    """A sink that says what it lets be scored, and keeps nothing."""

    name = "drawer"

    def configs(self) -> list[Score]:
        return [TONE, Score("old", bool, archived=True)]

    def check_scores(self, scores: Sequence[Score]) -> None:
        if any(score.name == "tune" for score in scores):
            raise LabelError("There is no tune in the drawer.")

    def push(self, labels: Sequence[Label]) -> list[Result]:
        return [Result(label.score_id, "accepted") for label in labels]

    delete = push

    def read_back(self, labels: Sequence[Label]) -> dict[str, Stored]:  # noqa: ARG002  # it is empty
        return {}


def test_without_scores_all_that_the_server_has_are_asked_but_archived_ones(store: LabelStore) -> None:
    where = Target(store, Sender(store, Drawer()))
    assert where.scores(None) == (TONE,)
    assert where.scores(["tone", HELPFUL]) == (TONE, HELPFUL)
    assert where.name == "Drawer"
    with pytest.raises(LabelError, match=r"'tune'.*'tone'"):
        where.scores(["tune"])


def test_how_far_a_label_is_and_why_comes_from_the_sender(
    traces: Traces, store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(store, Drawer())
    states: dict[str, tuple[str, str | None]] = {}
    retried: list[str | None] = []
    monkeypatch.setattr(sender, "start", lambda: sender)
    monkeypatch.setattr(sender, "states", lambda ids: {i: states[i] for i in ids if i in states})
    monkeypatch.setattr(sender, "counts", lambda: dict(Counter(state for state, _ in states.values())))
    monkeypatch.setattr(sender, "retry", retried.append)
    panel = Annotator(traces, [TONE], to=sender, author="ada")
    score_id = label(panel, "a", "tone", "rude")["labels"][0]["score_id"]
    states[score_id] = ("rejected", "the server does not like it")
    status = panel.answer("status", trace_id="a", span_id=None)
    assert (status["labels"][0]["state"], status["labels"][0]["reason"]) == ("rejected", "the server does not like it")
    assert status["deliveries"] == {"rejected": 1}
    panel.answer("retry", trace_id="a", span_id=None, score_id=score_id)
    assert retried == [score_id]


def test_a_store_alone_sends_nothing(store: LabelStore) -> None:
    where = target(store)
    assert (where.name, where.queue_id, where.states(["a"]), where.counts()) == (None, None, {}, {})


# What leaves the kernel ----------------------------------------------------------------------------------------------


def test_the_saved_state_of_the_widget_holds_no_texts_and_no_labels(panel: Annotator) -> None:
    panel.answer("item", place=0)
    label(panel, "a", "tone", "rude", comment="so rude")
    panel.show("a")
    state = json.dumps({k: v for k, v in panel.get_state().items() if k not in {"_esm", "_css"}}, default=str)
    for text in (PRIVATE, "so rude", VERDICT):
        assert text not in state


def test_a_copy_without_kernel_gets_the_list_and_its_items(panel: Annotator) -> None:
    replies = list(panel.static_replies())
    assert [r["kind"] for r in replies] == ["worklist", "item", "item", "item"]
    json.dumps(replies, allow_nan=False)


def test_the_snapshot_shows_labels_without_markup_of_strangers(store: LabelStore) -> None:
    evil = '<img src=x onerror="alert(1)">'
    rows = pd.DataFrame([span("t", "root", None, 0, feature=evil)]).assign(name=evil)
    panel = Annotator(Traces.from_frames({"spans": rows}), [Score("note", str)], to=store, author=evil)
    label(panel, "t", "note", evil)
    made = panel.snapshot()
    assert "<img" not in made
    assert made.count("&lt;img") >= 4
    assert "<script" not in made


def test_the_module_stays_small() -> None:
    assert len(str(Annotator._esm).encode()) < 100_000


def test_the_repr_says_how_far_it_is(panel: Annotator) -> None:
    mark(panel, "done", "a")
    assert repr(panel) == "<Annotator of 3 traces by ada: 1 done, 0 skipped, 2 left>"
