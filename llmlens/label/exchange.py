"""Labels as frames and files: the `scores` table, CSV and JSON lines."""

from __future__ import annotations

import csv
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from llmlens import schema
from llmlens.errors import LabelError

from .event import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pandas as pd

_FIELDS = tuple(field.name for field in fields(Event))
_TIMES = ("at", "score_at")
_NEEDED = ("event_id", "kind", "author", "at")


def scores_frame(events: Sequence[Event]) -> pd.DataFrame:
    """Make a DataFrame of the `scores` table: texts and categories are labels, numbers and yes or no are values."""
    import pandas as pd

    from llmlens.read.scores import typed

    rows = []
    for event in events:
        text = isinstance(event.value, str)
        rows.append(
            {
                "score_id": event.score_id,
                "trace_id": event.trace_id,
                "span_id": event.span_id,
                "session_id": event.session_id,
                "name": event.name,
                "value": None if text else float(event.value or 0),
                "label": event.value if text else str(event.value) if isinstance(event.value, bool) else None,
                "data_type": event.data_type,
                "source": "human",
                "author": event.author,
                "comment": event.comment,
                "config_id": event.config_id,
                "created": event.at,
            }
        )
    return typed(pd.DataFrame(rows, columns=schema.SCORES.names))


def write_jsonl(events: Iterable[Event], path: Path) -> Path:
    """Write events as JSON lines."""
    with path.open("wb") as file:
        for event in events:
            file.write(orjson.dumps(_plain(event)) + b"\n")
    return path


def write_csv(events: Iterable[Event], path: Path) -> Path:
    """Write events as CSV; values are JSON, so that 1, true and "1" stay apart."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS)
        writer.writeheader()
        for event in events:
            row = _plain(event)
            row["value"] = None if event.value is None else orjson.dumps(event.value).decode()
            writer.writerow(row)
    return path


def read_events(path: Path) -> list[Event]:
    """Read what was written; raises `LabelError` with the line of the first row that is not an event."""
    try:
        rows = list(_jsonl_rows(path) if path.read_bytes()[:1] == b"{" else _csv_rows(path))
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}.") from None
    return [_read(row, f"{path.name}:{line}") for line, row in rows]


def _jsonl_rows(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise LabelError(f"{path.name}:{number}: not JSON: {error}.") from None


def _csv_rows(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            found: dict[str, Any] = {key: value or None for key, value in row.items() if key is not None}
            try:
                found["value"] = orjson.loads(found["value"]) if found.get("value") else None
            except orjson.JSONDecodeError:
                raise LabelError(f"{path.name}:{reader.line_num}: the value {found['value']!r} is not JSON.") from None
            yield reader.line_num, found


def _plain(event: Event) -> dict[str, Any]:
    row = asdict(event)
    for name in _TIMES:
        row[name] = None if row[name] is None else row[name].isoformat()
    return row


def _read(row: Any, where: str) -> Event:
    if not isinstance(row, dict) or (missing := [name for name in _NEEDED if not row.get(name)]):
        lacking = f"it lacks {', '.join(missing)}" if isinstance(row, dict) else f"got {str(row)[:60]!r}"
        raise LabelError(f"{where}: not an event of a store of labels: {lacking}.")
    known: dict[str, Any] = {name: row.get(name) for name in _FIELDS}
    known["seq"] = 0
    try:
        for name in _TIMES:
            known[name] = datetime.fromisoformat(known[name]).astimezone(UTC) if known[name] else None
        return Event(**known)
    except (TypeError, ValueError) as error:
        raise LabelError(f"{where}: not an event of a store of labels: {error}.") from None
