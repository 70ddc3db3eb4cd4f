"""`LexicalEncoder`: TF-IDF and a truncated SVD (latent semantic analysis), which needs no model and no download."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .encoder import Vectors

_TERMS = 10_000
_FITTED_ON = 5_000
_AT_ONCE = 5_000
_ITERATIONS = 4
#: Directions that hold less than this share of the first are rounding, not meaning.
_NOISE = 1e-5


class LexicalEncoder:
    """Texts by the words and pairs of words in them, in any script: Deerwester et al. 1990, Halko et al. 2011.

    It is fitted once, on the texts of the reference window; other texts are placed in the same space. Vectors have
    length 1; a text without any known word has the vector 0. The same texts and seed give the same vectors. Of each
    text the first 20,000 characters are looked at, and at most 5,000 texts, drawn at random, are fitted on.
    """

    def __init__(self, dimensions: int = 100, seed: int = 0) -> None:
        """Say how many dimensions a vector has."""
        if isinstance(dimensions, bool) or not isinstance(dimensions, int) or dimensions < 1:
            raise EmbeddingError(f"dimensions is a whole number, 1 or more; got {dimensions!r}.")
        self.dimensions = dimensions
        self.seed = seed
        self._texts: list[str] | None = None
        self._digest = ""
        self._vocabulary: Vocabulary | None = None
        self._directions: NDArray[np.float32] | None = None

    @property
    def name(self) -> str:
        """Its settings, and a hash of what it was fitted on."""
        return f"lexical-1 dimensions={self.dimensions} seed={self.seed} fitted={self._digest or 'not yet'}"

    @property
    def is_fitted(self) -> bool:
        """Whether it knows its reference."""
        return self._texts is not None

    def fit(self, texts: Sequence[str]) -> LexicalEncoder:
        """Take the space from these texts: any number, also none, all the same or empty.

        The work is done when the first text is encoded; where the cache knows them all, never.
        """
        drawn = list(texts)
        if len(drawn) > _FITTED_ON:
            chosen = np.random.default_rng(self.seed).choice(len(drawn), _FITTED_ON, replace=False)
            drawn = [drawn[i] for i in np.sort(chosen)]
        digest = hashlib.blake2b(digest_size=8)
        for text in drawn:
            digest.update(hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest())
        self._texts, self._digest = drawn, digest.hexdigest()
        self._vocabulary = self._directions = None
        return self

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Give (number of texts, dimensions). Raises `EmbeddingError` before `fit`."""
        if self._texts is None:
            raise EmbeddingError("LexicalEncoder was not fitted yet: call fit(texts) with the texts of the reference.")
        vocabulary, directions = self._fitted(self._texts)
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), _AT_ONCE):
            part = vocabulary.matrix(texts[first : first + _AT_ONCE]) @ directions
            length = np.linalg.norm(part, axis=1, keepdims=True)
            vectors[first : first + _AT_ONCE, : part.shape[1]] = part / np.where(length > _NOISE, length, np.inf)
        return vectors

    def _fitted(self, texts: list[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
        if self._vocabulary is None or self._directions is None:
            vocabulary = Vocabulary.of(texts, _TERMS)
            self._directions = self._decompose(vocabulary, texts)
            self._vocabulary = vocabulary
        return self._vocabulary, self._directions

    def _decompose(self, vocabulary: Vocabulary, texts: list[str]) -> NDArray[np.float32]:
        """Give the directions of the texts, terms x directions; each points to where its largest weight is."""
        from sklearn.utils.extmath import randomized_svd
        from threadpoolctl import threadpool_limits

        matrix = vocabulary.matrix(texts)
        count = min(self.dimensions, *matrix.shape)
        if not count or not matrix.nnz:
            return np.zeros((matrix.shape[1], 0), dtype=np.float32)
        with threadpool_limits(1):  # these products are so small that more threads wait for each other
            _, strengths, directions = randomized_svd(matrix, count, n_iter=_ITERATIONS, random_state=self.seed)
        directions = directions[strengths > _NOISE * strengths[0]]
        largest = np.abs(directions).argmax(axis=1)
        signs = np.sign(directions[np.arange(len(directions)), largest])
        return np.ascontiguousarray((directions * signs[:, None]).T, dtype=np.float32)

    def __repr__(self) -> str:
        """Say which it is."""
        return f"<LexicalEncoder, {self.dimensions} dimensions, fitted on {self._digest or 'nothing yet'}>"
