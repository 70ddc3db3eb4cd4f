"""Python's values -> Arrow arrays, whatever is in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

if TYPE_CHECKING:
    import pyarrow as pa

_SILENT = frozenset(("", "None", "null"))


def dumps(value: Any) -> bytes:
    """Write JSON, whatever is in it: integers beyond 64 bits and lone surrogates too."""
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        try:
            written = json.dumps(value, ensure_ascii=False, default=str)
            read = json.loads(written, parse_constant=lambda _: None)  # NaN is no JSON; orjson makes null of it too
            return json.dumps(read, ensure_ascii=False).encode("utf-8", "replace")
        except (RecursionError, ValueError):
            return json.dumps({"unreadable": "nested too deeply"}).encode()


def strings(values: list[str | None]) -> pa.Array:
    """Make a column of texts that are ready."""
    import pyarrow as pa

    return pa.array(values, pa.string())


def documents(values: list[bytes]) -> pa.Array:
    """Make a column of long texts that are UTF-8 already, as what `dumps` writes is."""
    import pyarrow as pa

    ends = np.zeros(len(values) + 1, np.int64)
    np.cumsum(list(map(len, values)), out=ends[1:])
    return pa.LargeStringArray.from_buffers(len(values), pa.py_buffer(ends), pa.py_buffer(b"".join(values)))


def some_documents(values: list[bytes | None]) -> pa.Array:
    """Make such a column of which much is missing."""
    import pyarrow as pa

    return pa.array(values, pa.binary()).view(pa.string())


def texts(values: list[Any]) -> pa.Array:
    """Make a text column of values of any type: numbers as they are written, lists and maps as JSON."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        pass
    try:
        array = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
        return pa.array([_text(v) for v in values], pa.string())
    # Arrow writes 1.0 as 1; some readers tell seconds from milliseconds by the point.
    if pa.types.is_nested(array.type) or pa.types.is_floating(array.type):
        return pa.array([_text(v) for v in values], pa.string())
    return array.cast(pa.string())


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return dumps(value).decode("utf-8")


def said(values: list[Any]) -> pa.Array:
    """Make a text column with NULL for what says nothing: "", "None", "null"."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = texts(values)
    try:
        if _SILENT.isdisjoint(values):
            return array
    except TypeError:  # a list or a map among them
        pass
    silent = pc.is_in(array, value_set=pa.array(sorted(_SILENT)))
    return pc.if_else(silent, pa.scalar(None, pa.string()), array)


def numbers(values: list[Any]) -> pa.Array:
    """Make a DOUBLE column of numbers and of texts that are numbers; what is not finite is NULL."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        array = pa.array(values, pa.float64())
    except (pa.ArrowTypeError, pa.ArrowInvalid, OverflowError):
        array = pa.array([_number(v) for v in values], pa.float64())
    return pc.if_else(pc.is_finite(array), array, pa.scalar(None, pa.float64()))


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
