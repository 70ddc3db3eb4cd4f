"""What changed in the traffic: which slices were asked more, and whether the prompts within them are others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .separation import separation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .windows import Windows

_TOLD = 4
#: A slice is told when its share moved by as much, in percentage points.
_POINTS = 1.0


class MixShift(NamedTuple):
    """The share of the traffic that would have to move to make the mixes equal, with an interval and a p-value."""

    statistic: float
    distance: float
    low: float
    high: float
    p: float
    moved: str


def mix_shift(windows: Windows, prompts: NDArray[np.float64], times: int, seed: int) -> MixShift:
    """Compare the mixes of slices (total variation distance, chi-squared by permutation) and, in words, of prompts.

    The distance is less by what two samples of one mix differ, which is never 0; the interval is the bootstrap's.
    """
    n_before, n_after = windows.counts()
    size = len(windows.names)
    table = np.stack([np.bincount(windows.slices[side], minlength=size) for side in (~windows.after, windows.after)])
    rng = np.random.default_rng(seed)
    total = table.sum(axis=0)
    null = rng.multivariate_hypergeometric(total, n_after, size=times)
    pooled = total / total.sum()
    observed = _chi_squared(table[1], n_after, pooled)
    as_far = (_chi_squared(null, n_after, pooled) >= observed * (1 - 1e-12)).sum()
    shares = table / np.array([[n_before], [n_after]])
    by_chance = _distance((total - null) / n_before, null / n_after).mean()
    drawn = [rng.multinomial(n, share, size=times) / n for n, share in zip((n_before, n_after), shares, strict=True)]
    distance = _distance(*shares) - by_chance
    # Twice the noise is in the draws from the samples: once that of the samples, once their own.
    spread = _distance(*drawn)
    low, high = distance + np.quantile(spread - spread.mean(), [0.025, 0.975])
    return MixShift(
        statistic=float(observed),
        distance=max(0.0, float(distance)),
        low=max(0.0, float(low)),
        high=min(1.0, max(0.0, float(high))),
        p=float((as_far + 1) / (times + 1)),
        moved=_moved(windows, shares) + _prompts_moved(windows, prompts),
    )


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(one - other).sum(axis=-1) / 2, dtype=float)


def _chi_squared(after: NDArray[np.int64], n: int, pooled: NDArray[np.float64]) -> NDArray[np.float64]:
    expected = n * pooled
    return np.asarray(((after - expected) ** 2 / np.where(expected > 0, expected, 1)).sum(axis=-1), dtype=float)


def _moved(windows: Windows, shares: NDArray[np.float64]) -> str:
    change = 100 * (shares[1] - shares[0])
    told = [i for i in np.argsort(-np.abs(change), kind="stable")[:_TOLD] if abs(change[i]) >= _POINTS]
    return ", ".join(f"{windows.names[i]} {100 * shares[0, i]:.0f} % → {100 * shares[1, i]:.0f} %" for i in told)


def _prompts_moved(windows: Windows, score: NDArray[np.float64]) -> str:
    """Say so when the prompts of the same slice tell the window."""
    found = separation(score, windows.after, windows.slices)
    if found is None or found.low <= 0.55:
        return ""
    return f"; within slices other prompts are asked (told apart {100 * found.auc:.0f} % of the time)"
