"""`LexicalEncoder`: TF-IDF and a truncated SVD (latent semantic analysis), which needs no model and no download."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

from .decomposition import directions_of
from .vocabulary import Vocabulary
from .words import words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from .encoder import Vectors

_TERMS = 10_000
_FITTED_ON = 4_000
#: Directions that hold less than this share of the first are rounding, not meaning.
_NOISE = 1e-5


class LexicalEncoder:
    """Texts by the words and pairs of words in them, in any script: Deerwester et al. 1990, Halko et al. 2011.

    It is fitted once, on the texts of the reference window; other texts are placed in the same space. Vectors have
    length 1; a text without any known word has the vector 0. The same texts and seed give the same vectors. Of each
    text the first 20,000 characters are looked at, and at most 4,000 texts, drawn at random, are fitted on.
    """

    at_once = 5_000

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
        return f"lexical-2 dimensions={self.dimensions} seed={self.seed} fitted={self._digest or 'not yet'}"

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
        for first in range(0, len(texts), self.at_once):
            some = texts[first : first + self.at_once]
            part = vocabulary.matrix(words_of(some), len(some)) @ directions
            length = np.linalg.norm(part, axis=1, keepdims=True)
            vectors[first : first + self.at_once, : part.shape[1]] = part / np.where(length > _NOISE, length, np.inf)
        return vectors

    def _fitted(self, texts: list[str]) -> tuple[Vocabulary, NDArray[np.float32]]:
        if self._vocabulary is None or self._directions is None:
            words = words_of(texts)
            vocabulary = Vocabulary.of(words, len(texts), _TERMS)
            self._directions = self._decompose(vocabulary.matrix(words, len(texts)))
            self._vocabulary = vocabulary
        return self._vocabulary, self._directions

    def _decompose(self, matrix: csr_matrix) -> NDArray[np.float32]:
        """Give the directions of the texts, terms x directions."""
        count = min(self.dimensions, *matrix.shape)
        if not count or not matrix.nnz:
            return np.zeros((matrix.shape[1], 0), dtype=np.float32)
        strengths, directions = directions_of(matrix, count, self.seed)
        return np.ascontiguousarray(directions[strengths > _NOISE * strengths[0]].T)

    def __repr__(self) -> str:
        """Say which it is."""
        return f"<LexicalEncoder, {self.dimensions} dimensions, fitted on {self._digest or 'nothing yet'}>"
