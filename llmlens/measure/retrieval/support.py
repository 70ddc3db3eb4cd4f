"""How much of a sentence is in a document, by the words and pairs of words that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from scipy.sparse import csr_matrix

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.int64]

#: Pairs are looked at in blocks of so many, so that memory stays small.
_AT_ONCE = 50_000


class Support:
    """Sentences and documents over the same words and pairs of words, of which rare ones weigh more."""

    def __init__(self, sentences: Sequence[str], documents: Sequence[str]) -> None:
        """Weigh words and pairs by their inverse frequency in sentences and documents together (Spärck Jones 1972)."""
        terms = _terms([*sentences, *documents])
        count = np.bincount(terms.indices, minlength=terms.shape[1])
        self._weights: Floats = np.log((1 + terms.shape[0]) / (1 + count)) + 1
        self._sentences, self._documents = terms[: len(sentences)], terms[len(sentences) :]

    def of(self, sentences: Places, documents: Places) -> Floats:
        """Give, of pairs by their places, the weighted share of the sentence's terms that the document has."""
        whole = np.asarray(self._sentences @ self._weights)[sentences]
        found = np.zeros(len(sentences))
        for first in range(0, len(sentences), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            shared = self._sentences[sentences[some]].multiply(self._documents[documents[some]])
            found[some] = shared @ self._weights
        return np.asarray(np.divide(found, whole, out=np.zeros(len(found)), where=whole > 0))


def _terms(texts: Sequence[str]) -> csr_matrix:
    """Give texts x terms, 1 where a text has a word, or two words that follow each other."""
    from scipy.sparse import csr_matrix

    from llmlens.embed.words import words_of

    of, words = words_of(texts)
    coded = words.dictionary_encode()
    codes, size = coded.indices.to_numpy().astype(np.int64), len(coded.dictionary)
    follow = of[1:] == of[:-1]
    _, pairs = np.unique(codes[:-1][follow] * size + codes[1:][follow], return_inverse=True)
    rows, columns = np.concatenate([of, of[1:][follow]]), np.concatenate([codes, size + pairs])
    shape = (len(texts), size + int(pairs.max(initial=-1)) + 1)
    made = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    made.data[:] = 1
    return made
