"""Texts -> words, for all scripts at once and without a loop over words.

A word is a run of letters, marks, digits and underscores, in lower case. Chinese, Japanese, Thai, Lao, Khmer and
Burmese do not separate words: there each character is taken as one, and pairs of them make up for it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

#: Characters of a text that are looked at: about ten pages. A text of 10 MB is known by its beginning.
LONGEST = 20_000
#: Texts that are worth a thread.
_FEWEST = 200

_UNSEPARATED = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"
_BETWEEN = r"[^\p{L}\p{M}\p{N}_]+"
_SIGN = r"([^\p{L}\p{M}\p{N}_\s])"


class Words(NamedTuple):
    """The words of texts, one after the other: `words[i]` is of the text number `texts[i]`."""

    texts: NDArray[np.int64]
    words: pa.LargeStringArray


def words_of(texts: Sequence[str]) -> Words:
    """Cut texts into words; of each text the first 20,000 characters."""
    return _split(_lower(texts), _BETWEEN)


def tokens_of(texts: Sequence[str]) -> Words:
    """Cut texts into words, punctuation and signs, each of which is a token; numbers are read as 0."""
    import pyarrow.compute as pc

    array = pc.replace_substring_regex(_lower(texts), r"\p{N}+", "0")
    return _split(pc.replace_substring_regex(array, _SIGN, r" \1 "), r"\s+")


def beginnings_of(texts: Sequence[str]) -> pa.LargeStringArray:
    """Give the first 20,000 characters of each text."""
    import pyarrow as pa

    beginnings = [text[:LONGEST] for text in texts]
    try:
        return pa.array(beginnings, pa.large_string())
    except UnicodeEncodeError:  # halves of surrogate pairs, which are no characters
        return pa.array([text.encode(errors="replace").decode() for text in beginnings], pa.large_string())


def _lower(texts: Sequence[str]) -> pa.LargeStringArray:
    import pyarrow.compute as pc

    array = pc.utf8_lower(beginnings_of(texts))
    if pc.any(pc.match_substring_regex(array, _UNSEPARATED)).as_py():
        array = pc.replace_substring_regex(array, _UNSEPARATED, r" \1 ")
    return array


def _split(array: pa.LargeStringArray, between: str) -> Words:
    """Split texts, a part of them on each core: most of the time of reading words is spent here."""
    import pyarrow as pa

    size = max(-(-len(array) // pa.cpu_count()), _FEWEST)
    if len(array) <= size:
        return _split_part(array, between)
    starts = range(0, len(array), size)
    with ThreadPoolExecutor(len(starts)) as pool:
        parts = list(pool.map(lambda start: _split_part(array.slice(start, size), between), starts))
    numbers = [part.texts + start for part, start in zip(parts, starts, strict=True)]
    return Words(np.concatenate(numbers), pa.concat_arrays([part.words for part in parts]))


def _split_part(array: pa.LargeStringArray, between: str) -> Words:
    import pyarrow.compute as pc

    lists = pc.split_pattern_regex(array, between)
    words = pc.list_flatten(lists)
    numbers = pc.list_parent_indices(lists)
    empty = pc.equal(words, "")  # before the first and after the last word
    if pc.any(empty).as_py():
        kept = pc.invert(empty)
        words, numbers = words.filter(kept), numbers.filter(kept)
    return Words(numbers.to_numpy().astype("int64"), words)
