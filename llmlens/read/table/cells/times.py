"""Cells -> times in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .numbers import NUMBER
from .plain import label

if TYPE_CHECKING:
    from .plain import Column, Mask

_ZONE = r"(?:[zZ]|[+-]\d\d:?(?:\d\d)?)$"

#: Formats of time besides ISO 8601 and epochs. Day-first and month-first dates are told apart by the column.
_FORMATS = (
    "%a, %d %b %Y %H:%M:%S%z", "%d/%b/%Y:%H:%M:%S%z", "%b %d, %Y %H:%M:%S.%f", "%b %d, %Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M:%S", ", %I:%M:%S %p")

#: Plausible epochs, from 1973 to 5138, by the size of the number: (below, nanoseconds in a unit).
_EPOCHS = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3), (1e20, 1))


def time(values: Column) -> tuple[Column, Mask, Mask]:
    """Read times as UTC: ISO 8601, epochs in s, ms, µs or ns (by their size), and some formats of logs.

    Gives the times (microseconds), the bad cells, and the cells that had no zone and were read as UTC.
    """
    none = pd.Series(data=False, index=values.index)
    if pd.api.types.is_datetime64_any_dtype(values):
        zoned = getattr(values.dt, "tz", None) is not None
        utc = values.dt.tz_convert("UTC") if zoned else values.dt.tz_localize("UTC")
        return utc.astype("datetime64[us, UTC]"), none, none if zoned else values.notna()
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        read = _epochs(values, values.astype("float64"))
        return read, values.notna() & read.isna(), none
    texts = label(values)
    numbers = pd.to_numeric(texts.where(texts.str.fullmatch(NUMBER).fillna(value=False)), errors="coerce").astype(
        "float64"
    )
    read = _epochs(texts, numbers)
    left = texts.notna() & numbers.isna()
    if not left.any():
        return read, texts.notna() & read.isna(), none
    rest = texts[left].str.replace(r"\s*(?:UTC|GMT)$", "+00:00", regex=True).str.replace(" @ ", " ", regex=False)
    rest = rest.str.replace(r"\s+(?=[+-]\d\d:?\d\d$)", "", regex=True)
    parsed = pd.to_datetime(rest, format="ISO8601", utc=True, errors="coerce").astype("datetime64[us, UTC]")
    for form in (*_FORMATS, *_day_and_month(rest[parsed.isna()])):
        if not parsed.isna().any():
            break
        more = pd.to_datetime(rest[parsed.isna()], format=form, utc=True, errors="coerce").astype("datetime64[us, UTC]")
        parsed = parsed.fillna(more)
    naive = parsed.notna() & ~rest.str.contains(_ZONE, regex=True).fillna(value=False)
    naive |= parsed.notna() & rest.str.fullmatch(r"\d{4}-\d\d-\d\d|\d{4}-\d\d").fillna(value=False)
    read = read.fillna(parsed.reindex(texts.index))
    return read, texts.notna() & read.isna(), naive.reindex(texts.index, fill_value=False).astype(bool)


def _epochs(values: Column, floats: Column) -> Column:
    """Read epochs; whole numbers keep every digit, others are floats to begin with."""
    size = floats.abs().to_numpy(dtype="float64", na_value=np.nan)
    nanos = np.zeros(len(size), dtype="int64")
    good = (size >= 1e8) & (size < 9.2e18)
    scale = np.ones(len(size), dtype="int64")
    for below, unit in reversed(_EPOCHS):
        scale[size < below] = unit
    whole = good & (np.mod(np.where(good, size, 0), 1) == 0)
    nanos[whole] = _integers(values[whole]) * scale[whole]
    part = good & ~whole
    nanos[part] = (
        np.round(floats.to_numpy(dtype="float64", na_value=np.nan)[part] * scale[part] / 1e3).astype("int64") * 1000
    )
    read = pd.Series(pd.to_datetime(nanos // 1000, unit="us", utc=True), index=values.index).astype(
        "datetime64[us, UTC]"
    )
    return read.where(pd.Series(good, index=values.index))


def _integers(values: Column) -> Any:
    if pd.api.types.is_numeric_dtype(values):
        return values.astype("int64").to_numpy()
    digits = values.str.fullmatch(r"[-+]?\d+")
    return (
        values.where(digits, values.where(~digits, "0").astype("float64").astype("int64").astype("str"))
        .astype("int64")
        .to_numpy()
    )


def _day_and_month(texts: Column) -> list[str]:
    """Give the formats of 21/11/2026 or 11/21/2026, whichever some cell of the column proves."""
    parts = texts.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-]\d{4}").apply(pd.to_numeric, errors="coerce")
    day_first, month_first = bool((parts[0] > 12).any()), bool((parts[1] > 12).any())
    if day_first == month_first:
        return []
    first = "%d{0}%m{0}%Y" if day_first else "%m{0}%d{0}%Y"
    return [first.format(mark) + clock for mark in "/.-" for clock in _CLOCKS]
