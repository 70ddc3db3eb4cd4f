"""Annotation queues of Langfuse, from a selection to items that are completed once their answers are confirmed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from llmlens.errors import LabelError, SelectionError, UnknownNameError
from llmlens.label import create_queue, create_score_configs, queue, queues, score_configs
from llmlens.label.score import Score
from llmlens.label.store import LabelStore
from llmlens.read import read_langfuse
from llmlens.read.langfuse.connection import langfuse
from llmlens.view.annotator import Annotator
from tests.langfuse_server import Fault, LangfuseServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from llmlens.label.annotation_queues import AnnotationQueue
    from llmlens.read.langfuse.connection import Connection
    from llmlens.traces import Traces

QUALITY, OK = Score("quality", 1, 5), Score("ok", bool)
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
SERVERS: list[tuple[str, Any]] = [
    ("3.180.0", "v3"),
    ("4.16.0", "dual"),
    ("4.16.0", "events_only"),
    ("4.60.0", "events_only"),
]
TRACES = [f"{n:032x}" for n in range(4)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less between tries: it is the order of things that is looked at."""
    monkeypatch.setattr("llmlens.read.langfuse.transport._FIRST_WAIT_S", 0.02)
    monkeypatch.setattr("llmlens.label.sender._GATHER_S", 0.01)
    monkeypatch.setattr("llmlens.label.sender._LOOK_AFTER_S", (0.05, 0.1, 0.2, 0.5))
    monkeypatch.setattr("llmlens.label.sender._BACKOFF_S", (0.05,))


def fill(server: LangfuseServer) -> LangfuseServer:
    """Put four traces of two observations into a server."""
    for place, trace_id in enumerate(TRACES):
        at = (START + timedelta(minutes=place)).isoformat().replace("+00:00", "Z")
        same = {"traceId": trace_id, "startTime": at, "endTime": at, "sessionId": "c1"}
        server.add_observations([
            {**same, "id": f"root{place}", "type": "SPAN", "name": "ask"},
            {**same, "id": f"call{place}", "parentObservationId": f"root{place}", "type": "GENERATION"},
        ])  # fmt: skip
    return server


@pytest.fixture(params=SERVERS, ids=lambda s: f"{s[0]}-{s[1]}")
def each_server(request: pytest.FixtureRequest) -> Iterator[LangfuseServer]:
    """Every kind of server."""
    with LangfuseServer(*request.param) as running:
        yield fill(running)


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    """A server as most have it."""
    with LangfuseServer() as running:
        yield fill(running)


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    """An empty store."""
    return LabelStore(tmp_path / "labels.sqlite")


def connect(server: LangfuseServer) -> Connection:
    return langfuse(base_url=server.url, public_key=server.public_key, secret_key=server.secret_key)


def read(connection: Connection) -> Traces:
    return read_langfuse("2026-11-23", "2026-11-24", connection=connection, progress=False)


def make(server: LangfuseServer, traces: Traces | None = None, **more: Any) -> AnnotationQueue:
    connection = connect(server)
    scores = create_score_configs(connection, [QUALITY, OK])
    return create_queue(connection, "refunds", scores, read(connection) if traces is None else traces, **more)


def wait(until: Callable[[], bool]) -> None:
    """Wait for the sender's thread."""
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def answer(panel: Annotator, place: int, value: int = 4, *, done: bool = True) -> None:
    item = panel.answer("item", place=place)
    ids = {"trace_id": item["trace_id"], "span_id": item["span_id"]}
    panel.answer("label", **ids, name="quality", value=value)
    panel.answer("label", **ids, name="ok", value=True)
    if done:
        panel.answer("done", **ids)


def completed(panel: Annotator, place: int) -> Any:
    item = panel.answer("item", place=place)
    return panel.answer("status", trace_id=item["trace_id"], span_id=item["span_id"])["completed"]


def pending(found: AnnotationQueue) -> set[str]:
    return {item.object_id for item in found.items(completed=False)}


def test_a_queue_of_a_selection_is_worked_off_from_the_notebook(each_server: LangfuseServer, store: LabelStore) -> None:
    made = make(each_server)
    assert made.frame()["completed"].tolist() == [False] * 4
    opened = queue(connect(each_server), "refunds")
    panel = Annotator(opened.worklist(), to=opened, store=store, author="ada", order="start")
    assert [score["name"] for score in panel.answer("worklist")["scores"]] == ["quality", "ok"]
    for place in range(3):
        answer(panel, place)
    wait(lambda: pending(opened) == {TRACES[3]})
    assert [completed(panel, place) for place in range(4)] == [True, True, True, False]
    scores = each_server.scores()
    assert {(s["source"], s["queueId"]) for s in scores} == {("ANNOTATION", opened.queue_id)}
    assert len(scores) == 6
    panel.close()

    again = Annotator(opened.worklist(), to=opened, store=store, author="ada", order="start")
    assert again.answer("worklist")["states"] == ["l"], "what is completed is not read again"
    again.close()
    again = Annotator(read(connect(each_server)), to=opened, store=store, author="ada", order="start")
    assert again.answer("worklist")["states"] == ["d", "d", "d", "l"], "what one did here can be gone back to"
    again.close()


def test_spans_are_items_too_and_stand_beside_traces(each_server: LangfuseServer, store: LabelStore) -> None:
    connection = connect(each_server)
    traces = read(connection)
    made = make(each_server, traces.where(trace_id=TRACES[:1]))
    assert made.add(traces.where(kind="llm", spans_only=True).where(trace_id=TRACES[1:3]), per_item="span") == 2
    panel = Annotator(made.worklist(), to=made, store=store, author="ada", order="start")
    items = [panel.answer("item", place=place) for place in range(3)]
    assert [(item["trace_id"], item["span_id"]) for item in items] == [
        (TRACES[0], None), (TRACES[1], "call1"), (TRACES[2], "call2"),
    ]  # fmt: skip
    assert panel.answer("worklist")["per_item"] == "item"
    for place in range(3):
        answer(panel, place)
    wait(lambda: not pending(made))
    subjects = {(s["subject"]["kind"], s["subject"]["id"]) for s in each_server.scores()}
    assert subjects == {("trace", TRACES[0]), ("observation", "call1"), ("observation", "call2")}
    panel.close()


def test_nothing_is_completed_before_its_answers_are_confirmed(server: LangfuseServer, store: LabelStore) -> None:
    made = make(server)
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    server.faults.add(Fault("503", "GET /api/public/v3/scores"))
    answer(panel, 0)
    wait(lambda: panel._target.trouble is not None)
    assert panel._target.counts() == {"sent": 2}
    assert pending(made) == set(TRACES)
    server.faults.clear()
    wait(lambda: TRACES[0] not in pending(made))
    panel.close()


def test_an_item_with_a_rejected_answer_stays_pending_until_that_arrives(
    server: LangfuseServer, store: LabelStore
) -> None:
    made = make(server)
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    server.faults.add(Fault("413", "POST /api/public/ingestion", times=2))  # of one label alone: nothing is smaller
    answer(panel, 0, done=False)
    wait(lambda: "rejected" in panel._target.counts())
    panel.answer("done", trace_id=TRACES[0], span_id=None)
    wait(lambda: panel._target.sender is not None and not panel._target.sender.outbox.open())
    assert pending(made) == set(TRACES)
    assert panel._target.sender is not None
    panel._target.sender.retry()
    wait(lambda: TRACES[0] not in pending(made))
    panel.close()


def test_a_completion_that_is_taken_back_is_pending_again(server: LangfuseServer, store: LabelStore) -> None:
    made = make(server)
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    answer(panel, 0)
    wait(lambda: TRACES[0] not in pending(made))
    panel.answer("undo")
    wait(lambda: TRACES[0] in pending(made))
    panel.answer("redo")
    wait(lambda: TRACES[0] not in pending(made))
    panel.close()


def test_a_process_that_died_before_it_completed_an_item_does_it_when_it_is_opened_again(
    server: LangfuseServer, store: LabelStore
) -> None:
    made = make(server)
    server.faults.add(Fault("503", "PATCH"))
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    answer(panel, 0)
    wait(lambda: panel._target.counts() == {"confirmed": 2} and bool(panel._target.trouble))
    panel.close()
    assert pending(made) == set(TRACES)
    server.faults.clear()
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    wait(lambda: TRACES[0] not in pending(made))
    panel.close()


def test_an_item_that_somebody_took_out_of_the_queue_is_no_trouble(server: LangfuseServer, store: LabelStore) -> None:
    made = make(server)
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    server.state.items.clear()
    answer(panel, 0)
    wait(lambda: completed(panel, 0) is True)
    assert panel._target.trouble is None
    panel.close()


def test_what_others_completed_is_not_on_the_list(server: LangfuseServer, store: LabelStore) -> None:
    made = make(server)
    made.complete([item for item in made.items() if item.object_id in TRACES[:2]])
    panel = Annotator(read(connect(server)), to=made, store=store, author="ada", order="start")
    assert [panel.answer("item", place=place)["trace_id"] for place in range(2)] == TRACES[2:]
    assert len(panel.answer("worklist")["states"]) == 2
    panel.close()


@pytest.mark.parametrize("kind", ["before", "after", "502"])
def test_no_fault_doubles_an_item_a_config_or_a_queue(kind: Any, server: LangfuseServer) -> None:
    for pattern in ("POST .*score-configs", "POST .*annotation-queues$", "POST .*items"):
        server.faults.add(Fault(kind, pattern, times=1))
    connection = connect(server)
    made = make(server)
    assert len([request for request in server.requests if request.fault]) == 3
    assert sorted(item.object_id for item in made.items()) == TRACES
    assert sorted(score.name for score in score_configs(connection)) == ["ok", "quality"]
    assert len(queues(connection)) == 1


def test_adding_again_adds_only_what_is_not_there(server: LangfuseServer) -> None:
    made = make(server)
    traces = read(connect(server))
    assert made.add(traces) == 0
    assert made.add(traces, per_item="span") == 8
    assert len(made.items()) == 12
    with pytest.raises(SelectionError, match="per_item= is what one item is about"):
        made.add(traces, per_item="session")


def test_a_worklist_out_of_traces_that_lack_some_says_which(server: LangfuseServer) -> None:
    made = make(server)
    some = read(connect(server)).where(trace_id=TRACES[:1])
    with pytest.raises(LabelError, match=r"3 items of the queue 'refunds' are not among these traces: 0+1, 0+2, 0+3"):
        made.worklist(some)


def test_a_session_brings_its_traces(server: LangfuseServer) -> None:
    made = make(server, read(connect(server)).where(trace_id=[]))
    made.connection.send(
        "POST", f"/api/public/annotation-queues/{made.queue_id}/items", {"objectId": "c1", "objectType": "SESSION"}
    )
    assert sorted(made.worklist(read(connect(server))).trace_ids) == TRACES


def test_a_queue_that_cannot_be_made_or_found_says_why(server: LangfuseServer) -> None:
    connection = connect(server)
    with pytest.raises(LabelError, match=r"without a config in Langfuse cannot be in a queue: quality\. Make"):
        create_queue(connection, "refunds", [QUALITY])
    with pytest.raises(LabelError, match="at least one score"):
        create_queue(connection, "refunds", [])
    make(server)
    assert create_queue(connection, "by name", ["quality"]).scores()[0].name == "quality"
    with pytest.raises(LabelError, match="There is an annotation queue 'refunds' already"):
        create_queue(connection, "refunds", ["ok"])
    with pytest.raises(LabelError, match=r"did not make the queue.*Name must be 1 to 35"):
        create_queue(connection, "x" * 36, ["ok"])
    with pytest.raises(UnknownNameError, match=r"no annotation queue 'refund'.*'refunds'"):
        queue(connection, "refund")
