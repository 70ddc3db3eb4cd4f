"""The retrieved or reranked documents of a span."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from .events import named
from .indexed import indexed
from .parts import first
from .rows import Document, SpanContent
from .turns import constructed
from .values import decode, dumps, name_of, number_of, text_of, time_of, unpacked

# Rerankers repeat their input documents; what they gave back is what counts.
_FAMILIES = ("retrieval.documents", "reranker.output_documents", "reranker.input_documents")

#: Events of vector databases, one document each.
_EVENTS = frozenset({"db.query.result", "db.search.result"})

#: Where a retriever's answer is when the documents are nowhere else, in order of precedence.
_OUTPUTS = (
    "langfuse.observation.output", "mlflow.spanOutputs", "gen_ai.completion", "traceloop.entity.output",
    "haystack.component.output", "output.value",
)  # fmt: skip

_LISTS = (
    "documents", "docs", "nodes", "source_nodes", "results", "matches", "hits", "points", "output", "outputs",
    "context", "contexts", "chunks", "data",
)  # fmt: skip
_IDS = ("id", "id_", "_id", "document_id", "doc_id", "node_id", "chunk_id", "uuid")
_SCORES = ("score", "similarity", "similarity_score", "relevance_score", "_score", "rerank_score")
_CONTENTS = ("page_content", "content", "text", "document", "body", "chunk")
_METADATA = ("metadata", "meta", "payload", "_source")
_UPDATED = (
    "updated_at", "last_modified", "modified", "last_updated", "modified_at", "last_modified_at", "last_modified_date",
    "date_modified", "updatedat", "lastmodified", "timestamp",
)  # fmt: skip


def documents(span: SpanContent) -> list[Document]:
    """Give the rows of `documents`, best first: the rank is the position.

    Documents that are written as such (indexed attributes, `gen_ai.retrieval.documents`, events) are taken from any
    span; answers are searched for documents only on retrievers and rerankers.
    """
    attributes = span.attributes
    found: list[dict[str, Any]] = []
    lists = indexed(span, *_FAMILIES)
    for family in _FAMILIES:
        if lists.get(family):
            found = [one for one in map(_document, lists[family]) if one]
            break
    if not found and "gen_ai.retrieval.documents" in attributes:
        found = _listed(attributes["gen_ai.retrieval.documents"])
    if not found and span.events:
        said = (_event(said) for name, said in named(span.events) if name in _EVENTS)
        found = [one for one in map(_document, said) if one]
    if span.kind in {"retriever", "reranker"}:
        if not found:
            found = _answered(span)
        elif all(one["id"] is None for one in found):
            found = _identified(found, _answered(span))
    return [_row(span, rank, one) for rank, one in enumerate(found, start=1)]


def _row(span: SpanContent, rank: int, one: dict[str, Any]) -> Document:
    metadata = one["metadata"]
    return Document(
        span.trace_id, span.span_id, rank, one["id"], one["score"], one["content"],
        None if metadata in (None, {}, [], "") else dumps(metadata), _updated(metadata),
    )  # fmt: skip


def _answered(span: SpanContent) -> list[dict[str, Any]]:
    for key in _OUTPUTS:
        if key in span.attributes and (found := _listed(span.attributes[key])):
            return found
    return _listed(unpacked(span.output))


def _identified(found: list[dict[str, Any]], answered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take ids (and what else is missing) from the answer where it tells the same documents in the same order."""
    if [one["content"] for one in found] != [one["content"] for one in answered]:
        return found
    return [
        {key: more[key] if value is None else value for key, value in one.items()}
        for one, more in zip(found, answered, strict=True)
    ]


def _listed(value: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Give the documents in a value, or in the JSON text of one."""
    value = decode(value, quoted=depth == 0)
    if isinstance(value, dict):
        if depth > 4:
            return []
        columns = _columns(value)
        if columns:
            return columns
        for key in _LISTS:
            if isinstance(value.get(key), list | dict):
                found = _listed(value[key], depth + 1)
                if found:
                    return found
        return []
    if not isinstance(value, list):
        return []
    if len(value) == 1 and isinstance(value[0], list):
        value = value[0]  # answers to a batch of one query
    documents = [_document(one) for one in value]
    return [] if None in documents else [one for one in documents if one is not None]


def _columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Read an answer that is a table by columns (Chroma)."""
    ids = value.get("ids")
    if not isinstance(ids, list) or not ids:
        return []

    def column(key: str) -> list[Any]:
        cells = value.get(key)
        cells = cells[0] if isinstance(cells, list) and cells and isinstance(cells[0], list) else cells
        return cells if isinstance(cells, list) else []

    table = [column(key) for key in ("documents", "metadatas", "distances")]
    rows = []
    for position, one in enumerate(column("ids")):
        content, metadata, distance = (cells[position] if position < len(cells) else None for cells in table)
        row = _document({"id": one, "content": content, "metadata": metadata, "distance": distance})
        rows += [row] if row else []
    return rows


def _event(said: dict[str, Any]) -> dict[str, Any]:
    return {key.rsplit(".", 1)[-1]: value for key, value in said.items() if isinstance(key, str)}


def _document(value: Any) -> dict[str, Any] | None:
    """Read one document of any store or framework; None when it is none."""
    score = None
    if not isinstance(value, dict):
        if isinstance(value, str):
            # The repr of an object says too little.
            return None if not value or value[0] == "<" else _made(None, None, value, None)
        if not (isinstance(value, (list, tuple)) and len(value) == 2 and isinstance(value[0], dict)):
            return None
        value, score = value  # LangChain's similarity_search_with_score
    if score is None:
        score = first(value, _SCORES)
    distance = value.get("distance")
    node = value.get("node")
    if not isinstance(node, dict):
        node = value.get("document")
    value = constructed(node if isinstance(node, dict) else value)
    document_id = name_of(first(value, _IDS))
    content = first(value, _CONTENTS)
    metadata = decode(first(value, _METADATA))
    if document_id is None and content is None:
        return None
    if score is None and distance is not None:
        # A distance is not a score: less is better.
        metadata = {**metadata, "distance": distance} if isinstance(metadata, dict) else {"distance": distance}
    if content is None and isinstance(metadata, dict):
        content = first(metadata, ("text", "page_content", "chunk_text"))
    return _made(document_id, score, text_of(content), metadata)


def _made(document_id: str | None, score: Any, content: str | None, metadata: Any) -> dict[str, Any]:
    if isinstance(metadata, str) and not metadata.strip():
        metadata = None
    return {"id": document_id, "score": number_of(score), "content": content, "metadata": metadata}


def _updated(metadata: Any) -> str | None:
    if not isinstance(metadata, dict) or not metadata:
        return None
    for key in _times(tuple(metadata)):
        value = metadata[key]
        time = _known_time(value) if isinstance(value, str) else _iso(value)
        if time is not None:
            return time
    return None


@lru_cache(maxsize=1 << 10)
def _times(keys: tuple[Any, ...]) -> tuple[str, ...]:
    """Tell which keys say when a document was updated, in order of precedence; the same few come with each."""
    known = {key.lower(): key for key in keys if isinstance(key, str)}
    return tuple(known[key] for key in _UPDATED if key in known)


def _iso(value: Any) -> str | None:
    time = time_of(value)
    return None if time is None else time.isoformat()


#: The same few documents are found again and again.
_known_time = lru_cache(maxsize=1 << 12)(_iso)
