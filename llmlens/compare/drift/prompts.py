"""What was asked, as numbers, and what is left of the answers once that is taken out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .components import components, normal_scores
from .format_features import format_features
from .strata import centred
from .terms import inner_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_DIMENSIONS = 40
#: Strengths of the ridge that are tried, in units of the mean variance of a direction.
_RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0, 1e3)


def prompt_space(prompts: Sequence[str], slices: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Give (number of prompts, dimensions): form and words of each prompt, within its slice, of mean length 1."""
    form = centred(normal_scores(format_features(prompts)), slices)
    words = components(inner_terms(prompts).weighted(), slices, _DIMENSIONS, seed)
    scaled = [part / length for part in (form, words) if (length := np.sqrt((part**2).sum(axis=1).mean())) > 0]
    return np.hstack(scaled) / np.sqrt(len(scaled)) if scaled else np.zeros((len(prompts), 0))


def residuals(answers: NDArray[np.float64], prompts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Subtract from each answer what a ridge regression on all the other prompts and answers expects of it.

    Leaving each one out is exact and costs one decomposition: Allen (1974), The relationship between variable selection
    and data augmentation and a method for prediction, Technometrics 16, 125-127 (PRESS). The windows are not told
    apart, so that what is left can be permuted; the ridge is the one that expects the answers best.
    """
    if not prompts.shape[1] or len(answers) < 4:
        return answers
    left, strengths, _ = np.linalg.svd(prompts, full_matrices=False)
    variances = strengths**2
    projected = left.T @ answers
    best, least = answers, float((answers**2).sum())
    for ridge in _RIDGES:
        shrink = variances / (variances + ridge * variances.mean())
        leverage = (left**2) @ shrink
        rest = (answers - left @ (shrink[:, None] * projected)) / (1 - np.minimum(leverage, 0.99))[:, None]
        error = float((rest**2).sum())
        if error < least:
            best, least = rest, error
    return best
