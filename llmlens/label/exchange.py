"""Labels as frames and files: the `scores` table, CSV and JSON lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

import orjson

from llmlens.errors import LabelError
from llmlens.schema import SCORES
from llmlens.spreadsheet import defused, fused

from .checks import a_comment, a_text, an_item
from .event import FIELDS, Event, Kind, of_row, to_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

#: What people wrote, or what tells who they are.
_OF_PEOPLE = ("trace_id", "span_id", "session_id", "name", "value", "comment", "author")
#: What must be there, by kind of event, beside `event_id`, `kind`, `author` and `at`.
_NEEDED = {"score": ("name", "value", "data_type", "score_id", "score_at"), "undo": ("undo_of",)}
_TYPES: dict[str, type] = {"numeric": float, "boolean": bool, "categorical": str, "text": str, "correction": str}


def scores_frame(events: Sequence[Event]) -> pd.DataFrame:
    """Make a DataFrame of the `scores` table: texts and categories are labels, numbers and yes or no are values."""
    import pandas as pd

    from llmlens.read.scores import typed

    rows = []
    for event in events:
        said = isinstance(event.value, str)
        same = {name: getattr(event, name) for name in SCORES.names if hasattr(event, name)}
        rows.append(
            same
            | {
                "value": None if said else float(event.value or 0),
                "label": event.value if said else None,
                "source": "human",
                "created": event.at,
            }
        )
    return typed(pd.DataFrame(rows, columns=SCORES.names))


def redacted(events: Sequence[Event]) -> list[Event]:
    """Take secrets and people out of events; what was told apart before still is."""
    from llmlens.redaction import Redactor

    redactor = Redactor()
    made = list(events)
    for name in _OF_PEOPLE:
        said = [getattr(event, name) for event in made]
        texts = redactor.texts([each if isinstance(each, str) else None for each in said], name)
        made = [
            replace(event, **{name: text}) if text is not None and text != was else event
            for event, was, text in zip(made, said, texts, strict=True)
        ]
    return made


def write_jsonl(events: Iterable[Event], path: Path) -> Path:
    """Write events as JSON lines."""
    return _write(path, b"".join(orjson.dumps(to_row(event)) + b"\n" for event in events))


def write_csv(events: Iterable[Event], path: Path) -> Path:
    """Write events as CSV; what a spreadsheet would run gets an apostrophe, which `read_csv` takes away again."""
    import csv

    import pandas as pd

    cells = ({k: defused(v) if isinstance(v, str) else v for k, v in to_row(event).items()} for event in events)
    rows = pd.DataFrame(list(cells), columns=list(FIELDS), dtype=object)
    # All quoted: a carriage return alone would not be, and would end the row for whoever reads it.
    return _write(path, rows.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_ALL).encode())


def read_jsonl(path: Path) -> list[Event]:
    """Read what `write_jsonl` wrote; raises `LabelError` with the line of the first that is not an event."""
    return [_event(row, where) for where, row in _jsonl_rows(path)]


def read_csv(path: Path) -> list[Event]:
    """Read what `write_csv` wrote; raises `LabelError` with the row of the first that is not an event."""
    import io

    import pandas as pd

    try:
        frame = pd.read_csv(io.BytesIO(_read(path)), dtype=object, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as error:
        raise LabelError(f"{path} is no CSV of a store of labels: {error}.") from None
    rows = frame.to_dict("records")
    return [
        _event({k: fused(v) or None for k, v in row.items()}, f"{path.name}, row {n}") for n, row in enumerate(rows, 1)
    ]


def _jsonl_rows(path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(_read(path).split(b"\n"), 1):
        if line.strip():
            try:
                yield f"{path.name}:{number}", orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise LabelError(f"{path.name}:{number} is not JSON: {error}.") from None


def _event(row: Any, where: str) -> Event:
    """Read an event of a file, which anybody may have edited."""
    if not isinstance(row, dict):
        raise LabelError(f"{where} is not an event of a store of labels: {str(row)[:80]!r}.")
    try:
        return _checked({name: row.get(name) for name in FIELDS})
    except (TypeError, ValueError) as error:
        raise LabelError(f"{where} is not an event of a store of labels: {error}") from None


def _checked(cells: dict[str, Any]) -> Event:
    needed = ("event_id", "author", "at", *_NEEDED.get(cells["kind"], ()))
    if missing := [name for name in needed if not cells[name]]:
        raise LabelError(f"it lacks {', '.join(missing)}.")
    if cells["kind"] not in get_args(Kind):
        raise LabelError(f"the kind {cells['kind']!r} is none of {', '.join(get_args(Kind))}.")
    for name in needed:
        a_text(name, cells[name], 1_000_000)
    an_item(cells["trace_id"], cells["span_id"], cells["session_id"])
    event = of_row(cells | {"seq": 0, "comment": a_comment(cells["comment"])})
    if event.kind == "score" and type(event.value) is not _TYPES.get(str(event.data_type)):
        raise LabelError(f"{event.value!r} is no {event.data_type} value.")
    return event


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise LabelError(f"{path} cannot be written: {error.strerror}. The labels are safe in the store.") from None
    return path
