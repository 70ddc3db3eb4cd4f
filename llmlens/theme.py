"""How our plots look: palette, fonts and plotly templates; and strangers' text made safe for plotly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"

#: Okabe and Ito's colours for colour-blind readers (https://jfly.uni-koeln.de/color/), ordered so that neighbours
#: differ in lightness too; the yellow is darkened on light ground and the black left out.
COLORWAY = {
    "light": ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7a00", "#6b6b6b"),
    "dark": ("#56b4e9", "#f0b429", "#2fc39a", "#e29cc3", "#8fd0f5", "#ff8a4c", "#e8dd5b", "#b3b3b3"),
}

#: A colour per kind of span, the same as the badges of the trace explorer.
KIND_COLORS = {
    "llm": "#4a6cf0", "embedding": "#0f9aa0", "retriever": "#2a9d5c", "reranker": "#84972b", "tool": "#dd7a1a",
    "agent": "#9556d6", "chain": "#7486a0", "guardrail": "#d1488b", "evaluator": "#a3763c", "event": "#8a8f98",
    "span": "#8a94a6",
}  # fmt: skip

#: Classes that keep a notebook's MathJax from setting `$...$` in strangers' texts: `\href` there makes links.
NO_MATH = "tex2jax_ignore mathjax_ignore"

#: One hue, from little to much: much is what stands out from the ground, dark on light and light on dark.
SEQUENTIAL = {
    "light": ("#e6f0fa", "#c9def2", "#a3c8e9", "#76abda", "#4b8dc7", "#2a70b0", "#175693"),
    "dark": ("#1a2a3a", "#1e3f5e", "#225680", "#2d6fa3", "#458cc2", "#66a8d9", "#8fc4ea"),
}

#: Of a note more characters are not shown.
_LONGEST = 2_000
_INK = {
    "light": {"text": "#24292f", "quiet": "#57606a", "grid": "#e4e7eb", "line": "#c3c9d0"},
    "dark": {"text": "#e2e6ea", "quiet": "#a1a9b3", "grid": "#31373e", "line": "#4b535c"},
}

#: Controls, bidirectional overrides, zero-width marks and lone surrogates: they change how other text reads.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+")

#: plotly reads `<b>`, `<a href>`, `<br>`, `&lt;`, `%{...}` and `$...$` in labels, and turns numeric entities back.
_SPECIAL = re.compile("[&<>$%{}]")


def escape_label(text: object, limit: int = 80) -> str:
    """Make a stranger's text show literally as a plotly label, name, title, hover or category.

    Tags, entities, templates and formulas lose their meaning; controls and bidi marks become a space; what is longer
    than `limit` characters is cut with a mark.

    >>> escape_label("<b>x</b>")
    '&#60;b&#62;x&#60;/b&#62;'
    """
    return _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", one_line(text, limit))


def one_line(text: object, limit: int = 80) -> str:
    r"""Write a stranger's text on one line: invisible marks become a space, what is too long is cut with a mark.

    >>> one_line("a\x1b[2J\nb")
    'a [2J b'
    """
    flat = " ".join(_INVISIBLE.sub(" ", str(text)[: 4 * limit]).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def small_print(notes: Iterable[str]) -> str:
    """Give notes as HTML below what they are about: a line each, as text, colours left to the page; "" without any."""
    import html

    lines = "".join(f"<div>{html.escape(one_line(note, _LONGEST))}</div>" for note in notes)
    return f'<div class="{NO_MATH}" style="font-size:85%;opacity:.75;max-width:75em">{lines}</div>' if lines else ""


def figure_template(mode: str = "light") -> go.layout.Template:
    """Give the plotly template of our plots, for `mode` "light" or "dark": transparent ground, our fonts and colours.

    Raises `UnknownNameError` for another mode.
    """
    import plotly.graph_objects as go

    return go.layout.Template(template_spec(mode))


def template_spec(mode: str) -> dict[str, Any]:
    """Give the template as plain data, for the browser."""
    from .errors import unknown

    if mode not in _INK:
        what = "theme"
        raise unknown(what, mode, _INK)
    ink = _INK[mode]
    axis = {
        "gridcolor": ink["grid"],
        "linecolor": ink["line"],
        "zerolinecolor": ink["line"],
        "tickcolor": ink["line"],
        "tickfont": {"color": ink["quiet"], "size": 12},
        "title": {"font": {"color": ink["quiet"], "size": 12}},
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
    }
    scale = [[i / (len(SEQUENTIAL[mode]) - 1), color] for i, color in enumerate(SEQUENTIAL[mode])]
    layout = {
        "font": {"family": FONT, "size": 13, "color": ink["text"]},
        "title": {"font": {"size": 15}, "x": 0, "xref": "paper", "xanchor": "left", "y": 0.97, "yanchor": "top"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "colorway": list(COLORWAY[mode]),
        "colorscale": {"sequential": scale, "sequentialminus": scale},
        "xaxis": {**axis, "showgrid": False, "showline": True},
        "yaxis": axis,
        "margin": {"l": 56, "r": 16, "t": 68, "b": 44},
        "shapedefaults": {"line": {"color": ink["quiet"]}},  # plotly's own is black
        "legend": {"bgcolor": "rgba(0,0,0,0)"},
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left", "namelength": -1},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": ink["quiet"], "activecolor": ink["text"]},
        "hovermode": "closest",
    }
    return {"layout": layout}
