"""The figures that measures draw themselves as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.theme import escape_label, figure_template

from .shape import plain

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_MOST = 12
_REST = "(other)"


def lines(frame: pd.DataFrame, x: str, y: str, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw a line for each group over time; the smallest groups beyond a dozen are summed as "(other)"."""
    import plotly.graph_objects as go

    figure = go.Figure(
        layout={"template": figure_template(), "title": {"text": title}, "yaxis": {"title": {"text": unit}}}
    )
    labels = group_labels(frame, names)
    values = frame.assign(_label=labels, _value=frame[y].astype(float))
    sizes = values.groupby("_label", sort=False)["_value"].sum().sort_values(ascending=False, kind="stable")
    shown = list(sizes.index[: _MOST if len(sizes) <= _MOST else _MOST - 1])
    grouped = values.assign(_label=labels.where(labels.isin(shown), _REST)).groupby(["_label", x])["_value"]
    table = grouped.sum(min_count=1).unstack("_label").sort_index()  # noqa: PD010
    drawn = [*shown, *([_REST] if len(shown) < len(sizes) else [])]
    table = table.reindex(columns=drawn)  # a group without any time has no column
    for label in drawn:
        hover = f"{label}<br>%{{x|%Y-%m-%d %H:%M}}<br>%{{y:,.4f}} {unit}<extra></extra>"
        figure.add_scatter(
            x=table.index, y=table[label], name=label, mode="lines+markers", line_width=2, hovertemplate=hover
        )
    figure.update_layout(showlegend=bool(names), yaxis_rangemode="tozero")
    return figure


def marked_lines(
    frame: pd.DataFrame, marks: pd.DataFrame, x: str, y: str, names: list[str], *, title: str, unit: str
) -> go.Figure:
    """Draw `lines`, and a ring around each row of `marks`, which has the columns of `frame`."""
    figure = lines(frame, x, y, names, title=title, unit=unit)
    figure.add_scatter(
        x=marks[x],
        y=marks[y].astype(float),
        text=group_labels(marks, names),
        name="anomaly",
        mode="markers",
        marker={"symbol": "circle-open", "size": 14, "line": {"width": 2}},
        hovertemplate=f"%{{text}}<br>%{{x|%Y-%m-%d %H:%M}}<br>%{{y:,.4f}} {unit}<extra>anomaly</extra>",
    )
    return figure


def bars(frame: pd.DataFrame, value: str, names: list[str], *, title: str, unit: str) -> go.Figure:
    """Draw a horizontal bar for each group, the largest on top."""
    import plotly.graph_objects as go

    labels = list(group_labels(frame, names))
    values = frame[value].astype(float)
    figure = go.Figure(
        layout={"template": figure_template(), "title": {"text": title}, "xaxis": {"title": {"text": unit}}}
    )
    hover = f"%{{y}}<br>%{{x:,.4f}} {unit}<extra></extra>"
    figure.add_bar(x=values, y=labels, orientation="h", hovertemplate=hover)
    figure.update_layout(yaxis={"autorange": "reversed"}, height=max(180, 60 + 26 * len(labels)))
    return figure


def group_labels(frame: pd.DataFrame, names: list[str]) -> pd.Series[str]:
    """Write what each row's group is called, safe for plotly; two groups are never called the same."""
    import pandas as pd

    keys = list(zip(*(frame[name].map(plain) for name in names), strict=True)) if names else [("all",)] * len(frame)
    groups = list(zip(*(frame[name].isna() for name in names), keys, strict=True)) if names else keys
    called: dict[object, str] = {}
    taken: set[str] = {_REST}
    for group, key in zip(groups, keys, strict=True):
        if group not in called:
            label, n = escape_label(" · ".join(key)), 1
            while (shown := label if n == 1 else f"{label} ({n})") in taken:
                n += 1
            taken.add(shown)
            called[group] = shown
    return pd.Series([called[group] for group in groups], index=frame.index, dtype="str")
