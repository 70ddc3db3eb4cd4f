"""Findings as a notebook shows them: one below the other, in words; script-free, colours left to the page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from llmlens.theme import NO_MATH, one_line, small_print

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .findings import Findings

_MOST = 12
_LONGEST = 2_000
_LABELS = (("also", "also moved"), ("came_with", "came into use then"), ("set_apart", "in common"))
_SMALL = "margin:2px 0 0 0;font-size:90%;opacity:.85;max-width:75em"


def cards(found: Findings) -> str:
    """Give at most a dozen findings as HTML, and the notes."""
    shown = "".join(_card(place, row) for place, row in enumerate(found.head(_MOST).to_dict("records")))
    more = [f"{len(found) - _MOST} more are in the frame."] if len(found) > _MOST else []
    return f'<div class="llmlens-findings {NO_MATH}">{shown}{small_print([*found.notes, *more])}</div>'


def _card(place: int, row: Mapping[Any, Any]) -> str:
    worse = row["worse"]
    mark = "got worse" if worse is True else "got better" if worse is False else "differs"
    there = f"{row['n']:,} traces then; <code>.traces({place})</code> gives those that show it"
    sure = f"{_shown(row['kind'])} · {mark} · q {float(row['q']):.1g} · {there}"
    lines = "".join(
        f'<p style="{_SMALL}"><i>{label}:</i> {_shown(row[column])}</p>' for column, label in _LABELS if row[column]
    )
    return (
        f'<div style="margin:4px 0 10px"><b>{place}. {_shown(row["finding"])}</b>'
        f'<div style="font-size:85%;opacity:.75">{sure}</div>{lines}</div>'
    )


def _shown(text: object) -> str:
    return html.escape(one_line(text, _LONGEST))
