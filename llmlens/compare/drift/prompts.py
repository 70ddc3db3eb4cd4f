"""What was asked, as numbers, and what is left of the answers once that is taken out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .components import components, normal_scores
from .strata import centred

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .terms import Terms

    Floats = NDArray[np.float64]

#: Answers below which no regression is tried.
_FEWEST = 4
_DIMENSIONS = 40
#: Strengths of the ridge that are tried, in units of the mean variance of a direction.
_RIDGES = (0.01, 0.1, 1.0, 10.0, 100.0, 1e3)


def prompt_space(form: Floats, terms: Terms, slices: NDArray[np.int64], seed: int) -> Floats:
    """Give (number of prompts, dimensions): form and words of each prompt, within its slice, of mean length 1."""
    form = centred(normal_scores(form), slices)
    words = components(terms.weighted(), slices, _DIMENSIONS, seed)
    scaled = [part / length for part in (form, words) if (length := np.sqrt((part**2).sum(axis=1).mean())) > 0]
    return np.hstack(scaled) / np.sqrt(len(scaled)) if scaled else np.zeros((len(slices), 0))


@dataclass(frozen=True)
class Expectation:
    """A ridge regression of answers on prompts: what is expected of an answer, given what was asked."""

    left: Floats
    shrink: Floats
    weights: Floats

    @classmethod
    def of(cls, answers: Floats, prompts: Floats) -> Expectation:
        """Fit; the ridge is the one that expects answers best that it has not seen, which may be none at all."""
        left, strengths, right = np.linalg.svd(prompts, full_matrices=False)
        variances = strengths**2
        projected = left.T @ answers
        best, least = np.zeros_like(variances), float((answers**2).sum())
        for ridge in _RIDGES if len(answers) >= _FEWEST and len(variances) else ():
            shrink = variances / (variances + ridge * variances.mean())
            error = float((_left_out(answers, left, shrink, projected) ** 2).sum())
            if error < least:
                best, least = shrink, error
        scale = best / np.where(strengths > 0, strengths, 1)
        return cls(left, best, right.T @ (scale[:, None] * projected))

    def left_out(self, answers: Floats) -> Floats:
        """Give what is left of each answer that it was fitted on, had it not been: exact, from the one fit.

        Allen (1974), The relationship between variable selection and data augmentation and a method for prediction,
        Technometrics 16, 125-127 (PRESS).
        """
        return _left_out(answers, self.left, self.shrink, self.left.T @ answers)

    def of_prompts(self, prompts: Floats) -> Floats:
        """Give the answers that are expected of prompts that it was not fitted on."""
        return np.asarray(prompts @ self.weights, dtype=float)


def _left_out(answers: Floats, left: Floats, shrink: Floats, projected: Floats) -> Floats:
    leverage = np.minimum((left**2) @ shrink, 0.99)
    return np.asarray((answers - left @ (shrink[:, None] * projected)) / (1 - leverage)[:, None], dtype=float)


def residuals(answers: Floats, prompts: Floats, slices: NDArray[np.int64]) -> Floats:
    """Subtract from each answer what is expected of it by all the other prompts and answers of its slice.

    The windows are not told apart, so that what is left can be permuted. What moved in one slice must not be expected
    of the others, where prompts of the same days would then seem to be answered the other way round.
    """
    rest = np.array(answers)
    for value in np.unique(slices):
        inside = np.flatnonzero(slices == value)
        rest[inside] = Expectation.of(answers[inside], prompts[inside]).left_out(answers[inside])
    return rest
