"""Plotly figures of a notebook -> the same small view that draws our own, so that one plotly.js draws them all."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

logger = logging.getLogger(__name__)

#: The type of an output that is a plotly figure.
PLOTLY = "application/vnd.plotly.v1+json"
_HEIGHT = 420


def figure_copy(spec: dict[str, Any], assets: dict[str, str]) -> dict[str, Any]:
    """Make what the page needs of a figure, as `collecting.collect` gives it of a view; adds to `assets`."""
    from llmlens.view.plot import Plot, figure_snapshot, figure_spec

    layout = spec.get("layout") or {}
    shown = {"data": spec.get("data") or [], "layout": layout}
    height = layout.get("height")
    try:
        import plotly.graph_objects as go

        figure = go.Figure(shown, skip_invalid=True)
        reply, html = figure_spec(figure), figure_snapshot(figure)
    except (
        Exception
    ):  # a figure of another version of plotly may not fit this one's schema; its browser part is lenient
        logger.debug("a figure is shared as it is", exc_info=True)
        from plotly.io.json import to_json_plotly

        reply, html = {"figure": to_json_plotly(shown), "templates": None}, ""
    esm, css = str(Plot._esm), str(Plot._css)  # noqa: SLF001  # anywidget's names
    keys = [hashlib.sha256(text.encode()).hexdigest()[:12] for text in (esm, css)]
    assets.update(zip(keys, (esm, css), strict=True))
    return {
        "kind": "view",
        "name": "Plot",
        "esm": keys[0],
        "css": keys[1],
        "state": {"height": max(160, int(height)) if isinstance(height, (int, float)) else _HEIGHT, "revision": 0},
        "buffers": [],
        "replies": [{"kind": "figure", "arguments": {}, "result": reply}],
        "html": html,
        "follows": None,
    }
