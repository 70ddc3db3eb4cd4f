"""Cells of a stranger's table -> tidy values. Every reader gives the values and a mask of the cells it could not take.

A column of dtype `object` holds JSON, one text a cell; every other column holds what its dtype says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import orjson
import pandas as pd

from llmlens.schema import KINDS

from .aliases import aliases

if TYPE_CHECKING:
    Column: TypeAlias = "pd.Series[Any]"
    Mask: TypeAlias = "pd.Series[bool]"

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WITH_UNIT = rf"^({_NUMBER})\s*([a-zµμ]+)$"
_CLOCK = r"^(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)$"
_CURRENCY = r"^([-+]?)\s*(?:USD|US\$|\$)\s*|\s*(?:USD|\$)$"
_COMMAS = r"^[-+]?[\d.,]*\d,\d[\d.,]*$"
_THOUSANDS = r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$"
_SURE_THOUSANDS = r"^[-+]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)$"
_DECIMAL_COMMA = r"^[-+]?\d{1,3}(?:\.\d{3})+,\d+$|^[-+]?\d+,\d+$"
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


def is_json(values: Column) -> bool:
    """Whether the column holds JSON texts."""
    return values.dtype == object


def blank(values: Column | pd.DataFrame) -> Column:
    """Make an empty text column as long as `values`."""
    return pd.Series(pd.NA, index=values.index, dtype="str")


def text(values: Column) -> Column:
    """Read texts as they are; an empty cell is NA. Numbers and ids keep every digit; JSON strings lose their quotes."""
    if is_json(values):
        plain = [orjson.loads(cell) if isinstance(cell, str) and cell.startswith('"') else cell for cell in values]
        read = pd.Series([None if cell in (None, "null") else cell for cell in plain], index=values.index, dtype="str")
    elif pd.api.types.is_bool_dtype(values):
        read = values.astype("boolean").map({True: "true", False: "false"}, na_action="ignore").astype("str")
    elif pd.api.types.is_float_dtype(values):
        whole = values.notna() & np.isfinite(values.astype("float64")) & (values.abs() < 2**53)
        whole &= values.where(whole, 0).astype("float64") % 1 == 0
        read = (
            values.astype("str")
            .mask(whole, values.where(whole, 0).astype("float64").astype("int64").astype("str"))
            .astype("str")
        )
    else:
        read = values.astype("str")
    return read.mask((read == "").fillna(value=False), pd.NA)


def label(values: Column) -> Column:
    """Read ids and names: texts without space around them, NA where a cell says "null", "None", "n/a", ..."""
    read = text(values).str.strip()
    return read.mask(read.str.lower().isin(aliases()["nothing"]), pd.NA)


def _squeezed(values: Column) -> Column:
    return label(values).str.lower().str.replace(r"[\W_]+", "", regex=True)


def has_units(values: Column) -> bool:
    """Whether any cell says its own unit, such as "850 ms"."""
    return values.dtype == "str" and bool(values.str.strip().str.match(_WITH_UNIT).fillna(value=False).any())


def number(values: Column, *, factor: float = 1.0, durations: bool = False, whole: bool = False) -> tuple[Column, Mask]:
    """Read numbers, times `factor`; `durations` are also taken as "850 ms" or "00:00:01.5" and then need no factor.

    "$0.04", "1,834,567" and "0,043" are understood. "1,834" is bad unless `whole` or another cell of the column tells
    whether its comma marks thousands or a fraction. `whole` numbers with a fraction are bad, and so is infinity.
    """
    if pd.api.types.is_timedelta64_dtype(values):
        return values.dt.total_seconds().astype("Float64"), values.isna() & False
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        plain = values.astype("Float64")
        given = values.notna()
        absolute = pd.Series(np.nan, index=values.index)
    else:
        texts = label(values)
        given = texts.notna()
        plain = _parsed(texts, whole=whole)
        others = texts.where(plain.isna())
        absolute = _with_units(others) if durations and others.notna().any() else pd.Series(np.nan, index=values.index)
    floats = plain.astype("float64")
    floats = floats / round(1 / factor) if factor < 1 else floats * factor  # 1834 / 1000 is 1.834; 1834 * 0.001 is not
    floats = floats.where(absolute.isna(), absolute)
    fine = np.isfinite(floats) & (floats % 1 == 0 if whole else True)
    return floats.where(fine).astype("Float64"), given & ~fine


def _parsed(texts: Column, *, whole: bool) -> Column:
    read = pd.to_numeric(texts.where(texts.str.fullmatch(_NUMBER).fillna(value=False)), errors="coerce").astype(
        "Float64"
    )
    left = texts.notna() & read.isna()
    if not left.any():
        return read
    rest = texts[left].str.replace(_CURRENCY, r"\1", regex=True)
    rest = rest.str.replace(r"(?<=\d)[_ \u00a0\u202f](?=\d{3})", "", regex=True)
    commas = rest.str.match(_COMMAS).fillna(value=False)
    thousands = rest.str.match(_THOUSANDS).fillna(value=False)
    decimal = rest.str.match(_DECIMAL_COMMA).fillna(value=False)
    if (commas & decimal & ~thousands).any():
        rest = rest.mask(decimal, rest.str.replace(".", "", regex=False).str.replace(",", ".", regex=False))
    elif whole or rest.str.match(_SURE_THOUSANDS).fillna(value=False).any():
        rest = rest.mask(thousands, rest.str.replace(",", "", regex=False))
    rest = rest.where(rest.str.fullmatch(_NUMBER).fillna(value=False))
    return read.where(~left, pd.to_numeric(rest, errors="coerce").astype("Float64").reindex(texts.index))


def _with_units(texts: Column) -> Column:
    units = {**aliases()["units"]["duration"], "µs": 1e-6, "μs": 1e-6, "m": 60.0, "h": 3600.0}
    parts = texts.str.lower().str.extract(_WITH_UNIT)
    seconds = pd.to_numeric(parts[0], errors="coerce").astype("float64") / (1 / parts[1].map(units).astype("float64"))
    clock = texts.str.extract(_CLOCK).apply(pd.to_numeric, errors="coerce").astype("float64")
    return seconds.fillna(clock[0] * 3600 + clock[1] * 60 + clock[2])


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
    numbers = pd.to_numeric(texts.where(texts.str.fullmatch(_NUMBER).fillna(value=False)), errors="coerce").astype(
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


def kind(values: Column) -> tuple[Column, Mask]:
    """Read kinds of spans; what no one knows is bad."""
    known = {**aliases()["kinds"], **{name: name for name in KINDS}}
    keys = _squeezed(values).str.replace(r"^(?:spankind|openinferencespankind)", "", regex=True)
    read = keys.map(known, na_action="ignore").astype("str")
    return read, keys.notna() & read.isna()


def status(values: Column) -> tuple[Column, Mask]:
    """Read ok, error or unset from words, truth values, HTTP codes and OpenTelemetry's 0, 1, 2."""
    known = {word: name for name, spelled in aliases()["statuses"].items() for word in spelled}
    keys = _squeezed(values).str.replace(r"^(?:statuscode|tracestate)", "", regex=True)
    read = keys.map(known, na_action="ignore").astype("str")
    codes = pd.to_numeric(keys.where(keys.str.fullmatch(r"\d{1,3}").fillna(value=False)), errors="coerce").astype(
        "Float64"
    )
    read = read.mask((codes.between(100, 399)).fillna(value=False), "ok").mask(
        (codes >= 400).fillna(value=False), "error"
    )
    if codes.notna().any() and codes.dropna().isin([0, 1, 2]).all() and (codes == 2).any():
        read = read.fillna(codes.map({0: "unset", 1: "ok", 2: "error"}).astype("str"))
    return read, keys.notna() & read.isna()


def truth(values: Column) -> Column:
    """Read true and false as 1 and 0 from bools and words such as "yes", "down" or a thumb; NA where it is neither."""
    if pd.api.types.is_bool_dtype(values):
        return values.astype("Float64")
    words = {
        "true": 1.0, "yes": 1.0, "up": 1.0, "thumbsup": 1.0, "thumbup": 1.0, "pass": 1.0, "passed": 1.0,
        "positive": 1.0, "good": 1.0, "like": 1.0,
        "false": 0.0, "no": 0.0, "down": 0.0, "thumbsdown": 0.0, "thumbdown": 0.0, "fail": 0.0, "failed": 0.0,
        "negative": 0.0, "bad": 0.0, "dislike": 0.0,
    }  # fmt: skip
    read = _squeezed(values).map(words, na_action="ignore").astype("Float64")
    cells = label(values)
    for thumb, value in (("👍", 1.0), ("👎", 0.0)):
        read = read.mask(cells.str.contains(thumb, regex=False).fillna(value=False), value)
    return read


def texts(values: Column) -> Column:
    """Read lists of texts: JSON lists, Python lists, or texts with commas between."""
    return pd.Series([_split(cell) for cell in text(values)], index=values.index, dtype=object)


def _split(cell: Any) -> list[str] | None:
    if not isinstance(cell, str):
        return None
    found = parse(cell) if cell[:1] in "[{" else None
    if isinstance(found, dict):
        return [f"{key}:{value}" for key, value in found.items()]
    items = found if isinstance(found, list) else cell.split(",")
    named = [
        item if isinstance(item, str) else str(item.get("name", item)) if isinstance(item, dict) else str(item)
        for item in items
    ]
    return [item.strip() for item in named if item.strip()] or None


def first(values: Column) -> Column:
    """Read the first item of cells that are JSON lists, and other cells as labels."""
    read = label(values)
    lists = read.str.startswith("[").fillna(value=False)
    if not lists.any():
        return read
    items = [_split(cell) if is_list else [cell] for cell, is_list in zip(read, lists, strict=True)]
    return label(pd.Series([item[0] if item else None for item in items], index=values.index, dtype="str"))


def parse(cell: str) -> Any:
    """Parse a cell as JSON, else as the text of a Python dict or list; None when it is neither."""
    import ast

    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        pass
    if not re.match(r"[\[{]\s*(?:['\"\[{\d\]}]|None|True|False)", cell) or len(cell) > 1_000_000:
        return None
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
