"""An attribute of rows as integer codes, and the conditions ("items") that can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    #: Places of values, -1 for none; of the smallest type that holds them.
    Codes: TypeAlias = NDArray[np.signedinteger[Any]]


def compact(codes: NDArray[Any], n_codes: int) -> Codes:
    """Store codes below `n_codes` in the smallest type that holds them: fewer bytes are sooner counted and taken."""
    kept: Codes = codes.astype(np.min_scalar_type(-n_codes - 1), copy=False)
    return kept


@dataclass(frozen=True)
class Column:
    """One attribute of `n` rows. A row has one code, or several where `offsets` is given (a set, such as tags).

    `codes`: the code of each row; with `offsets`, those of row `i` are `codes[offsets[i]:offsets[i + 1]]`, none twice.
    Item `j` holds for a row that has a code in `[low[j], high[j])`; `values[j]` is what the reader sees of it. Items of
    categories are a code each, those of ordered bins may be ranges. `outcome`: it tells what came of a request rather
    than under what circumstances it was made.
    """

    name: str
    codes: Codes
    values: Sequence[Any]
    offsets: NDArray[np.int64] | None = None
    ranges: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
    outcome: bool = False
    n_codes: int = field(default=0)

    @property
    def is_set(self) -> bool:
        """Say whether a row can have several codes."""
        return self.offsets is not None

    @property
    def is_ordered(self) -> bool:
        """Say whether the items are ranges of ordered bins, which overlap each other."""
        return self.ranges is not None

    @property
    def low(self) -> NDArray[np.int64]:
        """The first code of each item."""
        return np.arange(len(self.values)) if self.ranges is None else self.ranges[0]

    @property
    def high(self) -> NDArray[np.int64]:
        """The code after the last one of each item."""
        return np.arange(1, len(self.values) + 1) if self.ranges is None else self.ranges[1]

    def count(self, rows: NDArray[np.intp] | None = None) -> NDArray[np.int64]:
        """Count for how many rows (all, or those at the given places) each item holds."""
        return self._totals if rows is None else self._counted(self.take(rows)[0])

    @cached_property
    def _totals(self) -> NDArray[np.int64]:
        return self._counted(self.codes)

    def _counted(self, codes: Codes) -> NDArray[np.int64]:
        return self.of_codes(np.bincount(codes, minlength=self.length))

    def of_codes(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Add counts of codes, along the last axis, up to counts of items."""
        if self.ranges is None:
            return counts
        until = np.concatenate([np.zeros((*counts.shape[:-1], 1), counts.dtype), np.cumsum(counts, axis=-1)], axis=-1)
        summed: NDArray[np.int64] = until[..., self.high] - until[..., self.low]
        return summed

    @property
    def length(self) -> int:
        """How many codes there are."""
        return len(self.values) if self.ranges is None else self.n_codes

    def take(self, rows: NDArray[np.intp]) -> tuple[Codes, NDArray[np.intp] | None]:
        """Give the codes of the given rows, and the place in `rows` of each; None where every row has one."""
        if self.offsets is None:
            return self.codes[rows], None
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        owners = np.repeat(np.arange(len(rows)), lengths)
        before = np.cumsum(lengths) - lengths
        return self.codes[np.arange(len(owners)) + (starts - before)[owners]], owners

    def holds(self, item: int, rows: NDArray[np.intp] | None = None) -> NDArray[np.bool_]:
        """Say for which rows (all, or those at the given places) an item holds."""
        return next(self.hold([item], rows))

    def hold(self, items: Sequence[int], rows: NDArray[np.intp] | None = None) -> Iterator[NDArray[np.bool_]]:
        """Say for each of several items what `holds` says, sooner than one by one."""
        codes, owners = (self.codes, self._owners) if rows is None else self.take(rows)
        for item in items:
            low, high = int(self.low[item]), int(self.high[item])
            inside: NDArray[np.bool_] = (codes >= low) & (codes < high) if high > low + 1 else codes == low
            if self.offsets is None or owners is None:
                yield inside
            else:
                holds = np.zeros(len(self.offsets) - 1 if rows is None else len(rows), dtype=bool)
                holds[owners[inside]] = True
                yield holds

    @cached_property
    def _owners(self) -> NDArray[np.intp] | None:
        """The row of each code."""
        if self.offsets is None:
            return None
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
