"""Where a series stands now and where it may go: simple exponential smoothing with multiplicative errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]

_WEIGHTS = np.linspace(0.0, 0.6, 13)
#: The first values only tell where a series begins.
_START = 7


def simulate(values: Floats, steps: int, draws: int, random: np.random.Generator) -> Floats:
    """Draw how a series of amounts may go on: a row a draw, a column a step.

    The level moves by a share (chosen for the least squared errors of the past) of what each value is off by, so a
    series that wanders gets a wider future than one that stays. Errors are relative to the level and drawn from those
    of the past, scaled up for the parameters that were estimated; each draw starts from a level of its own, drawn
    about the last one. Hyndman, Koehler, Ord and Snyder (2008), Forecasting with Exponential Smoothing, model
    ETS(M,N,N), chapters 5 and 6. Needs at least three values, not all 0.
    """
    fits = [_filtered(values, weight) for weight in _WEIGHTS]
    best = min(range(len(fits)), key=lambda i: float((fits[i][1] ** 2).mean()))
    weight, (level, errors) = _WEIGHTS[best], fits[best]
    errors = errors - errors.mean()
    errors = errors * np.sqrt(len(errors) / max(len(errors) - 2, 1))
    # The level is a weighted mean of about (2 - a) / a values, or of all where it does not move.
    heard = min(len(values), (2 - weight) / weight if weight else np.inf)
    levels = level * np.maximum(1 + errors.std() / np.sqrt(heard) * random.standard_t(len(errors), draws), 0.05)
    found = np.empty((draws, steps))
    for step in range(steps):
        error = random.choice(errors, draws)
        found[:, step] = np.maximum(levels * (1 + error), 0)
        levels = np.maximum(levels * (1 + weight * error), 0)
    return found


def _filtered(values: Floats, weight: float) -> tuple[float, Floats]:
    """Give the last level, and the relative errors of one step ahead."""
    start = min(_START, len(values))
    level = float(values[:start].mean()) or float(values.mean())
    if not weight:  # a level that does not move is the mean of all
        mean = float(values.mean())
        return mean, values / mean - 1
    errors = np.empty(len(values))
    for i, value in enumerate(values):
        errors[i] = value / level - 1
        level = max(level * (1 + weight * errors[i]), 1e-3 * level)
    return level, errors
