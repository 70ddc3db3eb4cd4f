"""Labels to Arize Phoenix: one annotation each, however often they are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llmlens.errors import ServerError
from llmlens.label.phoenix import PhoenixSink
from llmlens.label.score import Score
from llmlens.label.sender import Sender
from llmlens.label.sink import Label
from llmlens.label.store import LabelStore
from tests.phoenix_server import PhoenixServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llmlens.label.event import Event

QUALITY, OK, TONE = Score("quality", 1, 5), Score("ok", bool), Score("tone", ["polite", "rude"])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between tries: it is the order of things that is looked at."""
    monkeypatch.setattr("llmlens.read.langfuse.transport._FIRST_WAIT_S", 0.01)
    monkeypatch.setattr("llmlens.label.sender._LOOK_AFTER_S", (0.02, 0.05))
    monkeypatch.setattr("llmlens.label.sender._BACKOFF_S", (0.02,))


@pytest.fixture
def server() -> Iterator[PhoenixServer]:
    """A server with two spans, two traces and a session."""
    with PhoenixServer() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    """An empty store."""
    return LabelStore(tmp_path / "labels.sqlite")


def sink_of(server: PhoenixServer) -> PhoenixSink:
    return PhoenixSink("default", base_url=server.url, api_key=server.api_key)


def sent_as(server: PhoenixServer, event: Event) -> dict[str, object]:
    (row,) = [row for row in server.rows.values() if row["identifier"] == event.score_id]
    return {key: value for key, value in row["result"].items() if value is not None}


def test_spans_traces_and_sessions_are_annotated_by_a_person(server: PhoenixServer, store: LabelStore) -> None:
    on_span = store.add(QUALITY, 4, trace_id="t1", span_id="s1", author="ann", comment="good\nünïcode 🙂")
    on_trace = store.add(OK, False, trace_id="t1", author="ann")
    on_session = store.add(TONE, "rude", session_id="c1", author="bob")
    sender = Sender(store, sink_of(server))
    assert sender.flush(30)
    assert sender.counts() == {"confirmed": 3}
    assert sent_as(server, on_span) == {"score": 4.0, "explanation": "good\nünïcode 🙂"}
    assert sent_as(server, on_trace) == {"score": 0.0, "label": "False"}
    assert sent_as(server, on_session) == {"label": "rude"}
    assert {key[:3] for key in server.rows} == {
        ("span", "s1", "quality"), ("trace", "t1", "ok"), ("session", "c1", "tone"),
    }  # fmt: skip
    assert {row["annotator_kind"] for row in server.rows.values()} == {"HUMAN"}
    assert {row["metadata"]["annotator"] for row in server.rows.values()} == {"ann", "bob"}


def test_a_label_that_is_sent_again_or_changed_stays_one(server: PhoenixServer, store: LabelStore) -> None:
    event = store.add(QUALITY, 2, trace_id="t1", span_id="s1", author="ann", comment="hm")
    sink = sink_of(server)
    for _ in range(3):
        assert [result.outcome for result in sink.push([Label.of(event)])] == ["accepted"]
    assert len(server.rows) == 1
    store.add(QUALITY, 5, trace_id="t1", span_id="s1", author="ann")
    assert Sender(store, sink).flush(30)
    assert sent_as(server, event) == {"score": 5.0}


def test_what_is_taken_back_is_deleted_and_nothing_else(server: PhoenixServer, store: LabelStore) -> None:
    anns, bobs = (store.add(QUALITY, 2, trace_id="t1", span_id="s1", author=author) for author in ("ann", "bob"))
    other = store.add(OK, True, trace_id="t1", span_id="s1", author="ann")
    sender = Sender(store, sink_of(server))
    assert sender.flush(30)
    store.undo(anns)
    assert sender.flush(30)
    assert {row["identifier"] for row in server.rows.values()} == {bobs.score_id, other.score_id}
    assert sender.counts() == {"confirmed": 2}


def test_a_server_that_cannot_delete_one_alone_is_not_asked_to(store: LabelStore) -> None:
    with PhoenixServer(deletes_by_identifier=False) as server:
        event = store.add(QUALITY, 2, trace_id="t1", span_id="s1", author="ann")
        sender = Sender(store, sink_of(server))
        assert sender.flush(30)
        store.undo(event)
        assert sender.flush(30)
        assert sender.states()[str(event.score_id)][0] == "rejected"
        assert "cannot delete one annotation alone" in str(sender.states()[str(event.score_id)][1])
        assert len(server.rows) == 1
        assert not [path for method, path in server.requests if method == "DELETE"]


def test_what_phoenix_does_not_know_is_rejected_and_the_rest_arrives(server: PhoenixServer, store: LabelStore) -> None:
    known = store.add(QUALITY, 1, trace_id="t1", span_id="s1", author="ann")
    lost = store.add(QUALITY, 1, trace_id="t1", span_id="gone", author="ann")
    nowhere = store.add(QUALITY, 1, session_id="gone", author="ann")
    reserved = store.add(Score("note", str), "a note", trace_id="t1", author="ann")
    sender = Sender(store, sink_of(server))
    assert sender.flush(30)
    states = sender.states()
    assert states[str(known.score_id)] == ("confirmed", None)
    for event, why in (
        (lost, "the span gone"),
        (nowhere, "the session gone"),
        (reserved, "reserved for trace and span"),
    ):
        state, reason = states[str(event.score_id)]
        assert state == "rejected"
        assert why in str(reason)
    server.known["span"].add("gone")
    sender.retry(lost.score_id)
    assert sender.flush(30)
    assert sender.states()[str(lost.score_id)] == ("confirmed", None)


def test_labels_wait_while_the_server_is_away(server: PhoenixServer, store: LabelStore) -> None:
    store.add(QUALITY, 1, trace_id="t1", span_id="s1", author="ann")
    sender = Sender(store, sink_of(server))
    server.down = True
    assert not sender.flush(0.5)
    assert "503" in str(sender.trouble)
    server.down = False
    assert sender.flush(30)
    assert len(server.rows) == 1


def test_many_annotations_are_read_page_by_page(server: PhoenixServer, store: LabelStore) -> None:
    server.page = 2
    events = [store.add(QUALITY, 3, trace_id="t1", span_id="s1", author=f"person {n}") for n in range(5)]
    sink = sink_of(server)
    sink.push([Label.of(event) for event in events])
    assert len(sink.read_back([Label.of(event) for event in events])) == 5


def test_a_wrong_key_is_said_and_not_shown(server: PhoenixServer, store: LabelStore) -> None:
    event = store.add(QUALITY, 1, trace_id="t1", span_id="s1", author="ann")
    sink = PhoenixSink("default", base_url=server.url, api_key="a wrong key")
    with pytest.raises(ServerError, match=r"does not know these keys\. Is PHOENIX_API_KEY.*Invalid token") as refused:
        sink.push([Label.of(event)])
    assert "a wrong key" not in f"{refused.value!r} {sink!r} {vars(sink)}"


def test_address_and_key_come_from_the_environment(server: PhoenixServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOENIX_COLLECTOR_ENDPOINT", f"{server.url}/v1/traces")
    monkeypatch.setenv("PHOENIX_API_KEY", server.api_key)
    sink = PhoenixSink("default")
    assert sink.name == f"{server.url}/projects/default"
    assert sink.push([]) == []
    with pytest.raises(ServerError, match="begins with http"):
        PhoenixSink("default", base_url="localhost:6006")
