"""Rank-biased overlap: how much alike two rankings are, of which the top counts most."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Codes: TypeAlias = npt.NDArray[np.int64]


def rank_biased_overlap(a: Codes, b: Codes, p: float = 0.9) -> Floats:
    """Give the extrapolated overlap of pairs of rankings: 1 for the same, 0 for none in common.

    `a` and `b` are pairs x ranks: codes of the documents, each at most once in a ranking, -1 beyond its end. With
    `p=0.9` the first ten ranks hold 86 % of the weight. Two empty rankings are the same; an empty one and another have
    nothing in common. Webber, Moffat and Zobel (2010), A similarity measure for indefinite rankings, ACM TOIS 28(4),
    equation 32, which also takes rankings of different length.
    """
    width = max(a.shape[1], b.shape[1], 1)
    a, b = (np.pad(each, ((0, 0), (0, width - each.shape[1])), constant_values=-1) for each in (a, b))
    lengths = np.stack([(each >= 0).sum(axis=1) for each in (a, b)])
    short, long = lengths.min(axis=0), lengths.max(axis=0)
    same = (a[:, :, None] == b[:, None, :]) & (a[:, :, None] >= 0)
    # Documents common to the first d ranks of both: those whose worse rank is at most d.
    worse = np.maximum.outer(np.arange(width), np.arange(width))
    common = np.stack([(same & (worse == d)).sum(axis=(1, 2)) for d in range(width)], axis=1).cumsum(axis=1)
    depth = np.arange(1, width + 1)
    weight = p**depth
    within = depth <= long[:, None]
    rows = np.arange(len(a))
    at_short = np.where(short > 0, common[rows, np.maximum(short - 1, 0)], 0)
    at_long = np.where(long > 0, common[rows, np.maximum(long - 1, 0)], 0)
    agreed = (common / depth * weight * within).sum(axis=1)
    safe = np.maximum(short, 1)
    beyond = depth > short[:, None]
    uneven = (at_short[:, None] * (depth - short[:, None]) / (depth * safe[:, None]) * weight * (within & beyond)).sum(
        axis=1
    )
    rest = ((at_long - at_short) / np.maximum(long, 1) + at_short / safe) * p ** long.astype(float)
    found = (1 - p) / p * (agreed + uneven) + rest
    return np.where(long == 0, 1.0, np.where(short == 0, 0.0, found))
