"""Three views of a text: its form, its words, how it opens and closes; and, where vectors are given, its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .components import components, normal_scores
from .format_features import format_features
from .permutation import whitened
from .prompts import residuals
from .strata import centred
from .terms import Terms, edge_terms, inner_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_DIMENSIONS = 60


@dataclass(frozen=True)
class Measured:
    """What is known of each text: its format features, its terms, how it opens and closes, its embedding if any."""

    form: NDArray[np.float64]
    inner: Terms
    edges: Terms
    vectors: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, texts: Sequence[str], vectors: NDArray[np.float32] | None = None, known: int | None = None) -> Measured:
        """Measure texts; `vectors` are their embeddings, NaN where there is none; terms those of the first `known`."""
        return cls(format_features(texts), inner_terms(texts, known), edge_terms(texts, known), vectors)

    def views(self, slices: NDArray[np.int64], seed: int) -> dict[str, NDArray[np.float64]]:
        """Give each view as (number of texts, its directions), centred within slices; windows are not told apart."""
        views = {
            "form": centred(normal_scores(self.form), slices),
            "words": components(self.inner.weighted(), slices, _DIMENSIONS, seed),
            "edges": components(self.edges.weighted(), slices, _DIMENSIONS, seed),
        }
        if self.vectors is not None:
            from scipy.sparse import csr_matrix

            views["meaning"] = components(csr_matrix(np.nan_to_num(self.vectors)), slices, _DIMENSIONS, seed)
        return {name: view for name, view in views.items() if view.shape[1]}


def conditioned(
    views: dict[str, NDArray[np.float64]],
    prompts: NDArray[np.float64],
    slices: NDArray[np.int64],
    strata: NDArray[np.int64],
) -> dict[str, NDArray[np.float64]]:
    """Take out of each view what the prompt explains, centre it within strata and whiten it."""
    return {name: whitened(centred(residuals(view, prompts, slices), strata)) for name, view in views.items()}
