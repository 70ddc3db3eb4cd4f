"""How much alike questions are, by the words they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.int64]


class Likeness:
    """Texts as sets of words, of which rare ones weigh more; pairs of texts are compared by their places."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Cut the texts into words; words with a digit (numbers of orders, dates) are kept apart too."""
        import pyarrow.compute as pc
        from scipy.sparse import csr_matrix

        from llmlens.embed.words import words_of

        of, words = words_of(texts)
        coded = words.dictionary_encode()
        codes = coded.indices.to_numpy().astype(np.int64)
        shape = (len(texts), max(len(coded.dictionary), 1))
        sets = csr_matrix((np.ones(len(codes)), (of, codes)), shape=shape)
        sets.data[:] = 1
        in_texts = np.bincount(sets.indices, minlength=shape[1])
        has_digit = np.zeros(shape[1])
        has_digit[: len(coded.dictionary)] = pc.match_substring_regex(coded.dictionary, r"\p{N}").to_numpy(
            zero_copy_only=False
        )
        self._sets = sets
        self._weights: Floats = np.log((1 + len(texts)) / (1 + in_texts)) + 1
        self._digits: Floats = has_digit

    def of(self, first: Places, second: Places) -> Floats:
        """Give the weighted Jaccard index of pairs: 1 for the same words, 0 for none in common."""
        return self._jaccard(first, second, self._weights)

    def same_numbers(self, first: Places, second: Places) -> npt.NDArray[np.bool_]:
        """Say which pairs have the same words with digits: another order number is another question."""
        return np.asarray(self._jaccard(first, second, self._digits, empty=1.0) == 1)

    def _jaccard(self, first: Places, second: Places, weights: Floats, empty: float = 0.0) -> Floats:
        a, b = self._sets[first], self._sets[second]
        both = a.multiply(b) @ weights
        either = a @ weights + b @ weights - both
        return np.asarray(np.divide(both, either, out=np.full(len(first), empty), where=either > 0))
