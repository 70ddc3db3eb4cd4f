"""DataFrames with exactly the columns and dtypes of a tidy table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmlens.schema import Table

_DTYPES: Mapping[str, Any] = {
    "text": "str",
    "json": "str",
    "integer": "Int64",
    "number": "Float64",
    "time": "datetime64[us, UTC]",
    "texts": object,
}


def tidy(table: Table, columns: Mapping[str, pd.Series[Any]], index: pd.Index[Any]) -> pd.DataFrame:
    """Make a frame of `table` with the rows of `index`; columns that are not given are NA."""
    missing = pd.Series([None] * len(index), index=index, dtype=object)
    return pd.DataFrame(
        {c.name: columns.get(c.name, missing).astype(_DTYPES[c.dtype]) for c in table.columns}, index=index
    )


def empty(table: Table, length: int = 0) -> pd.DataFrame:
    """Make a frame of `table` with `length` rows of NA."""
    return tidy(table, {}, pd.RangeIndex(length))
