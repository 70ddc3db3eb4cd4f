"""`Vocabulary`: the words and pairs of words that occur in the most texts, and texts as TF-IDF over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from .words import Words


@dataclass(frozen=True)
class Vocabulary:
    """The terms, each a column of the matrix: words, then pairs of them that follow each other.

    `pairs` are sorted keys, first word x number of words + second word; `weights` the inverse document frequencies.
    """

    words: pa.LargeStringArray
    pairs: NDArray[np.int64]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, texts: Words, count: int, most: int) -> Vocabulary:
        """Take at most so many words of `count` texts, and pairs of them: those in the most texts, by alphabet."""
        import pyarrow as pa

        numbers, words = texts
        coded = words.dictionary_encode()
        order = pa.compute.array_sort_indices(coded.dictionary)
        known = coded.dictionary.take(order)
        codes = np.argsort(order.to_numpy())[coded.indices.to_numpy()]
        _, in_texts = _counts(numbers, codes, len(known))
        common = np.sort(np.argsort(-in_texts, kind="stable")[:most])
        known, in_texts = known.take(pa.array(common)), in_texts[common]

        kept = np.full(len(order), -1)
        kept[common] = np.arange(len(common))
        which, keys = _pairs(numbers, kept[codes], len(known))
        pairs, place = np.unique(keys, return_inverse=True)
        _, pair_in_texts = _counts(which, place, len(pairs))
        common = np.sort(np.argsort(-pair_in_texts, kind="stable")[:most])
        frequency = np.concatenate([in_texts, pair_in_texts[common]])
        weights = np.log((1 + count) / (1 + frequency)) + 1
        return cls(known, pairs[common], weights.astype(np.float32))

    def matrix(self, texts: Words, count: int) -> csr_matrix:
        """Give texts x terms: (1 + log count) x weight, each row of length 1, or 0 where no term is known.

        Salton & Buckley 1988, with the smooth weights that scikit-learn uses.
        """
        import pyarrow as pa
        from scipy.sparse import csr_matrix

        numbers, words = texts
        codes = _codes(words, self.words)
        which, keys = _pairs(numbers, codes, len(self.words))
        place = _codes(pa.array(keys), pa.array(self.pairs))
        terms = np.concatenate([codes[codes >= 0], len(self.words) + place[place >= 0]])
        rows = np.concatenate([numbers[codes >= 0], which[place >= 0]])
        (rows, terms), counts = _distinct(rows, terms, max(len(self.weights), 1))
        values = (1 + np.log(counts)) * self.weights[terms]
        length = np.sqrt(np.bincount(rows, values**2, minlength=count))
        values = (values / length[rows]).astype(np.float32)
        starts = np.searchsorted(rows, np.arange(count + 1))  # they are in order
        return csr_matrix((values, terms, starts), shape=(count, len(self.weights)))


def _codes(words: pa.Array, known: pa.Array) -> NDArray[np.int64]:
    """Give the place of each word (or pair) among the known ones, -1 for others."""
    import pyarrow.compute as pc

    places = pc.fill_null(pc.index_in(words, known), -1).to_numpy()
    return np.asarray(places, dtype=np.int64)


def _pairs(
    numbers: NDArray[np.int64], codes: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give (text, key) of each two known words that follow each other in a text."""
    follow = (numbers[1:] == numbers[:-1]) & (codes[1:] >= 0) & (codes[:-1] >= 0)
    return numbers[1:][follow], codes[:-1][follow] * size + codes[1:][follow]


def _distinct(
    numbers: NDArray[np.int64], terms: NDArray[np.int64], size: int
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Give the distinct (text, term) and how often each occurs."""
    keys, counts = np.unique(numbers * size + terms, return_counts=True)
    return (keys // size, keys % size), counts


def _counts(
    numbers: NDArray[np.int64], terms: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the terms of each text once, and in how many texts each term is."""
    (_, distinct), _ = _distinct(numbers, terms, max(size, 1))
    return distinct, np.bincount(distinct, minlength=size)
