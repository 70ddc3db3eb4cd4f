"""Arrow columns -> columns of codes, without a Python loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .column import Column, compact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .column import Codes

#: Where there is room for so many flags, values are gathered by flags instead of by sorting.
_FLAGS = 50_000_000
#: So many values are sorted at most.
_SORTED = 100_000


class Values(Sequence[Any]):
    """The values of a column, made Python values when they are asked for; after them, NA as None where it occurs."""

    def __init__(self, values: pa.Array, *, na: bool = False) -> None:
        """Wrap an Arrow array."""
        self.known = values
        self._na = na

    def __len__(self) -> int:
        """Count the values."""
        return len(self.known) + self._na

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Any]: ...
    def __getitem__(self, place: int | slice) -> Any:
        """Give a value."""
        if isinstance(place, slice):
            return [self[i] for i in range(*place.indices(len(self)))]
        return None if place == len(self.known) else self.known[int(place)].as_py()


def encode(column: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """Give the code of each row, -1 for NA, and the values that the codes are places in.

    The values are in their own order, whatever the order of the rows, unless they are very many.
    """
    if column.null_count == len(column):
        return np.full(len(column), -1, np.int8), pa.array([], column.type)
    made = column.dictionary_encode().unify_dictionaries()
    values = made.chunk(0).dictionary
    indices = pa.chunked_array([chunk.indices for chunk in made.chunks])
    codes: Codes = pc.fill_null(indices, -1).to_numpy()
    if len(values) > _SORTED:
        return codes, values
    order = pc.array_sort_indices(values)
    rank = np.full(len(values) + 1, -1)  # the last place stays -1, for NA
    rank[order.to_numpy()] = np.arange(len(values))
    return compact(rank, len(values) + 1)[codes], values.take(order)  # with a place for NA


def one_each(name: str, codes: Codes, values: pa.Array, *, outcome: bool = False) -> Column:
    """Make a column of a value a row."""
    absent = codes < 0
    na = bool(absent.any())
    if na:
        codes = np.where(absent, codes.dtype.type(len(values)), codes)
    return Column(name, codes, Values(values, na=na), outcome=outcome)


def gathered(
    name: str, rows: NDArray[np.intp], codes: Codes, values: pa.Array, n: int, *, outcome: bool = False
) -> Column:
    """Make a column of what rows have anywhere in their parts (spans, tags, ...): part `i` of row `rows[i]` has a code.

    Where no row has two different ones it is a column of a value a row. A row none of whose parts has a value is NA.
    """
    given = codes >= 0
    if not given.all():
        rows, codes = rows[given], codes[given]
    first = np.full(n, -1, codes.dtype)
    first[rows] = codes
    if bool((first[rows] == codes).all()):
        return one_each(name, first, values, outcome=outcome)
    absent = np.flatnonzero(first < 0)
    width = len(values) + 1
    keys = np.concatenate([rows.astype(np.int64) * width + codes, absent * width + len(values)])
    if n * width <= _FLAGS:
        flags = np.zeros(n * width, dtype=bool)
        flags[keys] = True
        keys = np.flatnonzero(flags)
    else:
        keys = np.unique(keys)
    owners, kept = np.divmod(keys, width)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n))])
    return Column(name, compact(kept, width), Values(values, na=bool(len(absent))), offsets, outcome=outcome)


def places(ids: pa.ChunkedArray, among: pa.ChunkedArray) -> NDArray[np.intp]:
    """Give the place of each id among the known ones, -1 where it is not."""
    if ids.equals(among):
        return np.arange(len(ids))
    if not len(ids) or not len(among):
        return np.full(len(ids), -1, np.intp)
    found: NDArray[np.intp] = pc.fill_null(pc.index_in(ids, value_set=among), -1).to_numpy().astype(np.intp)
    return found
