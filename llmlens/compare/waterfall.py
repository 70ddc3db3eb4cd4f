"""The waterfall of a change: from before, by what it comes from, to after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.theme import COLORWAY, figure_template

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import plotly.graph_objects as go


def waterfall(total: pd.Series[Any], factors: Sequence[str]) -> go.Figure:
    """Draw the costs before and after, and between them what each factor added or took."""
    import plotly.graph_objects as go

    values = total[["cost_before", *factors, "cost_after"]].astype("Float64").to_numpy(float, na_value=float("nan"))
    colors = COLORWAY["light"]
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "Why the cost changed"}})
    figure.add_waterfall(
        x=["before", *(name.replace("_", " ") for name in factors), "after"],
        y=values,
        measure=["absolute", *["relative"] * len(factors), "total"],
        increasing_marker_color=colors[5],
        decreasing_marker_color=colors[2],
        totals_marker_color=colors[0],
        hovertemplate="%{x}<br>%{y:,.4f} USD<br>%{delta:+,.4f} USD<extra></extra>",
    )
    figure.update_layout(yaxis_title_text="USD", showlegend=False)
    return figure
