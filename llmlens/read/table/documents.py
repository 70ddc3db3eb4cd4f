"""What the calls of a table were given to read: a column of retrieved documents -> a retriever span a row."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd

from . import cells
from .rows import dump

if TYPE_CHECKING:
    Column = pd.Series[Any]

#: What the span of a retrieval has from that of its row.
_SHARED = ("trace_id", "session_id", "user_id", "service", "environment", "release", "feature", "start", "tags",
           "metadata", "source", "convention")  # fmt: skip
#: What a document says is not what is known about it; nor is any text that long.
_TEXTS, _LONGEST = frozenset({"text", "content", "page_content", "document", "body", "chunk"}), 200


def with_documents(spans: pd.DataFrame, contents: pd.DataFrame, values: Column) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the documents in `values`, a cell a row: to spans that retrieve, else in a span of their own below the row's.

    Cells that hold no list are left alone: they are in the attributes of their row.
    """
    given = pd.Series([_documents(cell) for cell in cells.text(values)], index=spans.index, dtype="str")
    own = spans["kind"].isin(["retriever", "reranker"]) & given.notna()
    contents.loc[own, "attributes"] = [
        dump({**orjson.loads(row), "gen_ai.retrieval.documents": documents})
        for row, documents in zip(contents.loc[own, "attributes"], given[own], strict=True)
    ]
    new = given.notna() & ~own
    made = spans[new].copy()
    made.loc[:, [name for name in made.columns if name not in _SHARED]] = pd.NA
    made["span_id"] = [
        hashlib.blake2b(f"{trace} {span}".encode(), digest_size=8).hexdigest()
        for trace, span in zip(made["trace_id"], spans.loc[new, "span_id"], strict=True)
    ]
    made["parent_id"], made["kind"], made["name"] = spans.loc[new, "span_id"], "retriever", "retrieval"
    made["end"] = made["start"]  # how long it took is not known, but that it ended is
    made[["status", "usage_source", "cost_source"]] = ["unset", "missing", "missing"]
    said = contents[new].copy()
    said["span_id"], said["output"] = made["span_id"], pd.NA
    said["attributes"] = [dump({"gen_ai.retrieval.documents": documents}) for documents in given[new]]
    return (
        pd.concat([spans, made.astype(spans.dtypes)], ignore_index=True),
        pd.concat([contents, said.astype(contents.dtypes)], ignore_index=True),
    )


def _documents(cell: Any) -> str | None:
    """Write the documents of a cell with what is known of each as its metadata; None where it is no list."""
    found = cells.parse(cell) if isinstance(cell, str) else None
    return dump([_told(each) for each in found]) if isinstance(found, list) else None


def _told(document: Any) -> Any:
    if not isinstance(document, dict):
        return document
    known = {name: value for name, value in document.items() if name not in _TEXTS and not _long(value)}
    held = document.get("metadata")
    return {**document, "metadata": {**known, **held} if isinstance(held, dict) else known}


def _long(value: Any) -> bool:
    return isinstance(value, dict | list) or (isinstance(value, str) and len(value) > _LONGEST)
