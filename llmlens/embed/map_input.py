"""What a map is made of: the rows that are vectors, and those of them that are laid out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

from .neighbours import unit
from .picture import usable
from .sampling import stratified

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .encoder import Vectors


@dataclass(frozen=True)
class MapInput:
    """`count` rows, of which those at the places `there` are vectors: `known`, at length 1.

    Of these the ones at `chosen` are laid out, all different; the others are placed among them. `sampled` is how many
    were drawn, before equal ones were taken for one.
    """

    count: int
    there: NDArray[np.int64]
    known: Vectors
    sampled: int
    chosen: NDArray[np.int64]

    @classmethod
    def of(
        cls, vectors: Vectors, strata: Sequence[object] | NDArray[np.generic] | None, limit: int, seed: int
    ) -> MapInput:
        """Draw at most `limit` rows by their strata; raises `EmbeddingError` for what is no matrix, or other strata."""
        rows = matrix_of(vectors)
        if strata is not None and len(strata) != len(rows):
            raise EmbeddingError(f"strata needs a label for each of the {len(rows):,} vectors; got {len(strata):,}.")
        there = np.flatnonzero(usable(rows))
        known, labels = rows[there], None if strata is None else np.asarray(strata, dtype=object)[there]
        sample = stratified(len(known), limit, labels, seed)
        return cls(len(rows), there, known, len(sample), _distinct(known, sample))

    @property
    def anchors(self) -> Vectors:
        """The vectors that are laid out."""
        return self.known[self.chosen]

    def notes(self) -> list[str]:
        """Say what is not laid out."""
        notes = []
        if self.sampled < len(self.known):
            placed = len(self.known) - self.sampled
            notes.append(f"{placed:,} points were placed by their neighbours among {self.sampled:,}.")
        if len(self.known) < self.count:
            missing = self.count - len(self.known)
            notes.append(f"{missing:,} of {self.count:,} rows have no vector and are not on the map.")
        return notes


def matrix_of(vectors: Vectors) -> Vectors:
    """Check the vectors, and scale them to length 1: only their directions count."""
    rows = np.asarray(vectors, dtype=np.float32)
    if rows.ndim != 2:
        raise EmbeddingError(f"Expected vectors as a matrix (rows, dimensions); got an array of shape {rows.shape}.")
    return unit(np.where(usable(rows)[:, None], rows, np.nan))


def _distinct(vectors: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the rows without those that have the vector of an earlier one."""
    if not vectors.shape[1]:
        return rows[:1]
    chosen = np.ascontiguousarray(vectors[rows]) + 0.0  # -0 is 0
    as_bytes = chosen.view(np.dtype((np.void, chosen.itemsize * chosen.shape[1]))).ravel()
    return rows[np.sort(np.unique(as_bytes, return_index=True)[1])]
