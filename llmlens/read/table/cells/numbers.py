"""Cells -> numbers, and seconds where a cell says its own unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.read.table.aliases import aliases

from .plain import label

if TYPE_CHECKING:
    from .plain import Column, Mask

#: A number as most programs write it.
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WITH_UNIT = rf"^({NUMBER})\s*([a-zµμ]+)$"
_CLOCK = r"^(\d+):([0-5]?\d):([0-5]?\d(?:\.\d+)?)$"
_CURRENCY = r"^([-+]?)\s*(?:USD|US\$|\$)\s*|\s*(?:USD|\$)$"
_COMMAS = r"^[-+]?[\d.,]*\d,\d[\d.,]*$"
_THOUSANDS = r"^[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$"
_SURE_THOUSANDS = r"^[-+]?[1-9]\d{0,2}(?:(?:,\d{3}){2,}|(?:,\d{3})+\.\d+)$"
_DECIMAL_COMMA = r"^[-+]?\d{1,3}(?:\.\d{3})+,\d+$|^[-+]?\d+,\d+$"


def has_units(values: Column) -> bool:
    """Whether any cell says its own unit, such as "850 ms"."""
    return values.dtype == "str" and bool(values.str.strip().str.match(_WITH_UNIT).fillna(value=False).any())


def number(
    values: Column, *, factor: float = 1.0, durations: bool = False, money: bool = False, whole: bool = False
) -> tuple[Column, Mask]:
    """Read numbers, times `factor`; `durations` are also taken as "850 ms" or "00:00:01.5", `money` as "4.2c".

    A cell that says its own unit needs no factor.

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
        absolute = pd.Series(np.nan, index=values.index)
        if others.notna().any() and (durations or money):
            absolute = _with_units(others) if durations else _cents(others)
    floats = plain.astype("float64")
    floats = floats / round(1 / factor) if factor < 1 else floats * factor  # 1834 / 1000 is 1.834; 1834 * 0.001 is not
    floats = floats.where(absolute.isna(), absolute)
    fine = np.isfinite(floats) & (floats % 1 == 0 if whole else True)
    return floats.where(fine).astype("Float64"), given & ~fine


def _parsed(texts: Column, *, whole: bool) -> Column:
    read = pd.to_numeric(texts.where(texts.str.fullmatch(NUMBER).fillna(value=False)), errors="coerce").astype(
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
    rest = rest.where(rest.str.fullmatch(NUMBER).fillna(value=False))
    return read.where(~left, pd.to_numeric(rest, errors="coerce").astype("Float64").reindex(texts.index))


def _cents(texts: Column) -> Column:
    """Read "4.2c", "4.2 ct" and "4.2¢" as dollars."""
    found = texts.str.lower().str.extract(rf"^({NUMBER})\s*(?:c|ct|cts|cents?|¢)$")[0]
    return pd.to_numeric(found, errors="coerce").astype("float64") / 100


def _with_units(texts: Column) -> Column:
    units = {**aliases()["units"]["duration"], "µs": 1e-6, "μs": 1e-6, "m": 60.0, "h": 3600.0}
    parts = texts.str.lower().str.extract(_WITH_UNIT)
    seconds = pd.to_numeric(parts[0], errors="coerce").astype("float64") / (1 / parts[1].map(units).astype("float64"))
    clock = texts.str.extract(_CLOCK).apply(pd.to_numeric, errors="coerce").astype("float64")
    return seconds.fillna(clock[0] * 3600 + clock[1] * 60 + clock[2])
