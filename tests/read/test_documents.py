from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from llmlens.read.contents import Document, SpanContent, documents
from llmlens.schema import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable


def span(
    attributes: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    *,
    kind: str = "retriever",
    output: Any = None,
) -> SpanContent:
    text = output if output is None or isinstance(output, str) else json.dumps(output)
    return SpanContent("t", "s", None, kind, "n", "ok", "query", text, attributes or {}, events or [])


def told(found: SpanContent) -> list[tuple[int, str | None, float | None, str | None, str | None]]:
    return [(row.rank, row.document_id, row.score, row.content, row.metadata) for row in documents(found)]


FULL = [(1, "a", 0.9, "first", '{"source":"a.md"}'), (2, "b", 0.5, "second", None)]

CONVENTIONS: dict[str, SpanContent] = {
    "OpenInference": span(
        {
            "retrieval.documents.0.document.id": "a",
            "retrieval.documents.0.document.score": 0.9,
            "retrieval.documents.0.document.content": "first",
            "retrieval.documents.0.document.metadata": '{"source": "a.md"}',
            "retrieval.documents.1.document.id": "b",
            "retrieval.documents.1.document.score": "0.5",
            "retrieval.documents.1.document.content": "second",
            "retrieval.documents.1.document.metadata": "{}",
        },
    ),
    "Phoenix data frame": span(
        {
            "retrieval.documents": [
                {
                    "document.id": "a",
                    "document.score": 0.9,
                    "document.content": "first",
                    "document.metadata": {"source": "a.md"},
                },
                {"document": {"id": "b", "score": 0.5, "content": "second"}},
            ]
        }
    ),
    "OpenTelemetry": span(
        {
            "gen_ai.retrieval.documents": '[{"id": "a", "score": 0.9, "content": "first",'
            '"metadata": {"source": "a.md"}},'
            '{"id": "b", "score": 0.5, "content": "second"}]'
        }
    ),
    "vector database events": span(
        events=[
            {
                "name": "db.query.result",
                "time": None,
                "attributes": {
                    "db.query.result.id": "a",
                    "db.query.result.score": 0.9,
                    "db.query.result.document": "first",
                    "db.query.result.metadata": '{"source": "a.md"}',
                },
            },
            {"name": "db.query.result", "time": None, "attributes": {"id": "b", "score": 0.5, "document": "second"}},
        ],
        kind="span",
    ),
    "Langfuse": span(
        {
            "langfuse.observation.output": json.dumps(
                [
                    {"page_content": "first", "id": "a", "metadata": {"source": "a.md"}, "score": 0.9},
                    {"page_content": "second", "id": "b", "metadata": {}, "score": 0.5},
                ]
            )
        }
    ),
    "LangChain with scores": span(
        output=[
            [
                {
                    "lc": 1,
                    "type": "constructor",
                    "id": ["x", "Document"],
                    "kwargs": {"id": "a", "page_content": "first", "metadata": {"source": "a.md"}},
                },
                0.9,
            ],
            [
                {
                    "lc": 1,
                    "type": "constructor",
                    "id": ["x", "Document"],
                    "kwargs": {"id": "b", "page_content": "second"},
                },
                0.5,
            ],
        ]
    ),
    "LlamaIndex": span(
        output={
            "source_nodes": [
                {"node": {"id_": "a", "text": "first", "metadata": {"source": "a.md"}}, "score": 0.9},
                {"node": {"id_": "b", "text": "second", "metadata": {}}, "score": 0.5},
            ]
        }
    ),
    "Haystack": span(
        {
            "haystack.component.output": json.dumps(
                {
                    "documents": [
                        {"id": "a", "content": "first", "meta": {"source": "a.md"}, "score": 0.9},
                        {"id": "b", "content": "second", "meta": {}, "score": 0.5},
                    ]
                }
            )
        }
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_convention_tells_the_same_documents(convention: str) -> None:
    assert told(CONVENTIONS[convention]) == FULL


def test_rows_have_the_fields_of_the_tidy_table() -> None:
    assert list(Document._fields) == DOCUMENTS.names


@pytest.mark.parametrize(
    "name", ["openinference_langchain", "otel_genai_langchain", "traceloop_langchain", "langsmith_otel"]
)
def test_langchain_recordings_hold_the_same_documents(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    found = [documents(one) for one in recorded(name)]
    first, second = (rows for rows in found if rows)
    assert [row.rank for row in first] == [1, 2]
    if name != "traceloop_langchain":  # it does not record ids
        assert [row.document_id for row in (*first, *second)] == ["d1", "d3", "d2", "d3"]
    if name != "otel_genai_langchain":  # the convention has no contents
        assert [row.content for row in first] == ["Paris is the capital of France.", "Réunion est une île."]
        assert first[0].metadata == '{"source":"a.md","page":1}'


def test_llamaindex_documents_are_counted_once(recorded: Callable[[str], list[SpanContent]]) -> None:
    found = [rows for rows in map(documents, recorded("openinference_llamaindex")) if rows]
    assert [[row.content for row in rows] for rows in found] == [
        ["Paris is the capital of France.", "Berlin is in Germany."],
        ["Berlin is in Germany."],
    ]
    assert all(row.document_id and row.score is not None for rows in found for row in rows)


@pytest.mark.parametrize("name", ["langfuse_sdk_v4", "langfuse_sdk_v5"])
def test_langfuse_recordings_hold_the_document(name: str, recorded: Callable[[str], list[SpanContent]]) -> None:
    (row,) = (row for one in recorded(name) for row in documents(one))
    assert (row.rank, row.score, row.content, row.metadata) == (1, 0.9, "Paris is the capital", '{"source":"a.md"}')


def test_missing_ids_come_from_the_answer() -> None:
    attributes = {"retrieval.documents.0.document.content": "x"}
    assert told(span(attributes, output=[{"id": "d", "page_content": "x"}]))[0][1] == "d"
    assert told(span(attributes, output=[{"id": "d", "page_content": "something else"}]))[0][1] is None


def test_a_reranker_gives_its_output_not_its_input() -> None:
    attributes = {
        "reranker.input_documents.0.document.id": "a",
        "reranker.input_documents.1.document.id": "b",
        "reranker.output_documents.0.document.id": "b",
    }
    assert [row.document_id for row in documents(span(attributes, kind="reranker"))] == ["b"]


def test_a_distance_is_not_a_score() -> None:
    chroma = {
        "ids": [["a", "b"]],
        "documents": [["x", "y"]],
        "metadatas": [[{"k": 1}, None]],
        "distances": [[0.1, 0.2]],
    }
    assert told(span(output=chroma)) == [
        (1, "a", None, "x", '{"k":1,"distance":0.1}'),
        (2, "b", None, "y", '{"distance":0.2}'),
    ]


def test_pinecone_keeps_the_text_in_the_metadata() -> None:
    assert told(span(output={"matches": [{"id": "a", "score": 1, "metadata": {"text": "x"}}]})) == [
        (1, "a", 1.0, "x", '{"text":"x"}')
    ]


def test_texts_alone_are_documents_but_reprs_are_not() -> None:
    assert [row.content for row in documents(span(output=["one", "two"]))] == ["one", "two"]
    assert documents(span(output=["<NodeWithScore(node=TextNode(id_=1), score=0.1)>"])) == []


@pytest.mark.parametrize("output", ["joined text", '{"answer": "x"}', "[1, 2]", "[", '[{"no": "document"}]', "null"])
def test_an_answer_without_documents_gives_none(output: str) -> None:
    assert documents(span(output=output)) == []


@pytest.mark.parametrize("kind", ["llm", "chain", "tool", "agent"])
def test_answers_of_other_spans_are_not_searched(kind: str) -> None:
    assert documents(span(kind=kind, output=[{"id": "d", "page_content": "x"}])) == []


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"updated_at": "2026-01-02T03:04:05Z"}, "2026-01-02T03:04:05+00:00"),
        ({"updated_at": "2026-01-02T03:04:05+02:00"}, "2026-01-02T01:04:05+00:00"),
        ({"last_modified": "2026-01-02"}, "2026-01-02T00:00:00+00:00"),
        ({"last_modified": "20260102"}, "2026-01-02T00:00:00+00:00"),
        ({"Last_Modified": "Fri, 02 Jan 2026 03:04:05 GMT"}, "2026-01-02T03:04:05+00:00"),
        ({"timestamp": 1767323045}, "2026-01-02T03:04:05+00:00"),
        ({"timestamp": "1767323045000"}, "2026-01-02T03:04:05+00:00"),
        ({"updatedAt": 1767323045000000000}, "2026-01-02T03:04:05+00:00"),
        ({"timestamp": 1767323045, "updated_at": "2026-01-03"}, "2026-01-03T00:00:00+00:00"),
        ({"updated_at": "no time", "modified": "2026-01-03"}, "2026-01-03T00:00:00+00:00"),
        ({"updated_at": "yesterday"}, None),
        ({"updated_at": 12}, None),
        ({"updated_at": True}, None),
        ({"updated_at": "0001-01-01T00:00:00+14:00"}, None),
        ({"page": 1}, None),
        ("free text", None),
    ],
)
def test_the_time_of_change_comes_from_the_metadata(metadata: Any, expected: str | None) -> None:
    (row,) = documents(span(output=[{"page_content": "x", "metadata": metadata}]))
    assert row.updated_at == expected
