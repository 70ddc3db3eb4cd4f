"""Estimates as columns of a result: the value and its 95 % interval, NA where too little is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.statistics.intervals import mean_interval, quantile_interval
from llmlens.statistics.shares import wilson

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def mean_columns(name: str, values: npt.NDArray[np.float64], seed: int = 0) -> dict[str, float | None]:
    """Give a mean and its interval; below ten values, or where all are the same, no interval."""
    found = mean_interval(values, seed)
    return _columns(name, found.value, found.low, found.high)


def quantile_columns(name: str, values: npt.NDArray[np.float64], level: float) -> dict[str, float | None]:
    """Give a quantile and its interval, as far as there are values beyond it."""
    return _columns(name, *quantile_interval(values, level))


def share_columns(name: str, hits: float, n: int) -> dict[str, float | None]:
    """Give a share of `n` and Wilson's interval; of none nothing is known."""
    return _columns(name, hits / n, *wilson(hits / n, n)) if n else _columns(name, None, None, None)


def interval_dtypes(*names: str) -> dict[str, str]:
    """Give the columns of these estimates, with their dtype."""
    return {f"{name}{part}": "Float64" for name in names for part in ("", "_low", "_high")}


def _columns(name: str, value: float | None, low: float | None, high: float | None) -> dict[str, float | None]:
    parts = {name: value, f"{name}_low": low, f"{name}_high": high}
    return {part: None if each is None or each != each else each for part, each in parts.items()}  # noqa: PLR0124
