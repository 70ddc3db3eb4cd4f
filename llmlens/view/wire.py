"""What crosses to the browser: plain JSON without NaN, infinities, lone surrogates or 64-bit integers."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: JavaScript's numbers are exact up to here; larger integers travel as text.
_EXACT = 2**53


def clean(value: Any) -> Any:
    """Make a result plain JSON: NA, NaN and infinities become None, times ISO 8601, broken text is repaired."""
    import orjson

    try:
        # The way there and back in C is faster than one walk in Python.
        return orjson.loads(orjson.dumps(value, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z))
    except (TypeError, ValueError, RecursionError):
        return _walk(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


def _walk(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > 100:
        return "(nested too deeply to show)"
    if isinstance(value, dict):
        return {str(_walk(str(k))): _walk(v, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(v, depth + 1) for v in value]
    return _walk(_plain(value), depth + 1)


def columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Give a frame as one list per column: NA is None, a time is float milliseconds since the epoch.

    >>> import pandas as pd
    >>> columns(pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}))
    {'n': [1, None]}
    """
    return {str(name): _column(frame[name]) for name in frame.columns}


def _column(series: pd.Series[Any]) -> list[Any]:
    import pandas as pd

    if isinstance(series.dtype, pd.DatetimeTZDtype) or series.dtype.kind == "M":
        naive = series.dt.tz_convert("UTC").dt.tz_localize(None) if series.dt.tz is not None else series
        micros = naive.to_numpy().astype("datetime64[us]").astype("int64")
        return [None if gone else int(us) / 1000 for us, gone in zip(micros, series.isna(), strict=True)]
    missing = series.isna().tolist()
    return [None if gone else value for value, gone in zip(series.tolist(), missing, strict=True)]


def codes(values: list[Any]) -> dict[str, list[Any]]:
    """Give a list with many repeats as its distinct `values` and one code (-1 for None) per row.

    >>> codes(["a", None, "a"])
    {'values': ['a'], 'codes': [0, -1, 0]}
    """
    known: dict[Any, int] = {}
    out = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
    return {"values": list(known), "codes": out}


def packed(array: NDArray[Any]) -> dict[str, str]:
    """Give an array as its bytes, little-endian, in base64: what has many numbers is a quarter of its JSON.

    >>> import numpy as np
    >>> packed(np.array([1, 2], dtype="uint8"))
    {'type': 'u1', 'bytes': 'AQI='}
    """
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return {"type": little.dtype.str[1:], "bytes": base64.b64encode(little.tobytes()).decode("ascii")}
