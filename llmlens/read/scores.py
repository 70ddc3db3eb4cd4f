"""Judgements -> rows of the `scores` table: ids made where there are none, so that the same score is one score."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from llmlens.errors import SelectionError
from llmlens.schema import SCORES

from . import contents
from .pivot import events_of, links_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

    from llmlens.store import Store

    from .raw import RawLog, RawScore, RawSpan

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "llmlens:score")
_ATTRIBUTES = ("annotations.", "evaluations.")
_EVENT = "gen_ai.evaluation"
_SOURCES = {
    "llm": "judge", "eval": "judge", "llm_judge": "judge", "judge": "judge",
    "human": "human", "annotation": "human", "annotator": "human",
    "code": "code", "api": "code",
    "user": "user", "end_user": "user",
}  # fmt: skip


def score_id(trace_id: object, span_id: object, name: object, author: object) -> str:
    """Make the id of a score that has none: the same judgement always gets the same one."""
    return str(
        uuid.uuid5(_NAMESPACE, "\x1f".join("" if x is None else str(x) for x in (trace_id, span_id, name, author)))
    )


def _judged(trace_id: str | None, session_id: str | None) -> str | None:
    """Tell a session from a trace that has the same id."""
    return f"session {session_id}" if session_id and not trace_id else trace_id


def score_source(text: str | None) -> str | None:
    """Normalise who judged to human, judge, code or user; what is not known stays as it is."""
    return _SOURCES.get(text.lower(), text.lower()) if text else None


def score_marks(attributes: Iterable[str], events: Iterable[str]) -> set[str]:
    """List those of these names of attributes and events that may carry judgements."""
    marks = {name for name in attributes if any(mark in name for mark in _ATTRIBUTES)}
    return marks | {name for name in events if _EVENT in name}


def span_scores(span: RawSpan, marks: set[str]) -> list[RawScore]:
    """Give the judgements on a span that has one of the `marks`; see contents/scores.py."""
    if marks.isdisjoint(span.attributes) and not any(event.name in marks for event in span.events):
        return []
    kind = str(span.attributes.get("openinference.span.kind", "")).lower()
    return contents.scores(
        _content(span.trace_id, span.span_id, kind, span.attributes, events_of(span), links_of(span))
    )


def log_scores(log: RawLog) -> list[RawScore]:
    """Give the judgements in a log record."""
    event = {"name": log.name, "time": log.time_ns, "attributes": {**log.attributes, "body": log.body}}
    return contents.scores(_content(log.trace_id, log.span_id, "", {}, [event], []))


def _content(  # noqa: PLR0917
    trace_id: str, span_id: str, kind: str, attributes: dict[str, Any], events: list[Any], links: list[Any]
) -> contents.SpanContent:
    return contents.SpanContent(trace_id, span_id, None, kind, "", "", None, None, attributes, events, links)


def score_rows(scores: Sequence[RawScore]) -> pd.DataFrame:
    """Make the rows of scores found beside or inside spans; the same score met twice is one row."""
    import pandas as pd

    rows = {}
    for score in scores:
        judged = _judged(score.trace_id, score.session_id)
        key = score.score_id or score_id(judged, score.span_id, score.name, score.author or score.source)
        created = None if score.created_ns is None else pd.Timestamp(score.created_ns, tz="UTC").floor("us")
        rows[key] = {
            "score_id": key,
            "trace_id": score.trace_id or None,
            "span_id": score.span_id,
            "session_id": score.session_id,
            "name": score.name,
            "value": score.value,
            "label": score.label,
            "data_type": score.data_type or _data_type(score),
            "source": score_source(score.source),
            "author": score.author,
            "comment": score.comment,
            "config_id": score.config_id,
            "created": created,
        }
    frame = pd.DataFrame(list(rows.values()), columns=SCORES.names)
    return typed(frame)


def _data_type(score: RawScore) -> str:
    return "numeric" if score.value is not None else "categorical" if score.label is not None else "text"


def find_traces(store: Store) -> None:
    """Give the scores that tell only their span the trace of the one span that has this id."""
    store.execute("""
        UPDATE scores SET trace_id = found.trace_id FROM (
            SELECT span_id, any_value(trace_id) AS trace_id FROM spans
            WHERE span_id IN (SELECT span_id FROM scores WHERE trace_id IS NULL)
            GROUP BY span_id HAVING count(*) = 1) found
        WHERE scores.trace_id IS NULL AND scores.span_id = found.span_id
    """)


def complete_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Check and complete scores given by a user; raises `UnknownNameError` or `SelectionError`.

    Needed are `trace_id` or `session_id`, `name`, and `value` or `label`.
    """
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise SelectionError(f"Scores are a DataFrame, or a store of labels; got {type(frame).__name__}.")
    for column in frame.columns:
        SCORES[str(column)]
    given = set(frame.columns)
    if "name" not in given or not {"trace_id", "session_id"} & given or not {"value", "label"} & given:
        need = "trace_id (or session_id), name, and value or label"
        raise SelectionError(f"Scores need the columns {need}; got {', '.join(map(str, frame.columns)) or 'none'}.")
    frame = frame.reindex(columns=SCORES.names).astype(object)
    frame = frame.where(frame.notna(), None)
    _refuse(frame, frame["name"].isna(), "has no name")
    _refuse(frame, frame["trace_id"].isna() & frame["session_id"].isna(), "has neither a trace_id nor a session_id")
    value = pd.to_numeric(frame["value"], errors="coerce")
    _refuse(frame, value.isna() & frame["value"].notna(), "has a value that is no number", "value")
    created = pd.to_datetime(frame["created"], errors="coerce", utc=True, format="mixed")
    _refuse(frame, created.isna() & frame["created"].notna(), "has a created that is no time", "created")
    kind = pd.Series("categorical", index=frame.index).mask(value.notna(), "numeric")
    kind = kind.mask(frame["value"].map(lambda v: isinstance(v, bool)).astype(bool), "boolean")
    made = [
        score_id(_judged(trace, session), span, name, author)
        for trace, session, span, name, author in zip(
            *(frame[c] for c in ("trace_id", "session_id", "span_id", "name", "author")), strict=True
        )
    ]
    made_ids = pd.Series(made, frame.index, dtype=object)
    frame = frame.assign(
        value=value,
        created=created,
        data_type=frame["data_type"].where(frame["data_type"].notna(), kind),
        score_id=frame["score_id"].where(frame["score_id"].notna(), made_ids),
    )
    return typed(frame.drop_duplicates("score_id", keep="last"))


def _refuse(frame: pd.DataFrame, wrong: pd.Series[bool], what: str, column: str | None = None) -> None:
    """Raise `SelectionError` that names the first row that is wrong."""
    if wrong.any():
        row = wrong.index[wrong][0]
        got = "" if column is None else f": {frame[column][wrong].iloc[0]!r}"
        more = f" So have {int(wrong.sum()) - 1:,} more." if wrong.sum() > 1 else ""
        raise SelectionError(f"The score in row {row} {what}{got}.{more}")


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every column the dtype of the schema."""
    import pandas as pd

    for column in SCORES.columns:
        if column.dtype == "text":
            frame[column.name] = frame[column.name].astype("str").where(frame[column.name].notna(), None)
        elif column.dtype == "number":
            frame[column.name] = pd.to_numeric(frame[column.name]).astype("Float64")
        elif column.dtype == "time":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True).dt.as_unit("us")
    return frame
