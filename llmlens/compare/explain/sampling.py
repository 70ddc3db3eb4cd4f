"""The rows that are looked at closely: all of them, or a sample of the selection and one of the rest.

Whether a condition goes with the selection, given other conditions, is the same in such a sample as in the whole,
whatever its two shares are (case-control sampling; Prentice and Pyke 1979).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .column import Column

_SELECTED = 12_000
_REST = 20_000


@dataclass(frozen=True)
class Sample:
    """Places of rows in the whole, the selected ones first; `selected` of `n_selected` were taken."""

    rows: NDArray[np.intp]
    selected: int
    n_selected: int
    n: int

    @property
    def rest(self) -> int:
        """How many rows of the rest were taken."""
        return len(self.rows) - self.selected

    def scale(self) -> tuple[float, float]:
        """Give how many rows of the selection, and of the rest, a sampled row stands for."""
        return self.n_selected / self.selected, (self.n - self.n_selected) / self.rest

    def matrix(self, columns: Sequence[Column], items: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """Give a row a sampled row and a column an item (place of the column, item): 1 where it holds, else 0."""
        made = np.empty((len(self.rows), len(items)), dtype=np.float32, order="F")  # written a column at a time
        of = np.array([column for column, _ in items], dtype=np.intp)
        for column in np.unique(of).tolist():
            places = np.flatnonzero(of == column).tolist()
            held = columns[column].hold([items[place][1] for place in places], self.rows)
            for place, holds in zip(places, held, strict=True):
                made[:, place] = holds
        return made


def take_sample(selected: NDArray[np.bool_], random: np.random.Generator) -> Sample:
    """Take all rows of each side, or as many at random as there is room for."""
    ours, rest = np.flatnonzero(selected), np.flatnonzero(~selected)
    taken = [
        side if len(side) <= most else np.sort(random.choice(side, most, replace=False))
        for side, most in ((ours, _SELECTED), (rest, _REST))
    ]
    return Sample(np.concatenate(taken), len(taken[0]), len(ours), len(selected))
