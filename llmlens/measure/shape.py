"""The one shape of all measures: `measure(traces, by=None, every=None, ...)`, a row a group and time bucket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from .. import schema
from ..errors import SelectionError, unknown

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import plotly.graph_objects as go

#: Unit of `every` -> (what Ibis calls it, seconds); months have no fixed length.
_UNITS: dict[str, tuple[str, int]] = {
    "s": ("s", 1),
    "min": ("m", 60),
    "h": ("h", 3600),
    "D": ("D", 86_400),
    "W": ("W", 604_800),
    "M": ("M", 0),
}
_EVERY = re.compile(r"(\d*)\s*([A-Za-z]+)")
_SPELLINGS = {"d": "D", "day": "D", "days": "D", "H": "h", "hour": "h", "hours": "h", "w": "W", "week": "W", "T": "min",
              "minute": "min", "minutes": "min", "month": "M", "ME": "M", "MS": "M", "S": "s"}  # fmt: skip


class Result(pd.DataFrame):
    """A tidy DataFrame that knows how to draw itself: `.plot()` gives a plotly Figure."""

    _metadata = ["_figure"]  # noqa: RUF012  # the name and form that pandas asks for
    _figure: Callable[[pd.DataFrame], go.Figure] | None = None

    @property
    def _constructor(self) -> type[Result]:
        return Result

    def plot(self) -> go.Figure:
        """Draw the result as a plotly Figure; show it with `llmlens.Plot(figure)` to share it offline."""
        if self._figure is None:
            raise SelectionError("This frame was made from a result by an operation that plot() does not know.")
        return self._figure(self)


def result(frame: pd.DataFrame, figure: Callable[[pd.DataFrame], go.Figure]) -> Result:
    """Make a `Result` of a frame and the function that draws it."""
    made = Result(frame)
    object.__setattr__(made, "_figure", figure)
    return made


def columns_by(by: str | Iterable[str] | None) -> list[str]:
    """Check the columns to group by; raises `UnknownNameError`."""
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    for name in names:
        if name not in schema.SPANS.names:
            what = "column of spans:"
            raise unknown(what, name, schema.SPANS.names)
    return names


def bucket(start: ir.TimestampValue, every: str) -> ir.TimestampValue:
    """Give the beginning of the bucket that a time is in; weeks begin on Monday, all in UTC.

    `every` is a number and a unit: s, min, h, D, W, M (calendar months, one at a time). Raises `SelectionError`.
    """
    import ibis

    match = _EVERY.fullmatch(every.strip()) if isinstance(every, str) else None
    unit = _SPELLINGS.get(match[2], match[2]) if match else ""
    if match is None or unit not in _UNITS or match[1] == "0":
        raise SelectionError(f"every={every!r} is not a period. Expected a number and one of {', '.join(_UNITS)}: '1D'.")
    count = int(match[1] or 1)
    name, seconds = _UNITS[unit]
    if count == 1:
        return start.truncate(name)
    if not seconds:
        raise SelectionError(f"every={every!r}: only single months can be counted. Use '1M' or weeks.")
    monday = 345_600  # the epoch was a Thursday: the first Monday came four days later
    since = start.epoch_seconds() - monday
    return ((since - since % (count * seconds)) + monday).as_timestamp("s").cast(start.type())


def plain(value: Any) -> str:
    """Write the value of a group for a label."""
    return "(none)" if pd.isna(value) else str(value)
