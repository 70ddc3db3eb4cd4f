"""Values as the API, CSV, JSON and Parquet files write them -> objects, times and texts. Nothing here raises."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llmlens.read.contents.values import decode, dumps, nanoseconds_of, number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NS_LIMIT = 1 << 63
_HUGE = 1e300


def nanoseconds(value: Any) -> int | None:
    """Give nanoseconds since the epoch of a time: ISO texts, or datetimes of Parquet; without a zone they are UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return nanoseconds_of(value)
    if not isinstance(value, datetime):
        return nanoseconds_of(value)
    try:
        past = (value if value.tzinfo is not None else value.replace(tzinfo=UTC)) - _EPOCH
    except OverflowError:
        return None
    found = (past.days * 86_400 + past.seconds) * 1_000_000_000 + past.microseconds * 1000
    return found if -_NS_LIMIT <= found < _NS_LIMIT else None


def times(values: Sequence[Any]) -> list[int | None]:
    """Give the nanoseconds of many times; those that a server has written are read at once."""
    import pyarrow as pa

    try:
        found = pa.array(values, pa.string()).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("ns", "UTC"))
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):  # there are others among them
        return [nanoseconds(value) for value in values]
    found = found.cast(pa.int64())
    return list(found.to_pylist() if found.null_count else found.to_numpy().tolist())


def object_of(value: Any) -> dict[str, Any]:
    """Give a JSON object: as it is, from its text, or from the pairs that Parquet makes of a map; else an empty one."""
    if isinstance(value, str):
        value = decode(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in value):
        return dict(value)
    return {}


def list_of(value: Any) -> list[Any]:
    """Give a list: as it is or from its JSON text; else an empty one."""
    value = decode(value)
    return value if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """Give a finite number, also from its text; truth values are none."""
    kind = type(value)
    if kind is int or kind is float:
        return value if -_HUGE < value < _HUGE else None
    if value is None or kind is bool:
        return None
    return number_of(float(value) if kind is Decimal else value)


def text(value: Any) -> str | None:
    """Give a text that says something; anything else as JSON, nothing as None."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else dumps(value)


def plain(value: Any) -> Any:
    """Give a value of Parquet as JSON has it."""
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        return object_of(value)
    return value
