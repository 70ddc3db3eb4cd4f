"""What moved, in words and units: "34 % shorter, bullets 1.2 → 2.6 an answer, refusals 0.4 % → 6.1 %"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .components import normal_scores
from .format_features import FEATURES, FormatFeature
from .permutation import Shifts
from .prompts import residuals
from .strata import centred

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from .permutation import Labels
    from .terms import Terms
    from .views import Measured
    from .windows import Windows

    Floats = NDArray[np.float64]

_LEVEL = 0.05
_FEATURES_TOLD = 4
_TERMS_TOLD = 4
_TERMS_TRIED = 1_500
#: Permutations that terms are judged by; there are many of them.
_TIMES = 299


@dataclass(frozen=True)
class Columns:
    """Named columns with their differences under each permutation, as t-like statistics."""

    names: list[str]
    shifts: Shifts
    spread: Floats

    def telling(self, strata: Collection[int] | None) -> list[tuple[int, float]]:
        """Give (column, statistic) of those that moved, the largest first.

        Each is judged against the largest of all columns in each permutation: Westfall and Young (1993), Resampling-
        Based Multiple Testing.
        """
        found = self.shifts.mean(strata)
        if found is None or not self.names:
            return []
        statistic = np.sqrt(found[0])[:, None] * found[1] / np.where(self.spread > 0, self.spread, np.inf)
        threshold = np.quantile(np.abs(statistic[1:]).max(axis=1), 1 - _LEVEL)
        order = np.argsort(-np.abs(statistic[0]), kind="stable")
        return [(int(i), float(statistic[0, i])) for i in order if abs(statistic[0, i]) > threshold]


class Movements:
    """What can be said of the outputs of two windows; asked for all of them and for each slice."""

    def __init__(self, windows: Windows, measured: Measured, prompts: Floats, labels: Labels) -> None:
        """Take the differences of form, words, openings and closings under each permutation."""
        self._windows = windows
        self._form = measured.form
        varied = self._form.std(axis=0) > 1e-12
        self._features = [feature for feature, kept in zip(FEATURES, varied, strict=True) if kept]
        self._form = self._form[:, varied]
        few = type(labels)(labels.rows[: _TIMES + 1], labels.strata)
        scores = centred(normal_scores(self._form), windows.slices)
        conditioned = centred(residuals(scores, prompts, windows.slices), labels.strata)
        self._of_form = Columns(
            [feature.name for feature in self._features], Shifts.of(conditioned, few), conditioned.std(axis=0)
        )
        self._terms = [_term_columns(terms, few) for terms in (measured.edges, measured.inner)]

    def words(self, slice_number: int | None, strata: Collection[int] | None) -> str:
        """Say what moved in one slice, or in all of them at the mix before."""
        told: list[str] = []
        families: set[str] = set()
        for column, statistic in self._of_form.telling(strata):
            feature = self._features[column]
            family = feature.family or feature.name
            old, new = self._levels(self._form[:, column], feature, slice_number)
            # What moved only once the prompt is taken out of it would read as a contradiction here.
            if family not in families and len(told) < _FEATURES_TOLD and (new - old) * statistic > 0:
                families.add(family)
                told.append(_sentence(feature, old, new))
        told += self._terms_moved(strata)
        return ", ".join(told)

    def _levels(self, values: Floats, feature: FormatFeature, slice_number: int | None) -> tuple[float, float]:
        """Give the level before and after, after at the mix of slices before."""
        scale = np.log1p(values) if feature.kind == "size" else values
        after, slices = self._windows.after, self._windows.slices
        levels, weights = [], []
        for value in np.unique(slices) if slice_number is None else [slice_number]:
            inside = slices == value
            if (inside & after).any() and (inside & ~after).any():
                levels.append((scale[inside & ~after].mean(), scale[inside & after].mean()))
                weights.append((inside & ~after).sum())
        old, new = np.average(levels, axis=0, weights=weights)
        return (float(np.expm1(old)), float(np.expm1(new))) if feature.kind == "size" else (float(old), float(new))

    def _terms_moved(self, strata: Collection[int] | None) -> list[str]:
        told = []
        edges, inner = self._terms
        if found := edges.telling(strata):
            came = [edges.names[i] for i, t in found if t > 0]
            went = [edges.names[i] for i, t in found if t < 0]
            for word, terms in (("more often", came), ("less often", went)):
                if terms:
                    told.append(f"{word} “{_spoken(max(terms[:3], key=len))}”")
        if found := inner.telling(strata):
            for word, sign in (("more", 1), ("fewer", -1)):
                terms = _distinct([inner.names[i] for i, t in found if t * sign > 0])
                if terms:
                    told.append(f"{word} of " + ", ".join(f"“{term}”" for term in terms))
        return told


def _term_columns(terms: Terms, labels: Labels) -> Columns:
    """Take the most frequent terms that are words, as they are: there or not."""
    frequency = np.asarray(terms.matrix.sum(axis=0)).ravel()
    worded = np.array([_is_worded(name) for name in terms.names], dtype=bool)
    chosen = np.sort(np.argsort(-np.where(worded, frequency, 0), kind="stable")[:_TERMS_TRIED])
    chosen = chosen[worded[chosen]] if len(chosen) else chosen
    matrix = terms.matrix[:, chosen].toarray().astype(float)
    within = centred(matrix, labels.strata)
    return Columns([terms.names[i] for i in chosen], Shifts.of(within, labels), within.std(axis=0))


def _is_worded(name: str) -> bool:
    """Whether a term is one to be told: all of its tokens words, or an opening or closing that has some."""
    if "…" in name:
        return any(character.isalpha() for character in name)
    return all(token.isalpha() for token in name.split())


def _spoken(edge: str) -> str:
    """Write an opening or closing without the blanks that its tokens were cut at."""
    return re.sub(r"\s+([^\w\s…])", r"\1", edge)


def _distinct(terms: list[str]) -> list[str]:
    """Keep the first few terms that do not repeat a word of those before."""
    kept: list[str] = []
    seen: set[str] = set()
    for term in terms:
        words = {word for word in term.split() if word.isalpha()}
        if not words & seen and len(kept) < _TERMS_TOLD:
            kept.append(term)
            seen |= words
    return kept


def _sentence(feature: FormatFeature, old: float, new: float) -> str:
    """Write one movement."""
    if feature.kind == "size":
        change = (new + 1) / (old + 1) - 1
        told = f"{abs(100 * change):.0f} % {'longer' if change > 0 else 'shorter'}"
        if feature.name == "sentence_length":
            return f"sentences {told} ({old:,.0f} → {new:,.0f} words)"
        return f"{told} ({old:,.0f} → {new:,.0f} {feature.noun})"
    if feature.kind in ("flag", "share"):
        of = "" if feature.kind == "flag" else " of the words" if feature.per == "words" else " of the characters"
        return f"{feature.noun} {_figures(100 * old, 100 * new, ' %')}{of}"
    return f"{feature.noun} {_figures(old, new)}" + (" an answer" if feature.kind == "count" else "")


def _figures(old: float, new: float, unit: str = "") -> str:
    """Write both with as many digits as tell them apart."""
    least = min((value for value in (old, new) if value > 0), default=1.0)
    for digits in range(7):
        written = [f"{value:,.{digits}f}" for value in (old, new)]
        told = written[0] != written[1] and least * 10**digits >= 1 and (digits > 0 or abs(new - old) >= 1)
        if told or (digits > 1 and written[0] != written[1]):
            break
    written = ["0" if value == 0 else figure for value, figure in zip((old, new), written, strict=True)]
    return f"{written[0]}{unit} → {written[1]}{unit}"
