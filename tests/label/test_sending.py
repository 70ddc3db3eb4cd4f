"""Labels on their way: through the outbox and the sender to a Langfuse server."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from llmlens.errors import LabelError, LangfuseError
from llmlens.label.langfuse import LangfuseSink
from llmlens.label.langfuse_configs import create_score_configs
from llmlens.label.score import Score
from llmlens.label.sender import Sender
from llmlens.label.store import LabelStore
from llmlens.read.langfuse.connection import langfuse
from llmlens.traces import Traces
from llmlens.view.annotator import Annotator
from tests.langfuse_server import HOBBY, Fault, LangfuseServer, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.langfuse_server.server import Mode


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between tries: it is the order of things that is looked at."""
    monkeypatch.setattr("llmlens.read.langfuse.transport._FIRST_WAIT_S", 0.02)
    monkeypatch.setattr("llmlens.label.sender._LOOK_AFTER_S", (0.05, 0.1, 0.2, 0.5))
    monkeypatch.setattr("llmlens.label.sender._BACKOFF_S", (0.05,))


WRONG_KEY = "sk-lf-wrong-987"
QUALITY = Score("quality", 1, 5)
OK = Score("ok", bool)
TONE = Score("tone", ["polite", "rude"])
NOTE = Score("note", str)
SERVERS: list[tuple[str, Mode]] = [
    ("3.170.0", "v3"),
    ("3.180.0", "v3"),
    ("4.16.0", "dual"),
    ("4.16.0", "events_only"),
    ("4.60.0", "events_only"),
]


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    """A server as most have it."""
    with LangfuseServer() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    """An empty store."""
    return LabelStore(tmp_path / "labels.sqlite")


@pytest.fixture
def traces() -> Traces:
    """A trace to label."""
    start = pd.Timestamp("2026-11-24T10:00:00Z")
    span = {"trace_id": "t1", "span_id": "s1", "name": "ask", "kind": "llm", "start": start, "end": start}
    return Traces.from_frames({"spans": pd.DataFrame([span])})


def sink_of(server: LangfuseServer, *scores: Score) -> LangfuseSink:
    """Connect, and make score configs."""
    sink = LangfuseSink(langfuse(base_url=server.url, public_key=server.public_key, secret_key=server.secret_key))
    sink.create_configs(scores)
    return sink


def there(server: LangfuseServer) -> list[dict[str, Any]]:
    """Give the scores that can be read."""
    return server.scores()


@pytest.mark.parametrize(("version", "mode"), SERVERS)
def test_labels_of_every_type_arrive_as_human_annotations(version: str, mode: Mode, store: LabelStore) -> None:
    with LangfuseServer(version, mode) as server:
        sink = sink_of(server, QUALITY, OK, TONE, NOTE)
        store.add(QUALITY, 4, trace_id="t1", author="ann", comment="good")
        store.add(OK, False, trace_id="t1", author="ann")
        store.add(TONE, "rude", trace_id="t1", span_id="s1", author="ann")
        store.add(NOTE, "a note", session_id="c1", author="bob")
        store.add(Score.correction(), "better", trace_id="t1", author="bob")
        assert Sender(store, sink).flush(30)
        found = {s["name"]: s for s in there(server)}
        assert {n: s["value"] for n, s in found.items()} == {
            "quality": 4, "ok": False, "tone": "rude", "note": "a note", "output": "better",
        }  # fmt: skip
        assert {s["source"] for s in found.values()} == {"ANNOTATION"}
        assert found["tone"]["subject"] == {"kind": "observation", "id": "s1", "traceId": "t1"}
        assert found["note"]["subject"] == {"kind": "session", "id": "c1"}
        assert found["quality"]["comment"] == "good"
        assert found["quality"]["metadata"]["annotator"] == "ann"
        assert found["quality"]["configId"] is not None
        assert {state for state, _ in Sender(store, sink_of(server)).outbox.states().values()} == {"confirmed"}


def test_a_changed_label_changes_the_score_and_makes_no_second_one(server: LangfuseServer, store: LabelStore) -> None:
    sender = Sender(store, sink_of(server, QUALITY))
    store.add(QUALITY, 2, trace_id="t1", author="ann", comment="hm")
    assert sender.flush(30)
    store.add(QUALITY, 5, trace_id="t1", author="ann")
    assert sender.flush(30)
    (score,) = there(server)
    assert score["value"] == 5
    assert not score["comment"]


def test_two_people_are_two_scores(server: LangfuseServer, store: LabelStore) -> None:
    for author in ("ann", "bob"):
        store.add(QUALITY, 3, trace_id="t1", author=author)
    assert Sender(store, sink_of(server, QUALITY)).flush(30)
    assert sorted(s["metadata"]["annotator"] for s in there(server)) == ["ann", "bob"]


def test_undoing_a_sent_label_deletes_it_and_undoing_a_change_corrects_it(
    server: LangfuseServer, store: LabelStore
) -> None:
    sender = Sender(store, sink_of(server, QUALITY))
    first = store.add(QUALITY, 2, trace_id="t1", author="ann")
    second = store.add(QUALITY, 5, trace_id="t1", author="ann")
    assert sender.flush(30)
    store.undo(second)
    assert sender.flush(30)
    assert [s["value"] for s in there(server)] == [2]
    store.undo(first)
    assert sender.flush(30)
    assert there(server) == []


def test_a_label_undone_before_it_was_sent_is_never_sent(server: LangfuseServer, store: LabelStore) -> None:
    sender = Sender(store, sink_of(server, QUALITY))
    store.undo(store.add(QUALITY, 2, trace_id="t1", author="ann"))
    assert sender.flush(30)
    assert not [r for r in server.requests if r.method == "POST" and "score-configs" not in r.path]


def test_a_label_without_a_config_is_rejected_with_the_reason(server: LangfuseServer, store: LabelStore) -> None:
    sink = sink_of(server)
    sender = Sender(store, sink)
    event = store.add(QUALITY, 2, trace_id="t1", author="ann")
    assert sender.flush(30)
    state, reason = sender.states()[str(event.score_id)]
    assert state == "rejected"
    assert "no active score config 'quality'" in str(reason)
    sink.create_configs([QUALITY])
    assert sender.retry() == 1
    assert sender.flush(30)
    assert [s["value"] for s in there(server)] == [2]


def test_a_value_outside_the_servers_config_is_rejected_before_it_is_sent(
    server: LangfuseServer, store: LabelStore
) -> None:
    sender = Sender(store, sink_of(server, QUALITY))
    event = store.add(Score("quality", 1, 10), 9, trace_id="t1", author="ann")
    assert sender.flush(30)
    assert sender.states()[str(event.score_id)][0] == "rejected"
    assert "takes 1 to 5; got 9" in str(sender.states()[str(event.score_id)][1])
    assert not [r for r in server.requests if "ingestion" in r.path]


def test_what_the_server_takes_and_drops_is_told_as_rejected(
    server: LangfuseServer, store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmlens.label.sender._LOOK_AFTER_S", (0.01,))
    monkeypatch.setattr("llmlens.label.sender._LOST_AFTER_S", 0.05)
    sender = Sender(store, sink_of(server, QUALITY))
    event = store.add(QUALITY, 2, trace_id="t1", author="ann")
    server.state.configs[0]["isArchived"] = True  # behind the back of a sink that has read the configs
    assert sender.flush(30)
    state, reason = sender.states()[str(event.score_id)]
    assert state == "rejected"
    assert "dropped" in str(reason)


@pytest.mark.parametrize("kind", ["before", "after", "500", "503", "429", "truncated", "html"])
def test_no_fault_loses_or_doubles_a_label(kind: Any, server: LangfuseServer, store: LabelStore) -> None:
    sender = Sender(store, sink_of(server, QUALITY))
    server.faults.add(Fault(kind, "ingestion", times=2, seconds=0), Fault(kind, "v3/scores", times=1, seconds=0))
    for n in range(20):
        store.add(QUALITY, 1 + n % 5, trace_id=f"t{n}", author="ann")
    assert sender.flush(60)
    assert sorted(s["subject"]["id"] for s in there(server)) == sorted(f"t{n}" for n in range(20))
    assert [r for r in server.requests if r.fault]


def test_labels_wait_while_the_server_is_away(server: LangfuseServer, store: LabelStore) -> None:
    sink = sink_of(server, QUALITY)
    sender = Sender(store, sink)
    assert sender.flush(5)
    server.faults.add(Fault("before"))
    store.add(QUALITY, 2, trace_id="t1", author="ann")
    assert not sender.flush(1)
    assert "ingestion" in str(sender.trouble)
    server.faults.clear()
    assert sender.flush(60)
    assert len(there(server)) == 1
    assert sender.trouble is None


def test_wrong_keys_are_said_and_the_labels_stay(server: LangfuseServer, store: LabelStore) -> None:
    wrong = langfuse(base_url=server.url, public_key=server.public_key, secret_key=WRONG_KEY)
    sender = Sender(store, LangfuseSink(wrong))
    store.add(QUALITY, 2, trace_id="t1", author="ann")
    assert not sender.flush(0.5)
    assert "does not know these keys" in str(sender.trouble)
    assert WRONG_KEY not in str(sender.trouble) + repr(sender.sink) + repr(vars(sender))
    assert len(store.current()) == 1


def test_the_background_sends_what_is_added_while_it_runs(server: LangfuseServer, store: LabelStore) -> None:
    confirmed = threading.Event()

    def confirmed_all() -> None:
        if sender.counts() == {"confirmed": 1}:
            confirmed.set()

    sender = Sender(store, sink_of(server, QUALITY), on_change=confirmed_all).start()
    try:
        store.add(QUALITY, 3, trace_id="t1", author="ann")
        assert confirmed.wait(30)
    finally:
        sender.stop()
    assert [s["value"] for s in there(server)] == [3]


def test_two_notebooks_on_one_store_send_each_label_once(server: LangfuseServer, tmp_path: Path) -> None:
    stores = [LabelStore(tmp_path / "labels.sqlite") for _ in range(2)]
    senders = [Sender(each, sink_of(server, QUALITY)).start() for each in stores]
    try:
        for n in range(40):
            stores[n % 2].add(QUALITY, 3, trace_id=f"t{n}", author=f"person {n % 2}")
        assert all(sender.flush(60) for sender in senders)
    finally:
        for sender in senders:
            sender.stop()
    assert len(there(server)) == 40


def test_a_day_that_ends_between_two_tries_makes_no_second_score(server: LangfuseServer, store: LabelStore) -> None:
    sink = sink_of(server, QUALITY)
    server.set_clock(datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC))
    server.faults.add(Fault("after", "ingestion", times=1))
    store.add(QUALITY, 3, trace_id="t1", author="ann")
    sender = Sender(store, sink)
    server.set_clock(datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC))
    assert sender.flush(60)
    assert len(server.scores()) == 1


def test_without_the_batch_route_labels_go_as_a_list_and_only_the_wrong_one_is_rejected(
    store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LangfuseServer("4.60.0") as server:
        sink = sink_of(server, QUALITY, NOTE)
        monkeypatch.setattr(sink, "_ingest", lambda _group, _labels: None)
        bad = store.add(NOTE, "x", session_id="c1", author="ann")
        for n in range(9):
            store.add(QUALITY, 3, trace_id=f"t{n}", author="ann")
        original = sink.connection.send

        def send(method: str, path: str, body: Any) -> Any:
            spoiled = [{**b, "value": "x" * 501} if b["id"] == bad.score_id else b for b in body]
            return original(method, path, spoiled)

        monkeypatch.setattr(sink.connection, "send", send)
        sender = Sender(store, sink)
        assert sender.flush(30)
        states = sender.states()
        assert states[str(bad.score_id)][0] == "rejected"
        assert [s for s, _ in states.values()].count("confirmed") == 9


def test_a_config_is_made_only_when_asked_and_a_different_one_is_refused(server: LangfuseServer) -> None:
    sink = sink_of(server)
    assert sink.configs() == []
    (made,) = sink.create_configs([QUALITY])
    assert made.config_id is not None
    assert sink.create_configs([QUALITY]) == [made]
    with pytest.raises(LabelError, match="takes 1 to 5; yours takes 0 to 1"):
        sink.create_configs([Score("quality", 0, 1)])
    assert len(server.state.configs) == 1


def test_an_unreachable_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlens.read.langfuse.transport._FIRST_WAIT_S", 0.01)
    away = langfuse(base_url="http://127.0.0.1:9", public_key="pk-lf-x", secret_key=WRONG_KEY)
    with pytest.raises(LangfuseError, match=r"127\.0\.0\.1:9/.*cannot be reached"):
        LangfuseSink(away).configs()


def test_five_hundred_labels_keep_within_the_smallest_plan(store: LabelStore) -> None:
    with LangfuseServer(rate_limits=HOBBY) as server:
        sink = sink_of(server, QUALITY)
        for n in range(500):
            store.add(QUALITY, 1 + n % 5, trace_id=f"t{n}", author="ann")
        before = len(server.requests)
        assert Sender(store, sink).flush(60)
        assert len(there(server)) == 500
        assert not [r for r in server.requests[before:] if r.status == 429]


# What a server refuses, and when that is said -------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "mode"), SERVERS)
def test_a_label_of_a_trace_that_was_deleted_arrives_all_the_same(version: str, mode: Mode, store: LabelStore) -> None:
    with LangfuseServer(version, mode) as server:
        server.add_observations([{"id": "o", "traceId": "t1", "startTime": "2026-11-24T10:00:00.000Z"}])
        sender = Sender(store, sink_of(server, QUALITY))
        server.remove_trace("t1")
        store.add(QUALITY, 4, trace_id="t1", span_id="o", author="ann")
        assert sender.flush(30)
        assert sender.counts() == {"confirmed": 1}
        assert len(there(server)) == 1


def test_an_archived_config_is_named_and_the_label_waits_for_it(server: LangfuseServer, store: LabelStore) -> None:
    sink = sink_of(server, QUALITY)
    server.state.configs[0]["isArchived"] = True
    sink.configs()
    sender = Sender(store, sink)
    event = store.add(QUALITY, 2, trace_id="t1", author="ann")
    assert sender.flush(30)
    state, reason = sender.states([str(event.score_id)])[str(event.score_id)]
    assert state == "rejected"
    assert "score config 'quality' is archived" in str(reason)
    server.state.configs[0]["isArchived"] = False
    sender.retry()
    assert sender.flush(30)
    assert len(there(server)) == 1


def test_a_panel_says_at_once_what_the_server_would_reject(
    server: LangfuseServer, store: LabelStore, traces: Traces
) -> None:
    connection = sink_of(server, QUALITY).connection
    for scores, why in (
        ([OK], "no active score config 'ok'.*create_score_configs"),
        ([Score("qualiti", 1, 5)], "Did you mean 'quality'"),
        ([Score("quality", 0, 1)], "takes 1 to 5; yours takes 0 to 1"),
    ):
        with pytest.raises(LabelError, match=why):
            Annotator(traces, scores, to=connection, store=store)
    assert [score.name for score in create_score_configs(connection, [OK])] == ["ok"]
    panel = Annotator(traces, [OK, Score.correction()], to=connection, store=store)
    panel.close()


def test_a_panel_opens_without_the_server_and_its_labels_wait(
    server: LangfuseServer, store: LabelStore, traces: Traces
) -> None:
    connection = sink_of(server, QUALITY).connection
    server.faults.add(Fault("before"))
    panel = Annotator(traces, [QUALITY], to=connection, store=store, author="ann")
    status = panel.answer("label", trace_id="t1", span_id=None, name="quality", value=2)
    assert status["labels"][0]["state"] == "pending"
    server.faults.clear()
    assert panel._target.sender is not None
    assert panel._target.sender.flush(60)
    panel.close()
    assert [s["value"] for s in there(server)] == [2]


def test_labels_of_one_project_do_not_go_to_another(
    server: LangfuseServer, store: LabelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(QUALITY, 2, trace_id="t1", author="ann")
    assert Sender(store, sink_of(server, QUALITY)).flush(30)
    with LangfuseServer() as moved:  # the same project at another address
        assert Sender(store, sink_of(moved, QUALITY)).flush(30)
        assert len(there(moved)) == 1
    monkeypatch.setattr("tests.langfuse_server.routes.PROJECT", {"id": "proj2", "name": "another"})
    with LangfuseServer() as other:
        sender = Sender(store, sink_of(other, QUALITY))
        assert not sender.flush(0.3)
        assert "this is another project" in str(sender.trouble)
        assert there(other) == []


def test_who_may_delete_no_more_today_may_still_label(store: LabelStore) -> None:
    with LangfuseServer(rate_limits={"score-delete": Limit(1, 86_400.0)}) as server:
        sender = Sender(store, sink_of(server, QUALITY))
        first = store.add(QUALITY, 2, trace_id="t1", author="ann")
        assert sender.flush(30)
        store.undo(first)
        store.add(QUALITY, 3, trace_id="t2", author="ann")
        assert not sender.flush(2)
        assert sender.counts() == {"confirmed": 1, "pending": 1}
        assert "allows no more requests of this kind for 24 h" in str(sender.trouble)


def test_a_clock_that_is_set_back_does_not_keep_labels_unconfirmed(server: LangfuseServer, store: LabelStore) -> None:
    now = [1_000_000.0]
    sender = Sender(store, sink_of(server, QUALITY), clock=lambda: now[0])
    store.add(QUALITY, 2, trace_id="t1", author="ann")
    sender.round()
    assert sender.counts() == {"sent": 1}
    now[0] -= 86_400
    for _ in range(3):
        sender.round()
        now[0] += 1
    assert sender.counts() == {"confirmed": 1}


def test_a_changed_comment_is_confirmed_only_when_it_is_there(store: LabelStore) -> None:
    with LangfuseServer(eventual_s=float("inf")) as late:
        sender = Sender(store, sink_of(late, QUALITY))
        store.add(QUALITY, 2, trace_id="t1", author="ann", comment="hm")
        assert not sender.flush(0.3)
        late.settle()
        assert sender.flush(30)
        store.add(QUALITY, 2, trace_id="t1", author="ann", comment="oh\nno")
        assert not sender.flush(0.3)
        assert sender.counts() == {"sent": 1}
        late.settle()
        assert sender.flush(30)
        assert [s["comment"] for s in there(late)] == ["oh\nno"]


def test_a_config_that_was_made_before_is_told_by_its_id(server: LangfuseServer, store: LabelStore) -> None:
    old = server.add_config("quality", "NUMERIC", minValue=1, maxValue=5)
    server.add_config("quality", "NUMERIC", minValue=1, maxValue=3)
    sender = Sender(store, sink_of(server))
    store.add(Score("quality", 1, 5, config_id=old["id"]), 5, trace_id="t1", author="ann")
    assert sender.flush(30)
    assert [s["configId"] for s in there(server)] == [old["id"]]
    assert server.dropped == []


def test_whatever_people_write_arrives_as_it_was(server: LangfuseServer, store: LabelStore) -> None:
    sender = Sender(store, sink_of(server, NOTE))
    texts = [
        "ünïcode 🙂 ﷽",
        "a\u202eb",
        "<img src=x onerror=alert(1)>",
        "$x^2$",
        '"quoted"',
        "line\nline\ttab",
        "𝔘" * 250,
    ]
    for place, text in enumerate(texts):
        store.add(NOTE, text, trace_id=f"t{place}", author="Zoë 🦊", comment=text)
    assert sender.flush(30)
    assert sorted(s["value"] for s in there(server)) == sorted(texts)
    assert {s["metadata"]["annotator"] for s in there(server)} == {"Zoë 🦊"}
    with pytest.raises(LabelError, match="at most 500 characters; this has 501"):
        store.add(NOTE, "𝔘" * 250 + "x", trace_id="t", author="ann")
