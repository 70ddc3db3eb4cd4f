"""Estimates with their intervals as figures: over time a line a group, else a point a group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.theme import figure_template

from .figures import group_labels

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MOST_LINES, _MOST_POINTS = 12, 40


def intervals(frame: pd.DataFrame, value: str, names: list[str], *, title: str, unit: str, n: str = "n") -> go.Figure:
    """Draw `value` with `value_low` to `value_high`; `names` are the columns of the groups, maybe with `period`.

    Of many groups those with the most behind them are shown, and the title says so.
    """
    import plotly.graph_objects as go

    over_time = "period" in names
    labels = group_labels(frame, [name for name in names if name != "period"])
    sizes = frame[n].fillna(0).groupby(labels, sort=False).sum().sort_values(ascending=False, kind="stable")
    shown = list(sizes.index[: _MOST_LINES if over_time else _MOST_POINTS])
    said = title if len(shown) == len(sizes) else f"{title} ({len(shown)} of {len(sizes)} groups)"
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": said}})
    if not over_time:
        kept = frame[labels.isin(shown)]
        error, y = _error(kept, value), labels[kept.index]
        hover = f"%{{y}}<br>%{{x:,.4g}} {unit}<extra></extra>"
        figure.add_scatter(x=_floats(kept[value]), y=y, error_x=error, mode="markers", hovertemplate=hover)
        height = max(180, 80 + 26 * len(kept))
        return figure.update_layout(
            yaxis={"autorange": "reversed", "type": "category"}, xaxis_title_text=unit, height=height
        )
    for label in shown:
        rows = frame[labels == label].sort_values("period")
        hover = f"{label}<br>%{{x|%Y-%m-%d %H:%M}}<br>%{{y:,.4g}} {unit}<extra></extra>"
        figure.add_scatter(
            x=rows["period"], y=_floats(rows[value]), error_y=_error(rows, value), name=label, mode="lines+markers",
            line_width=2, hovertemplate=hover,
        )  # fmt: skip
    return figure.update_layout(showlegend=len(names) > 1, yaxis_title_text=unit)


def _floats(column: pd.Series[Any]) -> pd.Series[float]:
    return column.astype("Float64").astype(float)


def _error(rows: pd.DataFrame, value: str) -> dict[str, Any] | None:
    if f"{value}_low" not in rows:
        return None
    middle, low, high = (_floats(rows[name]) for name in (value, f"{value}_low", f"{value}_high"))
    return {
        "type": "data", "symmetric": False, "array": (high - middle).fillna(0), "arrayminus": (middle - low).fillna(0),
        "thickness": 1, "width": 3,
    }  # fmt: skip
