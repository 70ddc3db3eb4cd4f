"""Two windows of time: that they are apart in time is how they were chosen, and explains nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from .column import Column

#: A text that is a date, or a time: 2026-11-17, 20261117T0620Z.
_DATE = re.compile(r"(19|20)\d\d-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")
#: So many values of a column are looked at.
_LOOKED = 20


def without_windows(
    columns: Sequence[Column], selected: NDArray[np.bool_], first: datetime | None
) -> tuple[list[Column], list[str]]:
    """Leave out the columns that tell time, where the start of each trace says which side it is on; with a note.

    Dates of before `first`, the earliest start, are no time of a trace: of a build, or of a model.
    """
    start = next((column for column in columns if column.name == "start"), None)
    if start is None or not _parts(start, selected):
        return list(columns), []
    left_out = [column.name for column in columns if column is start or _tells_time(column, first)]
    note = f"The two sides are windows of time, which explains nothing. So these are left out: {', '.join(left_out)}."
    return [column for column in columns if column.name not in left_out], [note]


def _parts(column: Column, selected: NDArray[np.bool_]) -> bool:
    """Say whether a range of the column holds for all that is selected and nothing else."""
    every, ours = column.count(), column.count(np.flatnonzero(selected))
    return bool(((every == ours) & (ours == selected.sum())).any())


def _tells_time(column: Column, first: datetime | None) -> bool:
    values: list[Any] = [value for value in column.values[:_LOOKED] if value is not None]
    if not values or not all(isinstance(value, str) and _DATE.match(value) for value in values):
        return False
    least = "" if first is None else f"{first - timedelta(days=1):%Y%m%d}"  # clocks of other zones
    return all(value.replace("-", "")[:8] >= least for value in values)
