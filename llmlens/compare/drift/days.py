"""`drift` over days: each day against the reference, and since when the outputs are different."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llmlens.measure.shape import buckets

from .onset import onset
from .picture import draw_days
from .reference import Frozen, frozen
from .result import CHANGE_COLUMNS, DAY_COLUMNS, OVERALL, DriftSeries
from .separation import separation
from .stream import Watch, watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .windows import Windows

_LEVEL = 0.05
#: Outputs (sessions, where they have more than one) of a slice in the reference that make it worth watching by itself,
#: and how many slices are.
_LEAST_KNOWN = 30
_MOST_SLICES = 12
#: Permutations of the words that tell a change.
_TOLD_BY = 499


def drift_by_day(windows: Windows, every: str, *, looks: int, times: int, seed: int) -> DriftSeries:
    """Give a row a period and slice of the window after; `.changes` has the onsets."""
    rows, notes = _known_slices(windows)
    n_before, n_after = rows.counts()
    independent = len(np.unique(rows.units[~rows.after]))
    if independent < _LEAST_KNOWN or n_after == 0:
        of = f", of {independent:,} sessions or none," if independent < n_before else ""
        notes.append(
            f"{n_before:,} outputs before{of} and {n_after:,} after: at least {_LEAST_KNOWN} independent ones before "
            "are needed."
        )
        return DriftSeries.of(
            pd.DataFrame(columns=list(DAY_COLUMNS)), pd.DataFrame(columns=list(CHANGE_COLUMNS)), notes, draw_days
        )
    period = buckets(rows.rows["start"][rows.after], every)
    known, place = np.unique(period.to_numpy(), return_inverse=True)
    day = place.astype(np.int64)
    view = frozen(rows, seed)
    earlier = buckets(rows.rows["start"][~rows.after], every).to_numpy()
    known_day = np.unique(earlier, return_inverse=True)[1].astype(np.int64)[view.rows[: view.known]]
    held = np.unique(np.stack([view.slices, view.units])[:, : view.known], axis=1)[0]
    sizes = np.bincount(held, minlength=len(rows.names))
    largest = np.argsort(-sizes, kind="stable")[:_MOST_SLICES]
    scopes = [int(value) for value in np.sort(largest) if sizes[value] >= _LEAST_KNOWN and len(rows.names) > 1]
    seen = watch(view, day, scopes=scopes, looks=looks, times=times, seed=seed, known_day=known_day)
    series = _Series(rows, view, seen, known, day)
    frame = pd.DataFrame([row for scope in (-1, *scopes) for row in series.of(scope)], columns=list(DAY_COLUMNS))
    return DriftSeries.of(frame, series.changes(seed), notes, draw_days)


def _known_slices(windows: Windows) -> tuple[Windows, list[str]]:
    """Leave out what is in a slice that the reference does not have."""
    notes = list(windows.notes)
    known = np.unique(windows.slices[~windows.after])
    kept = np.isin(windows.slices, known)
    if not kept.all():
        new = [windows.names[i] for i in np.unique(windows.slices[~kept])]
        notes.append(f"{int((~kept).sum()):,} outputs are of slices that the reference lacks: {', '.join(new[:5])}.")
    taken = windows.taken(np.flatnonzero(kept))
    names = tuple(windows.names[i] for i in known)
    return replace(taken, slices=np.searchsorted(known, taken.slices).astype(np.int64), names=names), notes


class _Series:
    """What was seen of a stream, told by period."""

    def __init__(
        self, windows: Windows, view: Frozen, seen: Watch, periods: NDArray[Any], day: NDArray[np.int64]
    ) -> None:
        self._windows = windows
        self._view = view
        self._seen = seen
        self._periods = periods
        self._day = day

    def _evidence(self, scope: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give score and p of each period, of one slice or of all that is watched."""
        return (self._seen.score, self._seen.p) if scope < 0 else self._seen.by_scope[scope]

    def _name(self, scope: int) -> str:
        return OVERALL if scope < 0 else self._windows.names[scope]

    def of(self, scope: int) -> list[dict[str, Any]]:
        """Give a row a period of one slice, or of all outputs."""
        view = self._view
        together = np.hstack(list(view.views.values())) if view.views else np.zeros((len(view.slices), 1))
        inside = np.ones(len(together), dtype=bool) if scope < 0 else view.slices == scope
        (old, new), (old_slices, new_slices), (old_units, new_units) = (
            (each[: view.known][inside[: view.known]], each[view.known :][inside[view.known :]])
            for each in (together, view.slices, view.units)
        )
        own = _own(old, old_units)
        when = self._day[inside[view.known :]]
        score, p = self._evidence(scope)
        rows = []
        for number, period in enumerate(self._periods):
            today = when == number
            # The direction of all the other days and sessions, and for an output of the reference that of all the
            # other sessions there: a rule that was not fitted on what it judges.
            others = ~np.isin(new_units, new_units[today])
            direction = new[others].mean(axis=0) - old.mean(axis=0) if others.any() else -old.mean(axis=0)
            values = np.concatenate([old @ direction + own, new[today] @ direction])
            label = np.arange(len(values)) >= len(old)
            of = np.concatenate([old_units, new_units[today]])
            effect = separation(values, label, np.concatenate([old_slices, new_slices[today]]), of)
            rows.append({
                "period": period, "slice": self._name(scope), "statistic": score[number],
                "effect": effect and effect.auc, "low": effect and effect.low, "high": effect and effect.high,
                "p": p[number], "n_before": len(old), "n_after": int(today.sum()),
            })  # fmt: skip
        return rows

    def changes(self, seed: int) -> pd.DataFrame:
        """Give the onset of what was seen at all, and that of each slice that moved by itself."""
        rows = []
        if (self._seen.p <= _LEVEL).any():
            moved = [
                scope for scope in self._seen.by_scope if scope >= 0 and (self._evidence(scope)[1] <= _LEVEL).any()
            ]
            rows = [self._change(scope, seed) for scope in (-1, *moved)]
        return pd.DataFrame(rows, columns=list(CHANGE_COLUMNS))

    def _change(self, scope: int, seed: int) -> tuple[Any, ...]:
        from .drifting import drift_of

        p = self._evidence(scope)[1]
        first = int(np.flatnonzero(p <= _LEVEL)[0])
        last = len(self._periods) - 1
        began = first - int(self._seen.length[first]) + 1 if scope < 0 else first
        # All together are read in the slice that was seen first, where it was one.
        where = onset(self._view, self._day, until=last, length=last - began + 1,
                      scope=int(self._seen.scope[first]) if scope < 0 else scope)  # fmt: skip
        since = np.concatenate([np.ones(len(self._windows.after) - len(self._day), dtype=bool), self._day >= where.day])
        part = self._windows.taken(np.flatnonzero(since))
        told = drift_of(part, times=_TOLD_BY, seed=seed)
        words = told.loc[told["slice"] == self._name(scope), "moved"]
        count = part.counts(None if scope < 0 else scope)[1]
        days = (self._periods[i] for i in (where.day, where.low, where.high, first))
        return (self._name(scope), *days, float(p.min()), count, str(words.iloc[0]) if len(words) else "")


def _own(rows: NDArray[np.float64], units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give for each row how far its unit pulls the mean of all rows towards it."""
    if not len(rows):
        return np.zeros(0)
    number, sizes = np.unique(units, return_inverse=True, return_counts=True)[1:]
    centre = rows.mean(axis=0)
    together = np.zeros((len(sizes), rows.shape[1]))
    np.add.at(together, number, rows - centre)
    return np.asarray((rows * together[number]).sum(axis=1) / np.maximum(len(rows) - sizes[number], 1), dtype=float)
