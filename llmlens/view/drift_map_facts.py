"""What is beside a map: the numbers of the full space, as plain values for the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.compare.clusters.grouping import OUTLIER
from llmlens.compare.drift.result import MIX, OVERALL

from . import wire

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.compare.drift.result import Drift

    from .drift_map_making import Made

LEVEL = 0.05
_SLICES = 8


def facts(made: Made, *, compared: bool) -> dict[str, Any]:
    """Give the clusters, the drift, the trust in the picture and notes; what is not there yet is None.

    `compared` says whether there are two windows.
    """
    notes = [*made.notes]
    if made.clusters is not None and compared:
        notes += made.clusters.notes
    return {
        "clusters": None if made.clusters is None else _clusters(made),
        "drift": None if made.drift is None else _drift(made.drift),
        "trust": None if made.trust is None else made.trust._asdict(),
        "notes": list(dict.fromkeys(notes)),
    }


def _clusters(made: Made) -> dict[str, list[Any]]:
    """Give the clusters in columns, with the place of each name: the medoid of its points."""
    assert made.clusters is not None  # noqa: S101  # the caller has looked
    frame = made.clusters.drop(columns=["examples"])
    found = wire.columns(frame)
    places = [_middle(made, number) for number in found["cluster"]]
    return {**found, "x": [place[0] for place in places], "y": [place[1] for place in places]}


def _middle(made: Made, number: int) -> tuple[float | None, float | None]:
    """Give the point of a cluster that is nearest to the median of its points."""
    if number == OUTLIER or made.labels is None or made.places is None:
        return None, None
    inside = made.places[made.labels == number]
    nearest = np.abs(inside - np.median(inside, axis=0)).sum(axis=1).argmin()
    return float(inside[nearest, 0]), float(inside[nearest, 1])


def _drift(drift: Drift) -> dict[str, Any]:
    """Give the rows overall and mix, and the slices that moved."""
    rows = {str(name): row for name, row in zip(drift["slice"], _rows(drift), strict=True)}
    slices = [row for name, row in rows.items() if name not in (OVERALL, MIX)]
    moved = [row for row in slices if row["q"] is not None and row["q"] <= LEVEL]
    return {
        "overall": rows.get(OVERALL), "mix": rows.get(MIX), "moved": moved[:_SLICES], "n_moved": len(moved),
        "n_slices": len(slices), "n_judged": sum(row["p"] is not None for row in slices), "level": LEVEL,
        "notes": list(drift.notes),
    }  # fmt: skip


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    columns = wire.columns(frame)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
