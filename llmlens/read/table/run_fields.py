"""Fields of another system's spans, typed or as JSON texts, whichever the export wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Problem, RawEvent, Value

from . import cells
from .rows import dump

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def span_times(row: Mapping[str, Any], line: int) -> tuple[int | None, int | None, list[Problem]]:
    """Read start and end in nanoseconds; what is not a time is a problem."""
    times, problems = [], []
    for key in ("start_time", "end_time"):
        times.append(nanoseconds(row.get(key)))
        if times[-1] is None and row.get(key):
            problems.append(Problem(line, f"{key} is not a time", str(row[key])[:200], action="repaired"))
    return times[0], times[1], problems


def nanoseconds(value: Any) -> int | None:
    """Read an ISO time (without a zone: UTC) as nanoseconds since the epoch."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if when is None:
        return None
    return (when.replace(tzinfo=when.tzinfo or UTC) - _EPOCH) // timedelta(microseconds=1) * 1000


def event_of(event: Any) -> RawEvent:
    """Read an event of a span."""
    known = object_of(event)
    time_ns = nanoseconds(known.get("time") or known.get("timestamp"))
    attributes = object_of(known.get("attributes")) or {
        k: plain(v) for k, v in known.items() if k not in ("name", "time", "timestamp")
    }
    return RawEvent(str(known.get("name", "")), time_ns, attributes)


def id_of(value: Any) -> str | None:
    """Read an id, in lower case."""
    return str(value).strip().lower() or None if value is not None else None


def nested(value: Any) -> Any:
    """Decode a text that holds a JSON object or list."""
    parsed = cells.parse(value) if isinstance(value, str) and value[:1] in ("{", "[") else None
    return value if parsed is None else parsed


def object_of(value: Any) -> dict[str, Any]:
    """Read an object, which may be a JSON text; else an empty one."""
    found = nested(value)
    return found if isinstance(found, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Read a list, which may be a JSON text; else an empty one."""
    found = nested(value)
    return found if isinstance(found, list) else []


def plain(value: Any) -> Value:
    """Make an attribute of a value: what is nested becomes JSON."""
    return dump(value) if isinstance(value, (dict, list)) else value
