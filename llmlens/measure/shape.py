"""The one shape of all measures: `measure(traces, by=None, every=None, ...)`, a row a group and time bucket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.errors import SelectionError, unknown
from llmlens.json_values import is_key
from llmlens.schema import SPANS
from llmlens.theme import small_print

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
#: Characters of a cell, and digits of a number, that a notebook shows.
_WIDEST, _DIGITS = 200, 4
_LONGEST = 100 * 366 * 86_400
#: The epoch was a Thursday: the first Monday came four days later, in seconds.
_MONDAY = 345_600
_EVERY = re.compile(r"(\d{0,18})\s*([A-Za-z]+)")
_SPELLINGS = {"d": "D", "day": "D", "days": "D", "H": "h", "hour": "h", "hours": "h", "w": "W", "week": "W", "T": "min",
              "minute": "min", "minutes": "min", "month": "M", "ME": "M", "MS": "M", "S": "s"}  # fmt: skip


class Result(pd.DataFrame):
    """A tidy DataFrame that knows how to draw itself: `.plot()` gives a plotly Figure.

    `.notes` says what could not be measured, and why (a notebook shows it below the table); `.beside` has the frames
    that belong to it, by name.
    """

    _metadata = ["_figure", "notes", "beside"]  # noqa: RUF012  # the name and form that pandas asks for
    _figure: Callable[[pd.DataFrame], go.Figure] | None = None
    notes: tuple[str, ...] = ()
    beside: Mapping[str, pd.DataFrame] = {}  # a result has its own; a proxy could not be pickled

    @property
    def _constructor(self) -> type[Result]:
        return Result

    def plot(self) -> go.Figure:  # type: ignore[override]  # ours instead of pandas' accessor
        """Draw the result as a plotly Figure; show it with `llmlens.Plot(figure)` to share it offline."""
        if self._figure is None:
            raise SelectionError("This frame was made from a result by an operation that plot() does not know.")
        try:
            return self._figure(self)
        except (KeyError, ValueError) as error:
            raise SelectionError(f"plot() needs all columns of the result: {error}.") from None

    def _repr_html_(self) -> str | None:
        # A notebook's MathJax would set a stranger's `$\href{...}{...}$` as a link.
        with pd.option_context(
            "display.html.use_mathjax", False, "display.max_colwidth", _WIDEST, "display.precision", _DIGITS
        ):
            html: str | None = super()._repr_html_()  # type: ignore[misc]  # the stubs lack it
        return None if html is None else html + small_print(self.notes)


def result(
    frame: pd.DataFrame,
    figure: Callable[[pd.DataFrame], go.Figure],
    notes: Iterable[str] = (),
    beside: Mapping[str, pd.DataFrame] | None = None,
) -> Result:
    """Make a `Result`: a frame, the function that draws it, what it cannot say (empty notes are none), more frames."""
    made = Result(frame)
    object.__setattr__(made, "beside", dict(beside or {}))
    object.__setattr__(made, "_figure", figure)
    object.__setattr__(made, "notes", tuple(note for note in notes if note))
    return made


def columns_by(by: str | Iterable[str] | None, *, taken: Iterable[str] = ()) -> list[str]:
    """Check the columns to group by, of which none may be what the measure itself gives (`taken`).

    Keys of the metadata and params (`metadata.tenant`) are columns of `llmlens.keyed.keyed` traces.

    Raises `UnknownNameError` for a column that spans do not have, `SelectionError` for one that cannot make groups.
    """
    names = [] if by is None else [by] if isinstance(by, str) or not isinstance(by, Iterable) else list(by)
    for name in names:
        if is_key(name):
            continue
        if name not in SPANS.names:
            what = "column of spans:"
            raise unknown(what, str(name), SPANS.names)
        if name in taken:
            raise SelectionError(f"by={name!r}: that is what is measured, not a group.")
        if SPANS[name].dtype == "texts":
            raise SelectionError(
                f"by={name!r}: a span can have several, so they make no groups. Select one with where()."
            )
    return list(dict.fromkeys(names))


def bucket(start: ir.TimestampValue, every: str) -> ir.TimestampValue:
    """Give the beginning of the bucket that a time is in; weeks begin on Monday, all in UTC.

    `every` is a number and a unit: s, min, h, D, W, M (calendar months, one at a time). Raises `SelectionError`.
    """
    count, name, seconds = _period(every)
    if count == 1:
        return start.truncate(name)
    since = start.epoch_seconds() - _MONDAY
    length = count * seconds
    past = (since % length + length) % length  # before the epoch a remainder is negative
    return (since - past + _MONDAY).as_timestamp("s").cast(start.type())


def buckets(start: pd.Series[pd.Timestamp], every: str) -> pd.Series[pd.Timestamp]:
    """Give the same beginnings for times that are in pandas already."""
    count, name, seconds = _period(every)
    if name == "M":
        months = pd.PeriodIndex(pd.DatetimeIndex(start).tz_convert(None), freq="M")
        return pd.Series(months.to_timestamp().tz_localize("UTC"), index=start.index)
    monday = pd.Timestamp(_MONDAY, unit="s", tz="UTC")
    length = pd.Timedelta(seconds=count * seconds)
    return (start - monday) // length * length + monday


def bucket_end(start: pd.Timestamp, every: str) -> pd.Timestamp:
    """Give the end of the bucket that begins at `start`."""
    count, name, seconds = _period(every)
    return start + (pd.DateOffset(months=1) if name == "M" else pd.Timedelta(seconds=count * seconds))


def _period(every: str) -> tuple[int, str, int]:
    """Read a number and a unit: the number, what Ibis calls the unit, its seconds."""
    match = _EVERY.fullmatch(every.strip()) if isinstance(every, str) else None
    unit = _SPELLINGS.get(match[2], match[2]) if match else ""
    if match is None or unit not in _UNITS or (match[1] and not int(match[1])):
        raise SelectionError(
            f"every={every!r} is not a period. Expected a number and one of {', '.join(_UNITS)}: '1D'."
        )
    count = int(match[1] or 1)
    name, seconds = _UNITS[unit]
    if not seconds and count > 1:
        raise SelectionError(f"every={every!r}: only single months can be counted. Use '1M' or weeks.")
    if count * seconds > _LONGEST:
        raise SelectionError(f"every={every!r} is longer than a century.")
    return count, name, seconds


def plain(value: Any) -> str:
    """Write the value of a group for a label."""
    return "(none)" if pd.isna(value) else str(value)
