"""The figures that measures draw themselves as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..theme import COLORWAY, escape_label, figure_template
from .shape import plain

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MOST = 12
_REST = "(other)"


def lines(frame: pd.DataFrame, x: str, y: str, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw a line for each group over time; the smallest groups beyond a dozen are summed as "(other)"."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": figure_template(), "title": {"text": title}, "yaxis": {"title": {"text": unit}}})
    labels = _labels(frame, names)
    sizes = frame[y].astype(float).groupby(labels, sort=False).sum().sort_values(ascending=False, kind="stable")
    shown = list(sizes.index[: _MOST if len(sizes) <= _MOST else _MOST - 1])
    grouped = frame.assign(_label=labels.where(labels.isin(shown), _REST))
    table = grouped.pivot_table(index=x, columns="_label", values=y, aggfunc="sum", observed=True)
    for place, label in enumerate([*shown, *([_REST] if _REST in table.columns else [])]):
        values = table[label].astype(float)
        name = escape_label(label)
        line = {"color": COLORWAY["light"][place % len(COLORWAY["light"])], "width": 2}
        hover = f"{name}<br>%{{x|%Y-%m-%d %H:%M}}<br>%{{y:,.4f}} {unit}<extra></extra>"
        figure.add_scatter(x=table.index, y=values, name=name, mode="lines+markers", line=line, hovertemplate=hover)
    figure.update_layout(showlegend=bool(names), yaxis_rangemode="tozero")
    return figure


def bars(frame: pd.DataFrame, value: str, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw a horizontal bar for each group, the largest on top."""
    import plotly.graph_objects as go

    labels = [escape_label(label) for label in _labels(frame, names)]
    values = frame[value].astype(float)
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": title}, "xaxis": {"title": {"text": unit}}})
    hover = f"%{{y}}<br>%{{x:,.4f}} {unit}<extra></extra>"
    figure.add_bar(x=values, y=labels, orientation="h", hovertemplate=hover, marker_color=COLORWAY["light"][0])
    figure.update_layout(yaxis={"autorange": "reversed"}, height=max(180, 60 + 26 * len(labels)))
    return figure


def _labels(frame: pd.DataFrame, names: list[str]) -> pd.Series[str]:
    if not names:
        return frame.iloc[:, 0].map(lambda _: "all")
    return frame[names].map(plain).agg(" · ".join, axis=1)
