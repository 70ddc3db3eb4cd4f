"""The bars that an explanation draws itself as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.theme import escape_label, figure_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    import plotly.graph_objects as go


def said(condition: Mapping[str, Any]) -> str:
    """Write a condition as one would say it."""
    return " and ".join(_said(name, value) for name, value in condition.items())


def _said(name: str, value: Any) -> str:
    from .between import Between

    if value is None:
        return f"{name} is NA"
    if isinstance(value, tuple):
        return f"{name} = {' with '.join(map(str, value))}"
    return f"{name} {value}" if isinstance(value, Between) else f"{name} = {value}"


def draw(frame: pd.DataFrame) -> go.Figure:
    """Draw the shares of selection and baseline of each condition, the best on top; the interval is in the hover."""
    import plotly.graph_objects as go

    explained = frame["explained_by"].notna()
    names = [f"{place + 1}. {escape_label(said(c))}" for place, c in enumerate(frame["condition"])]
    by = ["" if e is None else f"<br>explained by {escape_label(said(e))}" for e in frame["explained_by"]]
    figure = go.Figure(
        layout={
            "template": figure_template(),
            "title": {"text": "What sets the selection apart"},
            "xaxis": {"title": {"text": "share of traces"}, "tickformat": ".0%", "rangemode": "tozero"},
            "yaxis": {"autorange": "reversed"},
            "barmode": "group",
            "height": max(200, 110 + 44 * len(frame)),
        }
    )
    interval = [
        f"difference {d:+.1%} ({low:+.1%} to {high:+.1%}){more}"
        for d, low, high, more in zip(frame["difference"], frame["low"], frame["high"], by, strict=True)
    ]
    for column, name in (("share_selection", "selection"), ("share_baseline", "baseline")):
        figure.add_bar(
            x=frame[column].astype(float),
            y=names,
            name=name,
            orientation="h",
            opacity=1.0,
            marker_opacity=[0.45 if e else 1.0 for e in explained],
            customdata=interval,
            hovertemplate="%{y}<br>%{x:.1%}<br>%{customdata}<extra>%{fullData.name}</extra>",
        )
    return figure
