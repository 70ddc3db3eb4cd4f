"""Judgements -> rows of the `scores` table: ids made where there are none, so that the same score is one score."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from llmlens import schema
from llmlens.errors import SelectionError

from . import contents
from .pivot import events_of, links_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd

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
        key = score.score_id or score_id(score.trace_id, score.span_id, score.name, score.author or score.source)
        created = None if score.created_ns is None else pd.Timestamp(score.created_ns, tz="UTC").floor("us")
        rows[key] = {
            "score_id": key,
            "trace_id": score.trace_id,
            "span_id": score.span_id,
            "session_id": score.session_id,
            "name": score.name,
            "value": score.value,
            "label": score.label,
            "data_type": "numeric" if score.value is not None else "categorical" if score.label is not None else "text",
            "source": score_source(score.source),
            "author": score.author,
            "comment": score.comment,
            "config_id": score.config_id,
            "created": created,
        }
    frame = pd.DataFrame(list(rows.values()), columns=schema.SCORES.names)
    return typed(frame)


def complete_scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Check and complete scores given by a user; raises `UnknownNameError` or `SelectionError`.

    Needed are `trace_id`, `name`, and `value` or `label`.
    """
    import pandas as pd

    frame = frame.copy()
    for column in frame.columns:
        schema.SCORES[str(column)]
    missing = [c for c in ("trace_id", "name") if c not in frame.columns]
    if missing or not {"value", "label"} & set(frame.columns):
        need = "trace_id, name, and value or label"
        raise SelectionError(f"Scores need the columns {need}; got {', '.join(map(str, frame.columns)) or 'none'}.")
    for column in schema.SCORES.names:
        if column not in frame.columns:
            frame[column] = None
    frame = frame[schema.SCORES.names]
    bools = frame["value"].map(lambda v: isinstance(v, bool)).astype(bool)
    frame["value"] = pd.to_numeric(frame["value"].astype(object).where(frame["value"].notna(), None), errors="coerce")
    kind = pd.Series("categorical", index=frame.index).mask(frame["value"].notna(), "numeric")
    frame["data_type"] = (
        frame["data_type"].astype(object).where(frame["data_type"].notna(), kind.mask(bools, "boolean"))
    )
    made = [
        score_id(t, None if pd.isna(s) else s, n, None if pd.isna(a) else a)
        for t, s, n, a in zip(frame["trace_id"], frame["span_id"], frame["name"], frame["author"], strict=True)
    ]
    frame["score_id"] = frame["score_id"].astype(object).where(frame["score_id"].notna(), pd.Series(made, frame.index))
    return typed(frame.drop_duplicates("score_id", keep="last"))


def typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every column the dtype of the schema."""
    import pandas as pd

    for column in schema.SCORES.columns:
        if column.dtype == "text":
            frame[column.name] = frame[column.name].astype("str").where(frame[column.name].notna(), None)
        elif column.dtype == "number":
            frame[column.name] = pd.to_numeric(frame[column.name]).astype("Float64")
        elif column.dtype == "time":
            frame[column.name] = pd.to_datetime(frame[column.name], utc=True)
    return frame
