"""Pairs to look at: what was answered before and after to the same prompt, or to the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.measure.shape import Result

from .result import PAIR_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from .verdict import Test

_EACH = 3
#: Outputs of a slice that are looked through for the nearest prompt.
_MOST = 2_000


def examples(test: Test, slices: list[int], each: int = _EACH) -> pd.DataFrame:
    """Give a row a pair, a few of each slice: the outputs that look most like their window, with like prompts.

    The pairs whose prompts are the same come first; no output is in two pairs.
    """
    import pandas as pd

    rows = [row for number in slices for row in _pairs(test, number, each)]
    return Result(pd.DataFrame(rows, columns=list(PAIR_COLUMNS)))


def _pairs(test: Test, number: int, each: int) -> list[tuple[object, ...]]:
    windows = test.windows
    inside = windows.slices == number
    old, new = (np.flatnonzero(inside & side)[:_MOST] for side in (~windows.after, windows.after))
    if not len(old) or not len(new):
        return []
    distance = _distances(test.prompts[old], test.prompts[new])
    prompts = np.array(windows.prompts, dtype=object)
    same = (prompts[old][:, None] == prompts[new][None, :]) & (prompts[new] != "")[None, :]
    # How much a pair shows: the one looks like before, the other like after.
    shows = test.score[new][None, :] - test.score[old][:, None]
    far = np.where(same, 0.0, 1.0 + distance)
    spread = shows.std() or 1.0
    order = np.argsort((far - shows / spread / 4).ravel(), kind="stable")
    taken_old: set[int] = set()
    taken_new: set[int] = set()
    found: list[tuple[object, ...]] = []
    for place in order[: 50 * each]:
        i, j = divmod(int(place), len(new))
        if i in taken_old or j in taken_new:
            continue
        taken_old.add(i)
        taken_new.add(j)
        one, other = windows.rows.iloc[old[i]], windows.rows.iloc[new[j]]
        found.append((
            windows.names[number], bool(same[i, j]), one["prompt"], one["text"], other["prompt"], other["text"],
            one["trace_id"], other["trace_id"], one["span_id"], other["span_id"],
        ))  # fmt: skip
        if len(found) == each:
            break
    return found


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    squared = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
