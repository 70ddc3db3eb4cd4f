"""Names of groups: the terms that set the texts of one apart from those of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.compare.drift.terms import inner_terms

from .grouping import OUTLIER
from .redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

OUTLIERS = "outliers"
_TERMS = 3
#: Texts of a group that are read.
_READ = 200
#: A term of a name is in at least this share of the texts that were read (the other where no term is), and in so many.
_COMMON, _LEAST = (0.1, 0.03), 2
#: And in the group so many times as frequent as elsewhere.
_TELLING = 1.5


def names_of(labels: NDArray[np.int64], texts: Sequence[str], seed: int = 0) -> list[str]:
    """Name each group by up to three terms (words or pairs of them), best first, such as "refund · store credit".

    Terms are weighted by c-TF-IDF (Grootendorst 2022, BERTopic: how frequent a term is in a group, by how rare it is
    in all), where a text counts once. Ids, numbers, addresses and keys never become part of a name, nor what is in one
    text alone. Two groups have different names.
    """
    count = int(labels.max(initial=OUTLIER)) + 1
    rows = _drawn(labels, count, seed)
    terms = inner_terms(redacted([texts[row] for row in rows]))
    worded = np.array([_is_worded(name) for name in terms.names], dtype=bool)
    if not count or not worded.any():
        return _distinct([""] * count)
    matrix = terms.matrix[:, np.flatnonzero(worded)]
    known = [name for name, kept in zip(terms.names, worded, strict=True) if kept]
    of_row = labels[rows]
    counts = np.vstack([np.asarray(matrix[of_row == group].sum(axis=0)).ravel() for group in range(OUTLIER, count)])
    sizes = np.bincount(of_row + 1, minlength=count + 1)[:, None]
    share = counts / np.maximum(sizes, 1)
    elsewhere = (counts.sum(axis=0) - counts) / np.maximum(sizes.sum() - sizes, 1)
    each = counts.sum(axis=1).mean()  # terms of a group, on average: "A" of the paper
    weight = share * np.log1p(each / np.maximum(counts.sum(axis=0), 1))
    fits = (counts >= _LEAST) & (share >= _TELLING * elsewhere)
    common = fits & (share >= _COMMON[0])
    fits = np.where(common.any(axis=1, keepdims=True), common, fits & (share >= _COMMON[1]))
    weight = np.where(fits, weight, 0)[1:]  # the first row is that of the outliers
    return _distinct([_name(known, row) for row in weight])


def _drawn(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Draw the texts to read: of each group, and of the outliers, at most so many."""
    random = np.random.default_rng(seed)
    drawn = []
    for group in range(OUTLIER, count):
        rows = np.flatnonzero(labels == group)
        drawn.append(rows if len(rows) <= _READ else np.sort(random.choice(rows, _READ, replace=False)))
    return np.concatenate(drawn)


def _is_worded(term: str) -> bool:
    """Say whether a term consists of words of letters, and one of them has more than two (or is no Latin letter)."""
    words = term.split()
    letters = [all(character.isalpha() for character in word) for word in words]
    return all(letters) and any(len(word) > 2 or not word.isascii() for word in words)


def _name(terms: list[str], weight: NDArray[np.float64]) -> str:
    """Join the best terms that do not repeat a word of those before."""
    chosen: list[str] = []
    seen: set[str] = set()
    for place in np.argsort(-weight, kind="stable"):
        words = set(terms[place].split())
        if not weight[place] > 0 or len(chosen) == _TERMS:
            break
        if not words & seen:
            chosen.append(terms[place])
            seen |= words
    return " · ".join(chosen)


def _distinct(names: list[str]) -> list[str]:
    """Tell groups apart that have the same name, or none, by their number."""
    made: list[str] = []
    for number, name in enumerate(names):
        repeated = names.count(name) > 1 or name == OUTLIERS
        made.append(f"{name} ({number})" if name and repeated else name or f"group {number}")
    return made
