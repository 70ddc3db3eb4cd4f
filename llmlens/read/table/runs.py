"""Rows that are spans of another system (LangSmith runs, Phoenix spans) -> raw spans in its convention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Problem, Raw

from .langsmith import langsmith_raw
from .phoenix import phoenix_raw
from .rows import dump

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence


def raw_shape(headers: Collection[str]) -> str | None:
    """Say whether rows with these headers are "langsmith" runs or "phoenix" spans.

    >>> raw_shape(["id", "trace_id", "run_type", "dotted_order"])
    'langsmith'
    """
    if {"id", "trace_id", "run_type"} <= set(headers) and not {
        "dotted_order",
        "extra",
        "inputs",
        "parent_run_id",
    }.isdisjoint(headers):
        return "langsmith"
    flat = "context.span_id" in headers and any(h.startswith("attributes.") for h in headers)
    if flat or {"context", "span_kind", "attributes"} <= set(headers):
        return "phoenix"
    return None


def to_raw_spans(
    records: Iterable[Mapping[str, Any]], source: str, lines: Sequence[int] | None = None
) -> Iterator[Raw]:
    """Make raw spans (and scores) of records that are LangSmith runs or Phoenix spans; nested values may be JSON texts.

    `lines` are the lines of the records, else they count from 1. A record without its ids is a problem.
    """
    for position, record in enumerate(records):
        line = lines[position] if lines is not None else position + 1
        shape = raw_shape(record)
        if shape == "phoenix" or (shape is None and "span_kind" in record):
            yield from phoenix_raw(record, line)
        elif shape == "langsmith" or "run_type" in record:
            yield from langsmith_raw(record, line)
        else:
            yield Problem(
                line, f"the row of {source} is neither a LangSmith run nor a Phoenix span", dump(dict(record))[:200]
            )
