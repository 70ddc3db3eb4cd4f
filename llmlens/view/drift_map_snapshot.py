"""A map without scripts: its points counted in cells of a table, the clusters, and what has drifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.compare.clusters.grouping import OUTLIER
from llmlens.compare.drift.result import MIX

from . import snapshot
from .drift_map_density import extent
from .drift_map_facts import LEVEL
from .drift_map_windows import AFTER, BEFORE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .drift_map_making import Made, Making

_COLUMNS, _ROWS = 56, 26
_CLUSTERS, _SLICES = 14, 8
_CELL = "width:11px;height:11px;padding:0;border:0;"
#: More before, about as much, more after.
_BEFORE, _EVEN, _AFTER = (0, 114, 178), (140, 140, 140), (213, 94, 0)


def map_snapshot(title: str, work: Making) -> str:
    """Give what there is of a map by now as HTML with inline styles."""
    made = work.made
    if made.points is None or made.places is None:
        words = made.problem or "The map was still being made when this copy was. Run the cell again to see it here."
        return snapshot.section(title, snapshot.note(words))
    compared = work.windows is not None
    parts = [_picture(made, made.points.window if compared else None)]
    if work.windows is not None:
        counts = [int((made.points.window == code).sum()) for code in (BEFORE, AFTER)]
        old, new = (f"{label} ({count:,})" for label, count in zip(work.windows.labels, counts, strict=True))
        parts.append(snapshot.note(f"Blue: more {old}. Orange: more {new}. The darker, the more outputs."))
    if made.drift is not None:
        parts.append(_drift(made))
    if made.clusters is not None:
        parts.append(_clusters(made, compared=compared))
    if made.trust is not None:
        parts.append(snapshot.note(f"The picture: {made.trust}"))
    return snapshot.section(title, *parts)


def _picture(made: Made, window: NDArray[np.uint8] | None) -> str:
    """Draw cells from the top down; runs of empty ones are one."""
    places = made.places
    assert places is not None  # noqa: S101  # the caller has looked
    count = _counts(places, places)
    tone = None
    if window is not None:
        old, new = (
            _counts(places[window == code], places) / max(int((window == code).sum()), 1) for code in (BEFORE, AFTER)
        )
        tone = np.divide(new - old, new + old, out=np.zeros_like(new), where=(new + old) > 0)
    alpha = 0.18 + 0.82 * np.log1p(count) / np.log1p(max(count.max(), 1))
    rows = [_row(count[i], alpha[i], None if tone is None else tone[i]) for i in range(_ROWS)]
    style = "border-collapse:separate;border-spacing:1px;margin:4px 0;table-layout:fixed"
    return f'<table style="{style}"><tbody>{"".join(rows)}</tbody></table>'


def _counts(places: NDArray[np.float32], of: NDArray[np.float32]) -> NDArray[np.float64]:
    """Count places in the cells of a whole map, the top row first."""
    left, right, bottom, top = extent(of)
    ranges = [[bottom, top], [left, right]]
    counts, _, _ = np.histogram2d(places[:, 1], places[:, 0], bins=[_ROWS, _COLUMNS], range=ranges)
    return counts[::-1]


def _row(count: NDArray[Any], alpha: NDArray[Any], tone: NDArray[Any] | None) -> str:
    cells, empty = [], 0
    for i in range(len(count)):
        if not count[i]:
            empty += 1
            continue
        cells += [_gap(empty)] if empty else []
        empty = 0
        color = ",".join(map(str, _EVEN if tone is None else _mixed(float(tone[i]))))
        cells.append(f'<td style="{_CELL}background:rgba({color},{alpha[i]:.2f})"></td>')
    cells += [_gap(empty)] if empty else []
    return f"<tr>{''.join(cells)}</tr>"


def _gap(empty: int) -> str:
    return f'<td colspan="{empty}" style="{_CELL}"></td>' if empty > 1 else f'<td style="{_CELL}"></td>'


def _mixed(tone: float) -> tuple[int, ...]:
    side = _AFTER if tone > 0 else _BEFORE
    return tuple(round(even + abs(tone) * (end - even)) for even, end in zip(_EVEN, side, strict=True))


def _drift(made: Made) -> str:
    assert made.drift is not None  # noqa: S101  # the caller has looked
    shown = made.drift[(made.drift["q"].fillna(1) <= LEVEL) | (made.drift["slice"] == MIX)].head(_SLICES + 2)
    rows = [
        [snapshot.text(name, 40), "" if q is None else f"{q:.3f}", snapshot.text(moved, 100)]
        for name, q, moved in zip(
            shown["slice"], shown["q"].astype(object).where(shown["q"].notna(), None), shown["moved"], strict=True
        )
    ]
    if not (shown["slice"] != MIX).any():
        rows.insert(0, ["overall", "", "no change of the outputs was found, given what was asked"])
    return snapshot.table(("drift of", "q", "what moved"), rows, "lrl")


def _clusters(made: Made, *, compared: bool) -> str:
    assert made.clusters is not None  # noqa: S101  # the caller has looked
    import pandas as pd

    frame = made.clusters.head(_CLUSTERS)
    rest = len(made.clusters) - len(frame)
    rows = []
    for row in frame.to_dict("records"):
        name = snapshot.text(row["name"], 60)
        name = f"<i>{name}</i>" if row["cluster"] == OUTLIER else name
        if not compared:
            rows.append([name, f"{row['n_before']:,}"])
        elif pd.isna(row["p"]):
            rows.append([name, f"{row['n_before']:,}", f"{row['n_after']:,}", "", ""])
        else:
            change = f"{100 * row['difference']:+.1f}"
            change = f"<b>{change}</b>" if row["q"] <= LEVEL else change
            interval = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
            shares = [f"{row[share]:.1%}" for share in ("share_before", "share_after")]
            rows.append([name, *shares, change, interval])
    head = ("cluster", "share before", "share after", "points", "95 %") if compared else ("cluster", "outputs")
    more = snapshot.note(f"{rest:,} more clusters are not listed.") if rest > 0 else ""
    return snapshot.table(head, rows, "lrrrr"[: len(head)]) + more
