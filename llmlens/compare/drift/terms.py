"""Which terms a text has: words and pairs of words, and how it opens and closes. For telling two sets of texts apart.

Unlike the vectors of `embed`, punctuation counts (a model that writes "(B)." instead of "(B)" has changed) and numbers
do not: all are read as 0. A term is there or not; how often says more about length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from llmlens.embed.words import tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

#: Terms in fewer texts say nothing about a window; the most frequent are kept.
_LEAST = 3
_MOST = 8_000
#: Openings and closings of 1 to this many tokens.
_EDGE = 3


@dataclass(frozen=True)
class Terms:
    """Texts x terms: `matrix` holds 1 where a term is in a text, `names` says which term a column is."""

    matrix: csr_matrix
    names: list[str]

    def weighted(self, known: int | None = None) -> csr_matrix:
        """Give the matrix with each term weighted by its rarity and each text of length 1 (0 without any term).

        Only the first `known` texts say what is rare; all of them by default.
        """
        n = self.matrix.shape[0] if known is None else known
        in_texts = np.asarray(self.matrix[:n].sum(axis=0)).ravel()
        weighted = self.matrix.multiply(np.log((1 + n) / (1 + in_texts))).tocsr()
        length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
        return weighted.multiply(1 / np.where(length > 0, length, 1)[:, None]).tocsr()


def inner_terms(texts: Sequence[str], known: int | None = None) -> Terms:
    """Give the words and pairs of neighbouring words that are in the first `known` texts; in all by default."""
    numbers, tokens = tokens_of(texts)
    coded = tokens.dictionary_encode()
    words, codes = coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
    follow = numbers[1:] == numbers[:-1]
    keys = codes[:-1][follow] * max(len(words), 1) + codes[1:][follow]
    pairs, places = np.unique(keys, return_inverse=True)
    rows = np.concatenate([numbers, numbers[1:][follow]])
    columns = np.concatenate([codes, len(words) + places])

    def name(column: int) -> str:
        if column < len(words):
            return str(words[column])
        first, second = divmod(int(pairs[column - len(words)]), len(words))
        return f"{words[first]} {words[second]}"

    return _kept(rows, columns, len(texts), size=len(words) + len(pairs), name=name, known=known)


def edge_terms(texts: Sequence[str], known: int | None = None) -> Terms:
    """Give how each text opens and closes: its first and its last one, two and three tokens, as above."""
    rows, found = [], []
    for text, (opening, closing) in enumerate(token_edges(texts, _EDGE)):
        edges = [" ".join(opening[:k]) + " …" for k in range(1, len(opening) + 1)]
        edges += ["… " + " ".join(closing[-k:]) for k in range(1, len(closing) + 1)]
        rows += [text] * len(edges)
        found += edges
    names, columns = np.unique(np.array(found, dtype=object).astype(str), return_inverse=True)
    return _kept(
        np.array(rows, dtype=np.int64),
        columns,
        len(texts),
        size=len(names),
        name=lambda column: str(names[column]),
        known=known,
    )


def token_edges(texts: Sequence[str], length: int) -> Iterator[tuple[list[str], list[str]]]:
    """Give the first and the last `length` tokens of each text."""
    numbers, tokens = tokens_of(texts)
    starts = np.searchsorted(numbers, np.arange(len(texts)))
    ends = np.searchsorted(numbers, np.arange(len(texts)), side="right")
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        yield (
            tokens[first : min(first + length, last)].to_pylist(),
            tokens[max(last - length, first) : last].to_pylist(),
        )


def _kept(
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    n: int,
    *,
    size: int,
    name: Callable[[int], str],
    known: int | None,
) -> Terms:
    """Keep the terms that are in several of the known texts and not in all of them, the most frequent first."""
    from scipy.sparse import csr_matrix

    keys = np.unique(rows * max(size, 1) + columns)
    rows, columns = keys // max(size, 1), keys % max(size, 1)
    first = n if known is None else known
    in_texts = np.bincount(columns[rows < first], minlength=size)
    telling = np.flatnonzero((in_texts >= _LEAST) & (in_texts < first))
    telling = np.sort(telling[np.argsort(-in_texts[telling], kind="stable")[:_MOST]])
    place = np.full(size, -1)
    place[telling] = np.arange(len(telling))
    inside = place[columns] >= 0
    ones = np.ones(int(inside.sum()), dtype=np.float32)
    matrix = csr_matrix((ones, (rows[inside], place[columns[inside]])), shape=(n, len(telling)))
    return Terms(matrix, [name(int(column)) for column in telling])
