"""Langfuse's scores and comments, in any of their shapes -> raw scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.arrays import dumps
from llmlens.read.contents.values import name_of
from llmlens.read.raw import Problem, RawScore

from .cells import nanoseconds, number, object_of, text
from .fields import api_row

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUTHORS = ("annotator", "author")  # in the metadata of labels that came over the API, where nobody is logged in
_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")


def score_raw(row: Any, *, line: int | None = None) -> RawScore | Problem:
    """Read a score of the API (v1, v2, v3), of the blob export or of the UI; one of nothing we hold is a problem."""
    if not isinstance(row, dict):
        return Problem(line, "not a score: expected a JSON object", _example(row))
    row = api_row(row)
    name = text(row.get("name"))
    if name is None:
        return Problem(line, "the score has no name", _example(row))
    subject = _subject(row)
    if not any(subject):
        reason = f"the score is of {_other(row)}, not of a trace, an observation or a session"
        return Problem(line, reason, _example(row))
    trace_id, span_id, session_id = subject
    data_type, value, label = _judgement(row)
    if value is None and label is None:
        return Problem(line, f"the score has no value that a {data_type} score can have", _example(row))
    metadata = object_of(row.get("metadata"))
    told = (row.get("authorUserName"), *(metadata.get(key) for key in _AUTHORS), row.get("authorUserId"))
    return RawScore(
        trace_id=trace_id,
        span_id=span_id,
        name=name,
        value=value,
        label=label,
        data_type=data_type,
        source=text(row.get("source")),
        author=next((author for author in map(name_of, told) if author), None),
        comment=text(row.get("comment")),
        score_id=name_of(row.get("id")),
        session_id=session_id,
        config_id=name_of(row.get("configId")),
        created_ns=nanoseconds(row.get("timestamp") or row.get("createdAt")),
    )


def _subject(row: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Give the trace, the observation and the session that is judged."""
    subject = object_of(row.get("subject"))
    if not subject:
        trace_id = name_of(row.get("traceId"))
        span_id = name_of(row.get("observationId"))
        # A score of a trace may tell its session as well; it is not one of the session.
        return trace_id, span_id, name_of(row.get("sessionId")) if trace_id is None else None
    kind, its_id = subject.get("kind"), name_of(subject.get("id"))
    if kind == "observation":
        return name_of(subject.get("traceId")), its_id, None
    return its_id if kind == "trace" else None, None, its_id if kind == "session" else None


def _other(row: Mapping[str, Any]) -> str:
    kind = object_of(row.get("subject")).get("kind")
    if kind:
        return f"an {kind}" if str(kind)[:1] in "aeiou" else f"a {kind}"
    return "a dataset run" if row.get("datasetRunId") else "something it does not tell"


def _judgement(row: Mapping[str, Any]) -> tuple[str, float | None, str | None]:
    """Give the type, the number and the text of a score. True and false are the numbers 1 and 0."""
    value, written = row.get("value"), text(row.get("stringValue"))
    data_type = str(row.get("dataType") or "").lower()
    if data_type not in {"numeric", "boolean", "categorical", "text", "correction"}:
        data_type = "boolean" if isinstance(value, bool) else "categorical" if number(value) is None else "numeric"
    if data_type == "numeric":
        return data_type, number(value), None
    if data_type == "boolean":
        return data_type, _truth(value if written is None else written), None
    # Where the word stands apart, the number is its place in the config, or 0 where there is none.
    return data_type, None, value if isinstance(value, str) and value and "stringValue" not in row else written


def _truth(value: Any) -> float | None:
    said = str(value).lower()
    return 1.0 if said in _TRUE else 0.0 if said in _FALSE else None


def comment_raw(row: Any, *, line: int | None = None) -> RawScore | Problem:
    """Read a comment of the API as a score called "comment": what it says is its `comment`.

    It is a person's word on a trace, an observation or a session, with an author and a time, as scores are. The API
    does not tell the trace of an observation: the loader finds it when all is read.
    """
    row = api_row(row) if isinstance(row, dict) else {}
    content, its_id = text(row.get("content")), name_of(row.get("objectId"))
    kind = str(row.get("objectType") or "").upper()
    if content is None or its_id is None or kind not in {"TRACE", "OBSERVATION", "SESSION"}:
        what = f"a {kind.lower()}" if its_id is not None and kind else "something it does not tell"
        return Problem(line, f"the comment is on {what}, not on a trace, an observation or a session", _example(row))
    return RawScore(
        trace_id=its_id if kind == "TRACE" else None,
        span_id=its_id if kind == "OBSERVATION" else None,
        session_id=its_id if kind == "SESSION" else None,
        name="comment",
        data_type="text",
        source="human",
        author=name_of(row.get("authorUserId")),
        comment=content,
        score_id=name_of(row.get("id")),
        created_ns=nanoseconds(row.get("createdAt")),
    )


def _example(row: Any) -> str:
    return dumps(row)[:200].decode("utf-8", "replace")
