"""The timeline of changes: each version from its onset to its last use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.measure.shape import plain
from llmlens.theme import COLORWAY, escape_label, figure_template

if TYPE_CHECKING:
    import plotly.graph_objects as go


def timeline(changes: pd.DataFrame) -> go.Figure:
    """Draw for each change the former version and the new one, each while it was in use; they overlap in a rollout."""
    import plotly.graph_objects as go

    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "Versions over time"}})
    end = changes["last"].max()
    rows = []
    for change in changes.to_dict("records"):
        where = " · ".join(plain(change[part]) for part in ("column", "of", "feature") if not pd.isna(change[part]))
        row = escape_label(f"{where}: {plain(change['before'])} → {plain(change['after'])}", limit=120)
        rows.append(row)
        until = end if pd.isna(change["until"]) else change["until"]
        stretches = {"before": (change["since"], until), "after": (change["onset"], change["last"])}
        for place, (side, stretch) in enumerate(stretches.items()):
            figure.add_scatter(
                x=list(stretch),
                y=[row, row],
                mode="lines",
                line={"width": 10 - 5 * place, "color": COLORWAY["light"][place]},
                hovertemplate=f"{escape_label(plain(change[side]))}<br>%{{x|%Y-%m-%d %H:%M}}<extra></extra>",
                showlegend=False,
            )
    figure.update_layout(yaxis={"categoryorder": "array", "categoryarray": rows[::-1]}, height=140 + 32 * len(rows))
    return figure
