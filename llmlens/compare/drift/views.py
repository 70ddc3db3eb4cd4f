"""Three views of a text: its form, its words, how it opens and closes; and, where vectors are given, its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .components import components, normal_scores
from .format_features import format_features
from .permutation import whitened
from .prompts import residuals
from .strata import centred
from .terms import edge_terms, inner_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_DIMENSIONS = 60


def raw_views(
    texts: Sequence[str], slices: NDArray[np.int64], seed: int, vectors: NDArray[np.float32] | None = None
) -> dict[str, NDArray[np.float64]]:
    """Give each view as (number of texts, its directions), centred within slices; windows are not told apart."""
    views = {
        "form": centred(normal_scores(format_features(texts)), slices),
        "words": components(inner_terms(texts).weighted(), slices, _DIMENSIONS, seed),
        "edges": components(edge_terms(texts).weighted(), slices, _DIMENSIONS, seed),
    }
    if vectors is not None:
        from scipy.sparse import csr_matrix

        known = np.nan_to_num(vectors.astype(float))
        views["meaning"] = components(csr_matrix(known), slices, _DIMENSIONS, seed)
    return {name: view for name, view in views.items() if view.shape[1]}


def conditioned(
    views: dict[str, NDArray[np.float64]], prompts: NDArray[np.float64], strata: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Take out of each view what the prompt explains, centre it within strata and whiten it."""
    return {name: whitened(centred(residuals(view, prompts), strata)) for name, view in views.items()}
