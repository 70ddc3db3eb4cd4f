"""Texts -> words, for all scripts at once and without a loop over words.

A word is a run of letters, marks, digits and underscores, in lower case. Chinese, Japanese, Thai, Lao, Khmer and
Burmese do not separate words: there each character is taken as one, and pairs of them make up for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

#: Characters of a text that are looked at: about ten pages. A text of 10 MB is known by its beginning.
LONGEST = 20_000

_UNSEPARATED = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}])"
_BETWEEN = r"[^\p{L}\p{M}\p{N}_]+"


class Words(NamedTuple):
    """The words of texts, one after the other: `words[i]` is of the text number `texts[i]`."""

    texts: NDArray[np.int64]
    words: pa.LargeStringArray


def words_of(texts: Sequence[str]) -> Words:
    """Cut texts into words; of each text the first 20,000 characters."""
    import pyarrow as pa
    import pyarrow.compute as pc

    beginnings = [text[:LONGEST] for text in texts]
    try:
        array = pa.array(beginnings, pa.large_string())
    except UnicodeEncodeError:  # halves of surrogate pairs, which are no characters
        array = pa.array([text.encode(errors="replace").decode() for text in beginnings], pa.large_string())
    array = pc.utf8_lower(array)
    if pc.any(pc.match_substring_regex(array, _UNSEPARATED)).as_py():
        array = pc.replace_substring_regex(array, _UNSEPARATED, r" \1 ")
    lists = pc.split_pattern_regex(array, _BETWEEN)
    words = pc.list_flatten(lists)
    numbers = pc.list_parent_indices(lists)
    empty = pc.equal(words, "")  # before the first and after the last word
    if pc.any(empty).as_py():
        kept = pc.invert(empty)
        words, numbers = words.filter(kept), numbers.filter(kept)
    return Words(numbers.to_numpy().astype("int64"), words)
