"""Groups of rows that are in memory already: their keys and their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .shape import bucket

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def with_period(table: ir.Table, every: str | None) -> ir.Table:
    """Add the column `period`, the bucket of `start`, where there is one to be."""
    return table if every is None else table.mutate(period=bucket(table.start, every))


def keys_of(names: Sequence[str], every: str | None) -> list[str]:
    """Give the columns that make groups."""
    return [*names, *(["period"] if every is not None else [])]


def numbered(frame: pd.DataFrame, keys: Sequence[str]) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Give the number of each row's group, and the keys, a row a group; without keys all rows are one group."""
    import numpy as np
    import pandas as pd

    if not keys:
        return np.zeros(len(frame), np.int64), pd.DataFrame(index=pd.RangeIndex(min(len(frame), 1)))
    numbers: NDArray[np.int64] = frame.groupby(list(keys), dropna=False, sort=True).ngroup().to_numpy().astype(np.int64)
    _, first = np.unique(numbers, return_index=True)
    return numbers, frame[list(keys)].iloc[first].reset_index(drop=True)


def ordered(frame: pd.DataFrame, names: Sequence[str], **columns: bool) -> pd.DataFrame:
    """Order the rows of a result: by period, by these columns (whether they ascend), then by the groups' names."""
    order = {**({"period": True} if "period" in frame else {}), **columns, **dict.fromkeys(names, True)}
    return frame.sort_values(list(order), ascending=list(order.values()), kind="stable").reset_index(drop=True)
