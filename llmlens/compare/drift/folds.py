"""Which outputs a rule is fitted on, and which it is asked about: never two of the same unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_FOLDS = 5


def folds(
    after: NDArray[np.bool_], units: NDArray[np.int64] | None, seed: int, *, least: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Give the places to learn from and to judge, five times; none with fewer than `least` units in a window.

    `units` numbers what is independent, such as sessions, each of one window; by default every output is.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    of = np.arange(len(after)) if units is None else units
    if min(len(np.unique(of[side])) for side in (after, ~after)) < least:
        return
    rows = np.zeros((len(after), 1))
    if len(np.unique(of)) == len(of):
        yield from StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(rows, after)
    else:
        yield from StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed).split(rows, after, of)
