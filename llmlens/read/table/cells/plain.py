"""Cells as they are: texts, ids and names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import orjson
import pandas as pd

from llmlens.read.table.aliases import aliases

if TYPE_CHECKING:
    Column: TypeAlias = "pd.Series[Any]"
    Mask: TypeAlias = "pd.Series[bool]"


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
