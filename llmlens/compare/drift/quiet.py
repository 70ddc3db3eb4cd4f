"""Streams in which nothing happens: outputs of the reference, drawn as they might have come day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .reference import Frozen

    Floats = NDArray[np.float64]


def quiet_streams(view: Frozen, counts: NDArray[np.int64], times: int, rng: np.random.Generator) -> dict[str, Floats]:
    """Draw quiet streams: sums (times, days, slices, directions) of outputs like those of the reference.

    Each stream has a population of its own, of which the reference could be a sample: its units with random weights.
    What is rare in the reference may be less rare there. Rubin (1981), The Bayesian bootstrap, Ann. Stat. 9, 130-134.
    """
    days, size = counts.shape
    made: dict[str, Floats] = {name: np.zeros((times, days, size, rows.shape[1])) for name, rows in view.views.items()}
    for value in range(size):
        known = np.flatnonzero(view.slices[: view.known] == value)
        total = int(counts[:, value].sum())
        if not len(known) or not total:
            continue
        busy = counts[:, value] > 0
        starts = np.concatenate([[0], np.cumsum(counts[busy, value])[:-1]])
        units = Units.of(known, view.units[known])
        # A sample varies less than what it was drawn from, and so it does in a scale that was made for it.
        wider = np.sqrt(units.n / max(units.n - 1, 1))
        for i in range(times):
            chosen = units.drawn(total, rng)
            for name, rows in view.views.items():
                made[name][i, busy, value] = wider * view.wider[name] * np.add.reduceat(rows[chosen], starts, axis=0)
    return made


@dataclass(frozen=True)
class Units:
    """Rows in the order of the units that they belong to; those of unit `i` are `sizes[i]` from `starts[i]` on."""

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, rows: NDArray[np.int64], units: NDArray[np.int64]) -> Units:
        """Put rows in the order of their units."""
        number, sizes = np.unique(units, return_inverse=True, return_counts=True)[1:]
        return cls(rows[np.argsort(number, kind="stable")], np.cumsum(sizes) - sizes, sizes)

    @property
    def n(self) -> int:
        """How many units there are."""
        return len(self.sizes)

    def drawn(self, total: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw `total` rows: those of whole units, with replacement and weights of this draw, the last one cut off."""
        weights = np.cumsum(rng.exponential(size=self.n))
        at_most = -(-total // int(self.sizes.min()))
        units = np.minimum(np.searchsorted(weights / weights[-1], rng.random(at_most)), self.n - 1)
        sizes = self.sizes[units]
        within = np.arange(total) - np.repeat(np.cumsum(sizes) - sizes, sizes)[:total]
        found: NDArray[np.int64] = self.rows[np.repeat(self.starts[units], sizes)[:total] + within]
        return found
