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


def mix_shift(
    windows: Windows, prompts: NDArray[np.float64], times: int, seed: int, units: NDArray[np.int64] | None = None
) -> MixShift:
    """Compare the mixes of slices (total variation distance, chi-squared by permutation) and, in words, of prompts.

    The distance is less by what two samples of one mix differ, which is never 0; the interval is the bootstrap's.
    `units` numbers what is independent, such as sessions, each of one window: they are permuted and drawn again as
    wholes. By default every output is independent.
    """
    kinds, each = _kinds(windows, units)
    rng = np.random.default_rng(seed)
    table = each @ kinds
    total = table.sum(axis=0)
    null = rng.multivariate_hypergeometric(each.sum(axis=0), each[1].sum(), size=times) @ kinds
    pooled = total / total.sum()
    observed = _chi_squared(table[1], pooled)
    as_far = (_chi_squared(null, pooled) >= observed * (1 - 1e-12)).sum()
    shares = _shares(table)
    by_chance = _distance(_shares(total - null), _shares(null)).mean()
    drawn = [_shares(rng.multinomial(of.sum(), of / of.sum(), size=times) @ kinds) for of in each]
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
        moved=_moved(windows, shares) + _prompts_moved(windows, prompts, units),
    )


def _kinds(windows: Windows, units: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the different contents of units (how many outputs of each slice), and how many of each a window has."""
    of = np.arange(len(windows.after)) if units is None else units
    held = np.zeros((int(of.max()) + 1, len(windows.names)), dtype=np.int64)
    np.add.at(held, (of, windows.slices), 1)
    after = np.zeros(len(held), dtype=bool)
    after[of] = windows.after
    kinds, kind = np.unique(-held, axis=0, return_inverse=True)  # single outputs in the order of their slices
    return -kinds, np.stack([np.bincount(kind[side], minlength=len(kinds)) for side in (~after, after)])


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True), dtype=float)


def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(one - other).sum(axis=-1) / 2, dtype=float)


def _chi_squared(after: NDArray[np.int64], pooled: NDArray[np.float64]) -> NDArray[np.float64]:
    expected = after.sum(axis=-1, keepdims=True) * pooled
    return np.asarray(((after - expected) ** 2 / np.where(expected > 0, expected, 1)).sum(axis=-1), dtype=float)


def _moved(windows: Windows, shares: NDArray[np.float64]) -> str:
    change = 100 * (shares[1] - shares[0])
    told = [i for i in np.argsort(-np.abs(change), kind="stable")[:_TOLD] if abs(change[i]) >= _POINTS]
    return ", ".join(f"{windows.names[i]} {100 * shares[0, i]:.0f} % → {100 * shares[1, i]:.0f} %" for i in told)


def _prompts_moved(windows: Windows, score: NDArray[np.float64], units: NDArray[np.int64] | None) -> str:
    """Say so when the prompts of the same slice tell the window."""
    found = separation(score, windows.after, windows.slices, units)
    if found is None or found.low <= 0.55:
        return ""
    return f"; within slices other prompts are asked (told apart {100 * found.auc:.0f} % of the time)"
