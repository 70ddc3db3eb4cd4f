"""What a change says in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from .change import Change
    from .signs import Unit

#: A ratio is said as "x times" from here on, as a percentage below.
_TIMES = 2.0


def finding_of(change: Change) -> str:
    """Say what changed, where, from what to what, and since when.

    >>> finding_of(change)  # doctest: +SKIP
    'cost a request of product_qa rose from $0.0015 to $0.053 (35 times) from 2026-11-05 10:51 UTC on'
    """
    return f"{_moved(change)} {_when(change)}"


def also_of(change: Change) -> str:
    """Say what else changed, without when."""
    return _moved(change)


def _moved(change: Change) -> str:
    unit = change.stream.sign.unit
    verb = "rose" if change.after > change.before else "fell"
    numbers = f"from {number(change.before, unit)} to {number(change.after, unit)}"
    return f"{followed(change)} {verb} {numbers}{_ratio(change)}"


def followed(change: Change) -> str:
    """Say what is followed, and where.

    >>> followed(change)  # doctest: +SKIP
    'cost a request without a feature'
    """
    sign, where = change.stream.sign, change.stream.slice
    return f"{sign.noun} without a {sign.slice}" if where is None else f"{sign.noun} of {where}"


def _ratio(change: Change) -> str:
    if change.stream.sign.unit == "share" or not change.before > 0 or not change.after > 0:
        return ""
    ratio = change.after / change.before
    return f" ({ratio:.1f} times)" if ratio >= _TIMES else f" ({ratio - 1:+.0%})"


def _when(change: Change) -> str:
    since = pd.Timestamp(change.since)
    if change.until is None:
        return f"from {since:%Y-%m-%d %H:%M} UTC on"
    until = pd.Timestamp(change.until)
    end = f"{until:%H:%M}" if until.date() == since.date() else f"{until:%Y-%m-%d %H:%M}"
    return f"from {since:%Y-%m-%d %H:%M} to {end} UTC"


def number(value: float, unit: Unit) -> str:
    """Write a number with its unit, to three digits.

    >>> number(0.0014999, "usd"), number(0.0345, "share"), number(24790.2, "tokens")
    ('$0.0015', '3.45 %', '24,800')
    """
    if unit == "share":
        return f"{_digits(100 * value)} %"
    written = _digits(value)
    return f"${written}" if unit == "usd" else f"{written} s" if unit == "s" else written


def _digits(value: float) -> str:
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    written = f"{rounded:,.{places}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written
