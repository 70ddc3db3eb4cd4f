"""Incidents over time: each series in buckets, its odd stretch shaded, the means before and in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.theme import COLORWAY, escape_label, figure_template

from .wording import followed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from .change import Change

_MOST = 6
_BUCKETS = 60
_ROW = 150


def draw(changes: Sequence[Change]) -> go.Figure:
    """Draw at most six changes below each other, on one axis of time."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    shown = changes[:_MOST]
    if not shown:
        return go.Figure(layout={"template": figure_template(), "title": {"text": "Nothing changed beyond chance"}})
    titles = [escape_label(followed(each)) for each in shown]
    figure = make_subplots(
        rows=len(shown), cols=1, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.3 / max(len(shown), 2)
    )
    light = COLORWAY["light"]
    for row, change in enumerate(shown, start=1):
        start, values = _bucketed(change)
        hover = "%{x|%Y-%m-%d %H:%M}<br>%{y:,.4g}<extra></extra>"
        figure.add_scatter(
            x=start,
            y=values,
            mode="markers",
            marker={"size": 5, "color": light[0]},
            hovertemplate=hover,
            row=row,
            col=1,
        )
        first, last = start.iloc[0], start.iloc[-1]
        since, until = pd.Timestamp(change.since), last if change.until is None else pd.Timestamp(change.until)
        for (left, right), level, colour in (
            ((first, since), change.before, light[7]),
            ((since, until), change.after, light[5]),
        ):
            figure.add_scatter(
                x=[left, right],
                y=[level, level],
                mode="lines",
                line={"width": 2, "color": colour},
                hoverinfo="skip",
                row=row,
                col=1,
            )
        figure.add_vrect(x0=since, x1=until, fillcolor=light[5], opacity=0.12, line_width=0, row=row, col=1)
        if change.stream.sign.unit == "share":
            figure.update_yaxes(tickformat=".0%", row=row, col=1)
    figure.update_layout(template=figure_template(), showlegend=False, height=90 + _ROW * len(shown), margin={"t": 60})
    return figure


def _bucketed(change: Change) -> tuple[pd.Series[pd.Timestamp], np.ndarray]:
    """Give the means of equal numbers of traces, each at its middle."""
    stream = change.stream
    edges = np.unique(np.linspace(0, len(stream.numbers), min(_BUCKETS, len(stream.numbers)) + 1).astype(int))
    sums = np.add.reduceat(stream.numbers, edges[:-1])
    middle = (edges[:-1] + edges[1:] - 1) // 2
    return pd.Series(stream.start[middle]), sums / np.diff(edges)
