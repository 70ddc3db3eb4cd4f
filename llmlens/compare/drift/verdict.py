"""The test itself: the outputs of two windows, conditioned on slice and prompt, against permutations of the windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .detectable import detectable
from .permutation import Labels, Shifts, combined, p_value, tail
from .prompts import prompt_space
from .separation import Separation, scores, separation
from .strata import propensity, subclasses
from .views import conditioned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .views import Measured
    from .windows import Windows

#: Outputs (sessions, where they have more than one) that a slice needs in each window to be judged by itself.
LEAST = 8
#: How much what all slices share counts, and what moved most in one of them.
_WEIGHTS = (1.5, 1.0)


@dataclass(frozen=True)
class Verdict:
    """What was found in one slice, or in all of them; `view` is the one that moved most."""

    n_before: int
    n_after: int
    p: float
    statistic: float
    view: str
    effect: Separation | None
    detectable: float | None


@dataclass(frozen=True)
class Test:
    """The conditioned views of two windows and their permutations."""

    windows: Windows
    measured: Measured
    prompts: NDArray[np.float64]
    propensity: NDArray[np.float64]
    labels: Labels
    vectors: NDArray[np.float32] | None
    units: NDArray[np.int64]
    views: dict[str, NDArray[np.float64]]
    shifts: dict[str, Shifts]
    score: NDArray[np.float64]
    seed: int

    @classmethod
    def of(cls, windows: Windows, *, times: int, seed: int, vectors: NDArray[np.float32] | None = None) -> Test:
        """Condition and permute: nothing that is fitted here sees which window an output is of, but the propensity."""
        measured, asked = windows.measured(vectors)
        prompts = prompt_space(asked.form, asked.inner, windows.slices, seed)
        units = windows.units
        towards = propensity(prompts, windows.slices, windows.after, seed, units)
        strata = subclasses(towards, windows.slices)
        views = conditioned(measured.views(windows.slices, seed), prompts, windows.slices, strata)
        labels = Labels.permuted(windows.after, strata, times, seed, units)
        together = np.hstack(list(views.values())) if views else np.zeros((len(windows.after), 0))
        return cls(
            windows=windows,
            measured=measured,
            prompts=prompts,
            propensity=towards,
            labels=labels,
            vectors=vectors,
            units=units,
            views=views,
            shifts={name: Shifts.of(view, labels) for name, view in views.items()},
            score=scores(together, windows.after, strata, seed, units),
            seed=seed,
        )

    def strata_of(self, slice_number: int) -> list[int]:
        """Give the strata of a slice."""
        return [int(value) for value in np.unique(self.labels.strata[self.windows.slices == slice_number])]

    def judged(self) -> list[int]:
        """Give the slices with enough outputs in both windows, of as many sessions."""
        return [i for i in range(len(self.windows.names)) if min(self.independent(i)) >= LEAST]

    def independent(self, slice_number: int | None = None) -> tuple[int, int]:
        """Count what is independent before and after: the sessions, and the outputs that have none."""
        inside = slice(None) if slice_number is None else self.windows.slices == slice_number
        units, after = self.units[inside], self.windows.after[inside]
        return len(np.unique(units[~after])), len(np.unique(units[after]))

    def of_slice(self, slice_number: int) -> Verdict | None:
        """Judge one slice; None where no two of its outputs were asked alike."""
        strata = self.strata_of(slice_number)
        found = {name: each.statistic(strata) for name, each in self.shifts.items()}
        tails = {name: tail(statistic) for name, statistic in found.items() if statistic is not None}
        if not tails:
            return None
        inside = self.windows.slices == slice_number
        # By a rule of its own: that of all outputs follows whatever moved most, elsewhere.
        after, strata_inside, units = self.windows.after[inside], self.labels.strata[inside], self.units[inside]
        rule = np.hstack([view[inside] for view in self.views.values()])
        score = scores(rule, after, strata_inside, self.seed, units)
        effect = separation(score, after, strata_inside, units)
        seen = detectable(self.shifts, self.views, strata, self.seed)
        return self._verdict(combined(list(tails.values())), tails, effect, seen, slice_number)

    def overall(self) -> Verdict:
        """Judge all outputs: what moved everywhere alike, and what moved most in one slice, together.

        A shift that all slices share adds up in the mean of all; one that a single slice has would drown there.
        """
        tails = {name: tail(s) for name, each in self.shifts.items() if (s := each.statistic()) is not None}
        common = combined(list(tails.values()))
        of_slices = []
        for slice_number in self.judged():
            strata = self.strata_of(slice_number)
            found = [s for each in self.shifts.values() if (s := each.statistic(strata)) is not None]
            if found:
                of_slices.append(tail(combined([tail(statistic) for statistic in found])))
        statistic = common
        if len(of_slices) > 1:
            statistic = combined([tail(common), tail(-np.min(of_slices, axis=0))], _WEIGHTS)
        effect = separation(self.score, self.windows.after, self.labels.strata, self.units)
        seen = detectable(self.shifts, self.views, None, self.seed)
        return self._verdict(statistic, tails, effect, seen, None)

    def _verdict(
        self,
        statistic: NDArray[np.float64],
        tails: dict[str, NDArray[np.float64]],
        effect: Separation | None,
        seen: float | None,
        slice_number: int | None,
    ) -> Verdict:
        n_before, n_after = self.windows.counts(slice_number)
        null = statistic[1:]
        return Verdict(
            n_before=n_before,
            n_after=n_after,
            p=p_value(statistic),
            statistic=float((statistic[0] - null.mean()) / max(null.std(), 1e-12)),
            view=min(tails, key=lambda name: float(tails[name][0])),
            effect=effect,
            detectable=seen,
        )
