"""The tables that are made at first use: once, completely, also when several threads ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from llmlens.read import derive, stored_spans

if TYPE_CHECKING:
    from llmlens import Traces


@pytest.fixture
def traces(otlp: Any) -> Traces:
    chat = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]',
    }
    asked = '[{"role":"assistant","parts":[{"type":"tool_call","id":"c%d","name":"look","arguments":{"q":1}}]}]'
    found = {"retrieval.documents.0.document.id": "d", "retrieval.documents.0.document.score": 0.5}
    spans = []
    for trace in range(1, 6):
        spans += [
            otlp.span({**chat, "gen_ai.output.messages": asked % trace}, trace=trace),
            otlp.span(
                {
                    "gen_ai.operation.name": "execute_tool",
                    "gen_ai.tool.call.id": f"c{trace}",
                    "gen_ai.tool.name": "look",
                    "gen_ai.tool.call.result": "42",
                },
                trace=trace,
                n=2,
                parent=1,
                at=1,
            ),
            otlp.span({"openinference.span.kind": "RETRIEVER", **found}, trace=trace, n=3, parent=1, at=2),
        ]
    read: Traces = otlp.read(*spans)
    return read


def test_a_call_and_its_execution_are_one_row(traces: Traces) -> None:
    calls = traces.tool_calls
    assert calls[["tool", "result", "requested_by", "span_id"]].drop_duplicates().to_numpy().tolist() == [
        ["look", "42", f"{1:016x}", f"{2:016x}"]
    ]
    assert sorted(calls["call_id"]) == ["c1", "c2", "c3", "c4", "c5"]


def test_small_batches_give_the_same_tables(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_spans, "_CHUNK", 2)
    assert len(traces.messages) == 10
    assert len(traces.tool_calls) == 5
    assert traces.documents[["document_id", "score", "rank"]].drop_duplicates().to_numpy().tolist() == [["d", 0.5, 1]]


def test_many_threads_get_the_whole_table(traces: Traces) -> None:
    with ThreadPoolExecutor(8) as pool:
        sizes = list(
            pool.map(lambda name: len(getattr(traces, name)), ["messages", "documents", "tool_calls", "contents"] * 4)
        )
    assert sizes == [10, 5, 5, 15] * 4


def test_documents_alone_make_no_messages(traces: Traces) -> None:
    assert len(traces.documents) == 5
    assert [name for name in ("messages", "tool_calls") if traces._store.has(name)] == []
    assert len(traces.messages) == 10
    assert traces._store.has("tool_calls")


def test_documents_are_found_on_spans_of_any_kind_that_name_them(otlp: Any) -> None:
    document = {"retrieval.documents.0.document.id": "d"}
    event = ("db.query.result", 0, {"db.query.result.id": "e"})
    found = otlp.read(
        otlp.span(document),
        otlp.span({"openinference.span.kind": "CHAIN"}, n=2, events=[event]),
        otlp.span({"openinference.span.kind": "TOOL", "gen_ai.retrieval.documents": '[{"id":"f"}]'}, n=3),
    ).documents
    assert sorted(found["document_id"]) == ["d", "e", "f"]


def test_an_interrupted_derivation_is_made_anew(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(derive, "messages", broken)
        with pytest.raises(KeyboardInterrupt):
            _ = traces.messages
    assert len(traces.messages) == 10


def test_a_selection_gives_its_own_rows(traces: Traces) -> None:
    one = traces.where(trace_id=f"{2:032x}")
    assert (len(one.messages), len(one.documents), len(one.tool_calls)) == (2, 1, 1)
