"""Langfuse's traces of before v4, which are rows of their own -> raw spans without a span id; see read/trace_rows.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.contents.values import name_of
from llmlens.read.pivot import dumps
from llmlens.read.raw import Problem, RawSpan

from .cells import nanoseconds, text
from .fields import TRACE, api_row
from .metadata import Origins, take_apart

if TYPE_CHECKING:
    from collections.abc import Mapping

_METADATA = "langfuse.trace.metadata."
#: Read apart, or repeated by the observations and scores.
_OWN = frozenset({"id", "timestamp", "metadata", "observations", "scores", "corrections", "latency", "totalCost"})


def trace_raw(row: Any, *, line: int = 1) -> RawSpan | Problem:
    """Read a trace of the API (v1), of the blob export or of the UI.

    What holds for the whole trace (its name, user, session, tags) goes to all its spans, the rest to its root; its
    input and output are the root's where that has none.
    """
    trace_id = name_of(row.get("id")) if isinstance(row, dict) else None
    if trace_id is None:
        return Problem(line, "the trace has no id", dumps(row)[:200].decode("utf-8", "replace"))
    row = _api_trace(row)
    attributes, parts = take_apart(row.get("metadata"), _METADATA)
    for field, value in row.items():
        if (value or value == 0) and field not in _OWN:
            attributes[TRACE[field]] = value
    start = nanoseconds(row.get("timestamp"))
    name = text(row.get("name")) or ""
    origin = Origins().of(parts, row.get("version"))
    return RawSpan(trace_id, "", None, name, start, None, 0, None, attributes, [], [], origin, line)


def _api_trace(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return api_row(row)
