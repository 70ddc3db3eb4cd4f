"""Labels in the store: what is in force after any sequence of labels and undos."""

from __future__ import annotations

import pickle
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import LabelError
from llmlens.label.score import Score
from llmlens.label.store import LabelStore, labels
from llmlens.schema import SCORES
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmlens.traces import Traces

HELP = Score("helpfulness", 1, 5)
TONE = Score("tone", ["polite", "rude"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LabelStore]:
    made = LabelStore(tmp_path / "labels.sqlite")
    yield made
    made.close()


def values(store: LabelStore) -> list[Any]:
    return [event.value for event in store.current()]


# ---------------------------------------------------------------------- labels


def test_a_label_is_there_for_whoever_opens_the_file_next(store: LabelStore) -> None:
    given_ = store.add(HELP, 4, trace_id="t", span_id="s", comment="well", author="ann", queue_id="q")
    other = labels(store.path)
    assert other.events() == [given_]
    assert other.current() == [given_]
    assert given_.at.tzinfo is UTC
    other.close()


def test_without_a_path_it_is_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    labels().close()
    assert (tmp_path / "llmlens-labels.sqlite").is_file()


def test_a_label_that_changes_another_keeps_its_id_and_time_past_midnight(tmp_path: Path) -> None:
    times = iter([datetime(2026, 11, 2, 23, 59, 59, tzinfo=UTC) + timedelta(seconds=n) for n in range(0, 40, 10)])
    store = LabelStore(tmp_path / "s", clock=lambda: next(times))
    first = store.add(HELP, 4, trace_id="t", author="ann")
    second = store.add(HELP, 2, trace_id="t", author="ann")
    assert (second.score_id, second.score_at) == (first.score_id, first.score_at)
    assert second.at.day == 3
    assert store.current() == [second]


def test_two_people_two_items_and_two_names_are_separate_labels(store: LabelStore) -> None:
    made = [
        store.add(HELP, 4, trace_id="t", author="ann"),
        store.add(HELP, 2, trace_id="t", author="bob"),
        store.add(HELP, 2, trace_id="t", span_id="s", author="ann"),
        store.add(HELP, 2, session_id="t", author="ann"),
        store.add(TONE, "rude", trace_id="t", author="ann"),
    ]
    assert store.current() == made
    assert len({event.score_id for event in made}) == len(made)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"value": 6}, "takes 1 to 5"),
        ({"score": "helpfulness"}, "answers a Score"),
        ({"trace_id": None}, "of a trace"),
        ({"trace_id": ""}, "trace_id is a text"),
        ({"trace_id": 3}, "trace_id is a text"),
        ({"session_id": "s"}, "of a trace"),
        ({"trace_id": None, "span_id": "s", "session_id": "x"}, "of a trace"),
        ({"author": " "}, "author"),
        ({"comment": "x" * 5001}, "comment has at most 5,000 characters; this has 5,001"),
        ({"comment": 3}, "comment"),
        ({"comment": "half \udc00"}, "not one"),
        ({"score": Score("old", 1, 5, archived=True)}, "archived"),
        ({"score": Score.correction(), "value": "x", "trace_id": None, "session_id": "s"}, "not of a session"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(store: LabelStore, changed: dict[str, Any], said: str) -> None:
    fields: dict[str, Any] = {"score": HELP, "value": 3, "trace_id": "t", "author": "ann", **changed}
    with pytest.raises(LabelError, match=said):
        store.add(fields.pop("score"), fields.pop("value"), **fields)
    assert store.events() == []


def test_an_empty_comment_is_none(store: LabelStore) -> None:
    assert store.add(HELP, 3, trace_id="t", comment="  ").comment is None


def test_the_author_is_the_user_unless_given(store: LabelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "me")
    assert store.add(HELP, 3, trace_id="t").author == "me"

    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", nobody)
    assert store.add(HELP, 3, trace_id="t").author == "unknown"


# ---------------------------------------------------------------------- undo


def test_undoing_a_change_brings_the_label_before_back(store: LabelStore) -> None:
    first = store.add(HELP, 4, trace_id="t", author="ann")
    second = store.add(HELP, 2, trace_id="t", author="ann")
    undo = store.undo(second)
    assert undo.kind == "undo"
    assert (undo.score_id, undo.name) == (first.score_id, "helpfulness")
    assert store.current() == [first]
    again = store.undo(undo.event_id)
    assert store.current() == [second]
    store.undo(again)
    assert store.current() == [first]


def test_a_label_that_was_withdrawn_is_given_again_as_a_new_score(store: LabelStore) -> None:
    first = store.add(HELP, 4, trace_id="t", author="ann", comment="c", queue_id="q")
    undo = store.undo(first)
    assert store.current() == []
    again = store.undo(undo)
    assert (again.kind, again.value, again.comment, again.queue_id) == ("score", 4.0, "c", "q")
    assert again.score_id != first.score_id
    assert again.undo_of == undo.event_id
    assert store.current() == [again]
    store.undo(again)
    assert store.current() == []
    assert store.add(HELP, 4, trace_id="t", author="ann").score_id not in {first.score_id, again.score_id}


def test_an_old_label_brought_back_does_not_pass_a_later_one(store: LabelStore) -> None:
    first = store.add(HELP, 4, trace_id="t", author="ann")
    second = store.add(HELP, 2, trace_id="t", author="ann")
    store.undo(store.undo(first))
    assert store.current() == [second]


def test_undoing_twice_or_undoing_what_is_not_there_is_an_error(store: LabelStore) -> None:
    first = store.add(HELP, 4, trace_id="t", author="ann")
    store.undo(first)
    with pytest.raises(LabelError, match="undone already"):
        store.undo(first)
    with pytest.raises(LabelError, match=r"no event 'x' in labels.sqlite"):
        store.undo("x")
    with pytest.raises(LabelError, match="event_id"):
        store.undo(3)  # type: ignore[arg-type]  # misuse
    assert len(store.events()) == 2


def test_skip_and_done_differ_and_can_be_undone_and_redone(store: LabelStore) -> None:
    item = ("t", None, None)
    skip = store.skip(trace_id="t", reason="unclear", author="ann")
    assert store.items()[item].state == "skipped"
    assert skip.comment == "unclear"
    done = store.done(trace_id="t", author="ann", queue_id="q")
    assert store.items()[item].state == "done"
    undo = store.undo(done)
    assert store.items()[item].mark == skip
    store.undo(undo)
    assert store.items()[item].state == "done"
    store.undo(skip)
    store.undo(done)
    assert store.items() == {}


def test_items_tell_what_each_person_did(store: LabelStore) -> None:
    mine = store.add(HELP, 4, trace_id="t", author="ann")
    theirs = store.add(HELP, 3, trace_id="t", author="bob")
    store.done(trace_id="t", author="bob")
    item = ("t", None, None)
    assert store.items()[item].labels == (mine, theirs)
    assert store.items("ann")[item].labels == (mine,)
    assert store.items("ann")[item].state == "open"
    assert store.items("bob")[item].state == "done"


def test_the_last_thing_is_what_is_undone_next(store: LabelStore) -> None:
    label = store.add(HELP, 4, trace_id="t", author="ann")
    done = store.done(trace_id="t", author="ann")
    store.add(HELP, 4, trace_id="t", author="bob")
    assert store.last("ann") == done
    store.undo(done)
    assert store.last("ann") == label
    store.undo(label)
    assert store.last("ann") is None


@examples(25)  # each makes files
@given(st.lists(st.tuples(st.sampled_from(["add", "undo last", "undo any"]), st.integers(0, 7)), max_size=25))
def test_undo_of_undo_restores_and_no_two_scores_of_a_person_are_active(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    store = LabelStore(tmp_path_factory.mktemp("any") / "s")
    for what, number in steps:
        events = store.events()
        if what == "add" or not events:
            store.add(HELP, 1 + number % 5, trace_id=f"t{number % 2}", author="ann")
        elif what == "undo last" and (last := store.last("ann")):
            before = values(store)
            redone = store.undo(store.undo(last))
            assert sorted(values(store)) == sorted(before)
            assert redone.value in {last.value, None}
            assert store.last("ann") in {last, redone}
            store.undo(last)
        else:
            target = events[number % len(events)]
            with suppress(LabelError):  # undone already
                store.undo(target)
        active = {tuple(row) for row in store.database.rows("SELECT trace_id, author, score_id FROM active")}
        assert len(active) == len({row[:2] for row in active})
    store.close()


# ---------------------------------------------------------------------- frames


def test_the_frame_is_the_scores_table(store: LabelStore, week: Traces) -> None:
    trace_id = week.trace_ids[0]
    empty = store.frame()
    number = store.add(Score("solved", 1, 5), 4, trace_id=trace_id, author="ann", comment="c")
    store.add(TONE, "rude", trace_id=trace_id, author="ann")
    store.add(Score("correct", bool), False, trace_id=trace_id, author="ann")
    store.add(Score("note", str), "hm", trace_id=trace_id, author="ann")
    frame = store.frame()
    assert list(frame.columns) == SCORES.names
    assert frame["value"].isna().tolist() == [False, True, False, True]
    assert frame["label"].fillna("").tolist() == ["", "rude", "", "hm"]
    assert frame["data_type"].tolist() == ["numeric", "categorical", "boolean", "text"]
    assert set(frame["source"]) == {"human"}
    assert frame["created"][0] == pd.Timestamp(number.at)
    assert empty.dtypes.equals(frame.dtypes)
    joined = week.with_scores(store)
    added = joined.scores[lambda s: s["score_id"].isin(frame["score_id"])]
    assert sorted(added["name"]) == sorted(frame["name"])
    assert joined.low_scoring("solved", below=5).trace_ids == [trace_id]
    assert joined.with_scores(store).scores.equals(joined.scores)


# ---------------------------------------------------------------------- threads and watchers


def test_many_threads_use_one_store(store: LabelStore) -> None:
    def work(author: str) -> None:
        for n in range(20):
            store.add(HELP, 1 + n % 5, trace_id=f"t{n % 4}", author=author)
            store.current()

    threads = [threading.Thread(target=work, args=(f"a{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [event.seq for event in store.events()] == list(range(1, 121))
    assert len(store.current()) == 6 * 4


def test_watchers_hear_of_each_event_once_stored_until_they_stop(store: LabelStore) -> None:
    heard: list[Any] = []
    stop = store.on_change(lambda event: heard.append((event, event in store.events())))
    label = store.add(HELP, 3, trace_id="t")
    undo = store.undo(label)
    assert heard == [(label, True), (undo, True)]
    stop()
    stop()
    store.done(trace_id="t")
    assert len(heard) == 2


def test_a_watcher_that_fails_does_not_make_a_stored_label_fail(
    store: LabelStore, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_event: object) -> None:
        raise RuntimeError("broken")

    store.on_change(fail)
    assert store.add(HELP, 3, trace_id="t") in store.current()
    assert "a callback failed" in caplog.text


def test_a_store_says_what_is_in_it_and_travels_as_its_path(store: LabelStore) -> None:
    label = store.add(HELP, 3, trace_id="t", author="ann")
    assert repr(store) == "<LabelStore labels.sqlite: 1 labels by 1 people>"
    other = pickle.loads(pickle.dumps(store))  # noqa: S301  # our own
    assert other.current() == [label]
    other.close()


def test_events_after_a_number_are_those_that_came_later(store: LabelStore) -> None:
    first = store.add(HELP, 3, trace_id="t")
    second = store.add(HELP, 4, trace_id="t")
    assert store.events(after=first.seq) == [second]
