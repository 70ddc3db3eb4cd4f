"""The figure of a drift: how well each slice can be told apart, beside what would have been seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import COLORWAY, escape_label, figure_template

from .result import MIX, OVERALL

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_LEVEL = 0.05
_MOST = 40
_LONGEST = 120


def draw(frame: pd.DataFrame) -> go.Figure:
    """Draw a point a slice with its interval; those that moved stand out, what is detectable is a tick."""
    import plotly.graph_objects as go

    shown = frame[frame["effect"].notna() & (frame["slice"] != MIX)]
    order = shown["p"].where(shown["slice"] != OVERALL, -1.0).sort_values(kind="stable").index[:_MOST]
    shown = shown.loc[order]
    labels = [escape_label(str(name)) for name in shown["slice"]]
    figure = go.Figure(
        layout={"template": figure_template(), "title": {"text": "Drift of the outputs, given the prompt"}}
    )
    moved = (shown["q"] <= _LEVEL).to_numpy(dtype=bool)
    for name, rows, color in (("moved", moved, COLORWAY["light"][5]), ("not told apart", ~moved, COLORWAY["light"][7])):
        part = shown[rows]
        if part.empty:
            continue
        effect, low, high = (part[column].astype(float) for column in ("effect", "low", "high"))
        words = [escape_label(str(text)[:_LONGEST]) for text in part["moved"]]
        figure.add_scatter(
            x=effect,
            y=[label for label, kept in zip(labels, rows, strict=True) if kept],
            mode="markers",
            name=name,
            marker={"color": color, "size": 10},
            error_x={"array": high - effect, "arrayminus": effect - low, "thickness": 1.5},
            customdata=list(zip(part["q"].astype(float), words, strict=True)),
            hovertemplate="%{y}<br>told apart %{x:.0%}, q = %{customdata[0]:.3f}<br>%{customdata[1]}<extra></extra>",
        )
    if shown["detectable"].notna().any():
        figure.add_scatter(
            x=shown["detectable"].astype(float),
            y=labels,
            mode="markers",
            name="would have been seen",
            marker={"symbol": "line-ns-open", "size": 14, "color": COLORWAY["light"][0]},
            hovertemplate="%{y}<br>a change of %{x:.0%} would have been seen<extra></extra>",
        )
    figure.add_vline(x=0.5, line_width=1)
    figure.update_layout(
        xaxis={"title": {"text": "how often before and after are told apart"}, "tickformat": ".0%"},
        yaxis={"categoryorder": "array", "categoryarray": labels[::-1]},
        height=max(220, 130 + 30 * len(shown)),
    )
    return figure


def draw_days(frame: pd.DataFrame) -> go.Figure:
    """Draw how well each day can be told from the reference, all outputs and each slice; alarms stand out."""
    import plotly.graph_objects as go

    title = "Drift of the outputs by day, given the prompt"
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": title}})
    for number, (name, part) in enumerate(frame.groupby("slice", sort=False)):
        color = COLORWAY["light"][number % len(COLORWAY["light"])]
        alarm = (part["p"] <= _LEVEL).to_numpy(dtype=bool)
        figure.add_scatter(
            x=part["period"],
            y=part["effect"].astype(float),
            name=escape_label(str(name)),
            mode="lines+markers",
            line={"color": color, "width": 3 if name == OVERALL else 1.5},
            marker={
                "size": [11 if each else 5 for each in alarm],
                "symbol": ["diamond" if a else "circle" for a in alarm],
            },
            customdata=list(zip(part["p"].astype(float), part["n_after"].astype(int), strict=True)),
            hovertemplate="%{x|%Y-%m-%d %H:%M}<br>told apart %{y:.0%}, p = %{customdata[0]:.3f}, "
            "%{customdata[1]} outputs<extra>%{fullData.name}</extra>",
        )
    figure.add_hline(y=0.5, line_width=1)
    figure.update_layout(yaxis={"title": {"text": "how often told from the reference"}, "tickformat": ".0%"})
    return figure
