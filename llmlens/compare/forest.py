"""The forest plot of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import COLORWAY, escape_label, figure_template

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MOST = 60
#: Verdict -> place in the colourway.
_COLOR = {"worse": 5, "better": 2, "differs": 0, "": 7}


def forest(frame: pd.DataFrame) -> go.Figure:
    """Draw a line a row that has an interval: the change from a in percent of it, of shares in points."""
    import plotly.graph_objects as go

    share = frame["statistic"] == "share"
    base = frame["a"].astype(float).abs().where(~share, 1.0)
    shown = frame[frame["low"].notna() & (base > 0)].head(_MOST)
    base, labels = base[shown.index], _labels(shown)
    scaled = {name: 100 * shown[name].astype(float) / base for name in ("difference", "low", "high")}
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "b against a"}})
    for verdict, place in _COLOR.items():
        rows = shown["verdict"] == verdict
        if not rows.any():
            continue
        value, low, high = (scaled[name][rows] for name in ("difference", "low", "high"))
        figure.add_scatter(
            x=value,
            y=[labels[i] for i in shown.index[rows]],
            mode="markers",
            name=verdict or "not told apart",
            marker={"color": COLORWAY["light"][place], "size": 9},
            error_x={"array": high - value, "arrayminus": value - low, "thickness": 1.5},
            customdata=shown.loc[rows, ["a", "b", "difference"]].astype(float),
            hovertemplate="%{y}<br>a %{customdata[0]:,.4g}, b %{customdata[1]:,.4g}<extra></extra>",
        )
    figure.add_vline(x=0, line_width=1)
    figure.update_layout(
        xaxis_title_text="change in % of a (shares: in points)",
        yaxis={"categoryorder": "array", "categoryarray": list(labels.values())[::-1]},
        height=max(220, 120 + 24 * len(shown)),
    )
    return figure


def _labels(frame: pd.DataFrame) -> dict[object, str]:
    """Write what each row is about, safe for plotly."""
    from llmlens.measure.shape import plain

    slices = list(frame.columns[: list(frame.columns).index("measure")])
    return {
        row: escape_label(" · ".join(plain(frame.loc[row, name]) for name in ("measure", "statistic", *slices)))
        for row in frame.index
    }
