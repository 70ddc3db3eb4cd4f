"""The figures of spreads and of shares: what is known of each group, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import figure_template

from .figures import group_labels, lines

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_SHOWN = ("p50", "p95")


def quantile_bars(frame: pd.DataFrame, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw p50 and p95 of each group as bars with their intervals."""
    figure = _figure(title, unit, len(frame) * len(_SHOWN))
    labels = group_labels(frame, names)
    for name in _SHOWN:
        _add(figure, frame, labels, name, unit)
    return figure


def share_bars(frame: pd.DataFrame, names: list[str], *, title: str) -> go.Figure:
    """Draw the column `share` of each group as bars with the interval from `low` to `high`."""
    figure = _figure(title, "share", len(frame))
    shares = frame.rename(columns={"low": "share_low", "high": "share_high"})
    _add(figure, shares, group_labels(frame, names), "share", "")
    return figure


def quantile_lines(frame: pd.DataFrame, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw p95 of each group over time, p50 where no p95 is known."""
    shown = frame.assign(_shown=frame["p95"].fillna(frame["p50"]))
    return lines(shown, "period", "_shown", names, title=title, unit=unit)


def by_of(frame: pd.DataFrame, first: str) -> list[str]:
    """Give the columns that a result is grouped by: those before its column `first`, without the period."""
    return [str(name) for name in frame.columns[: list(frame.columns).index(first)] if name != "period"]


def _figure(title: str, unit: str, rows: int) -> go.Figure:
    import plotly.graph_objects as go

    layout = {"template": figure_template(), "title": {"text": title}, "xaxis": {"title": {"text": unit}}}
    figure = go.Figure(layout=layout)
    figure.update_layout(yaxis={"autorange": "reversed"}, height=max(180, 60 + 26 * rows), barmode="group")
    return figure


def _add(figure: go.Figure, frame: pd.DataFrame, labels: pd.Series[str], name: str, unit: str) -> None:
    value, low, high = (frame[c].astype(float) for c in (name, f"{name}_low", f"{name}_high"))
    bounds = {"type": "data", "symmetric": False, "array": high - value, "arrayminus": value - low, "thickness": 1}
    hover = f"%{{y}}<br>{name} %{{x:,.4g}} {unit}<extra></extra>"
    figure.add_bar(x=value, y=list(labels), name=name, orientation="h", error_x=bounds, hovertemplate=hover)
