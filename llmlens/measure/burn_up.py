"""The figure of a budget: what was spent and will be, against the marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import COLORWAY, figure_template

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def burn_up(days: pd.DataFrame, passing: pd.DataFrame) -> go.Figure:
    """Draw the running sum of the month, its forecast with the interval, and a line for each mark of the budget."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "Budget"}})
    figure.update_layout(yaxis={"title": {"text": "USD since the first of the month"}, "rangemode": "tozero"})
    if days.empty:
        return figure
    blue, orange = COLORWAY["light"][:2]
    ends = days["day"] + days["day"].diff().median()  # a day's sum is reached at its end
    values = {name: days[name].astype(float) for name in ("spent_usd", "low", "high")}
    ahead = days["forecast"] | ~days["forecast"].shift(-1, fill_value=True)
    ahead |= days["forecast"].shift(-1, fill_value=False)
    hover = "end of %{x|%d %b}<br>%{y:,.2f} USD<extra></extra>"
    for name, fill in (("high", None), ("low", "tonexty")):
        figure.add_scatter(
            x=ends[ahead], y=values[name][ahead], line={"width": 0}, fill=fill, fillcolor="rgba(230,159,0,0.18)",
            name="95 %", showlegend=name == "low", hovertemplate=hover, mode="lines",
        )  # fmt: skip
    spent = ~days["forecast"]
    for name, rows, colour, dash in (("spent", spent, blue, "solid"), ("forecast", ahead, orange, "dash")):
        figure.add_scatter(
            x=ends[rows], y=values["spent_usd"][rows], name=name, mode="lines", hovertemplate=hover,
            line={"width": 2, "color": colour, "dash": dash},
        )  # fmt: skip
    for share, usd in zip(passing["share"].astype(float), passing["usd"].astype(float), strict=True):
        figure.add_hline(y=usd, line={"width": 1, "dash": "dot"}, annotation_text=f"{share:.0%}")
    return figure
