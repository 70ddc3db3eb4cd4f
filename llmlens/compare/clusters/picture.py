"""The figure of clusters: how much the share of each changed, with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import COLORWAY, escape_label, figure_template

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_LEVEL = 0.05
_MOST = 40


def draw(frame: pd.DataFrame) -> go.Figure:
    """Draw a point a cluster with its interval, in points of share; those that grew or shrank stand out."""
    import plotly.graph_objects as go

    shown = frame[frame["difference"].notna()].head(_MOST)
    labels = dict(zip(shown.index, (escape_label(name) for name in shown["name"]), strict=True))
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "Clusters of outputs"}})
    clear = (shown["q"] <= _LEVEL).to_numpy(dtype=bool)
    for name, rows, place in (
        ("grew", clear & (shown["difference"] > 0), 5),
        ("shrank", clear & (shown["difference"] < 0), 0),
        ("not told apart", ~clear, 7),
    ):
        part = shown[rows]
        if part.empty:
            continue
        value, low, high = (100 * part[column].astype(float) for column in ("difference", "low", "high"))
        figure.add_scatter(
            x=value,
            y=[labels[row] for row in part.index],
            mode="markers",
            name=name,
            marker={"color": COLORWAY["light"][place], "size": 9},
            error_x={"array": high - value, "arrayminus": value - low, "thickness": 1.5},
            customdata=part[["share_before", "share_after", "q"]].astype(float),
            hovertemplate="%{y}<br>%{customdata[0]:.1%} → %{customdata[1]:.1%}, q = %{customdata[2]:.3f}"
            "<extra></extra>",
        )
    figure.add_vline(x=0, line_width=1)
    figure.update_layout(
        xaxis={"title": {"text": "change of the share of outputs, in points"}},
        yaxis={"categoryorder": "array", "categoryarray": list(labels.values())[::-1]},
        height=max(220, 130 + 26 * len(shown)),
    )
    return figure
