"""Langfuse's traces of before v4, rows of their own -> raw spans without a span id; see read/trace_rows.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.arrays import dumps
from llmlens.read.contents.values import name_of
from llmlens.read.raw import Problem, RawSpan

from .cells import nanoseconds, text
from .fields import TRACE, URL, add_fields, api_row
from .metadata import Origins, take_apart

if TYPE_CHECKING:
    from collections.abc import Callable

_METADATA = "langfuse.trace.metadata."
_ROOT = "langfuse.api.trace.attributes."  # a trace repeats the attributes of its root, which has them itself


def trace_raw(row: Any, *, line: int = 1, url: Callable[[str], str] | None = None) -> RawSpan | Problem:
    """Read a trace of the API (v1), of the blob export or of the UI; `url` gives the address of a trace by its id.

    What holds for the whole trace (its name, user, session, tags) goes to all its spans, the rest to its root; its
    input and output are the root's where that has none.
    """
    trace_id = name_of(row.get("id")) if isinstance(row, dict) else None
    if trace_id is None:
        return Problem(line, "the trace has no id", dumps(row)[:200].decode("utf-8", "replace"))
    row = api_row(row)
    attributes, parts = take_apart(row.get("metadata"), _METADATA, _ROOT)
    add_fields(attributes, row, TRACE, "langfuse.api.trace")
    if url is not None:
        attributes[URL] = url(trace_id)
    start = nanoseconds(row.get("timestamp"))
    name = text(row.get("name")) or ""
    origin = Origins().of(parts, row.get("version"))
    return RawSpan(trace_id, "", None, name, start, None, 0, None, attributes, [], [], origin, line)
