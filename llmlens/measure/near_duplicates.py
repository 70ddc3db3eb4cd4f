"""Texts that are nearly the same: MinHash and locality-sensitive hashing, without a loop over texts.

A text is the set of its runs of four characters, in lower case and with one space for all that is no letter or digit.
Two are similar as far as these sets overlap (Jaccard). Signatures only find candidates; their similarity is counted.

Broder (1997), On the resemblance and containment of documents; Indyk and Motwani (1998), Approximate nearest neighbors;
Leskovec, Rajaraman and Ullman (2020), Mining of Massive Datasets, chapter 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    Integers: TypeAlias = npt.NDArray[np.int64]
    Hashes: TypeAlias = npt.NDArray[np.uint64]

#: Characters of a text that are looked at.
LONGEST = 20_000
_RUN = 4
_MOST_HASHES = 128
#: Of two texts as similar as the threshold, at most one pair in a thousand may be missed.
_MISSED = 1e-3
#: A text is compared with so many earlier ones in a bucket, and with the first: buckets of thousands are one group.
_NEIGHBOURS = 16
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def normalised(texts: Sequence[str]) -> list[str]:
    """Give texts in lower case, with one space for all that is no letter, mark or digit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cut = [text[:LONGEST].encode(errors="replace").decode() for text in texts]
    array = pc.utf8_lower(pa.array(cut, pa.large_string()))
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(array, r"[^\p{L}\p{M}\p{N}]+", " "))
    found: list[str] = spaced.to_pylist()
    return found


def earlier_like(texts: Sequence[str], groups: Integers, threshold: float, seed: int = 0) -> Integers:
    """Give, for each text, the number of the first similar one before it in its group; -1 where there is none.

    `texts` are normalised and differ within a group; `threshold` is the least Jaccard similarity, above 0.
    """
    found = np.full(len(texts), -1, dtype=np.int64)
    if len(texts) < 2:
        return found
    owners, runs = _runs(texts)
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    rows = _rows_per_band(threshold)
    pairs = np.unique(np.concatenate(list(_candidates(runs, first, groups, rows, seed))), axis=0)
    pairs = pairs[_similarity(owners, runs, pairs) >= threshold - 1e-12]
    later, at = np.unique(pairs[:, 1], return_index=True)  # pairs are ordered: the earliest comes first
    found[later] = pairs[at, 0]
    return found


def _runs(texts: Sequence[str]) -> tuple[Integers, Hashes]:
    """Give the distinct runs of each text as hashes: the number of the text, and the hash, ordered by both."""
    padded = [f" {text} ".ljust(_RUN) for text in texts]
    lengths = np.array([len(text) for text in padded])
    codes = np.frombuffer("".join(padded).encode("utf-32-le"), dtype="<u4").astype(np.uint64)
    owners = np.repeat(np.arange(len(texts)), lengths)
    hashes = np.zeros(len(codes) - _RUN + 1, dtype=np.uint64)
    for place in range(_RUN):
        hashes = _mixed(hashes + codes[place : len(hashes) + place])
    within = owners[: len(hashes)] == owners[_RUN - 1 :]
    both = np.empty(within.sum(), dtype=[("owner", np.int64), ("run", np.uint64)])
    both["owner"], both["run"] = owners[: len(hashes)][within], hashes[within]
    order = np.lexsort((both["run"], both["owner"]))
    both = both[order]
    kept = np.ones(len(both), dtype=bool)
    kept[1:] = (both["owner"][1:] != both["owner"][:-1]) | (both["run"][1:] != both["run"][:-1])
    return both["owner"][kept], both["run"][kept]


def _mixed(values: Hashes) -> Hashes:
    """Scatter 64-bit numbers over all 64-bit numbers: the finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    values = (values + _MULTIPLIER).astype(np.uint64)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _rows_per_band(threshold: float) -> int:
    """Choose the most rows a band (the fewest candidates) with which a pair at the threshold is not missed."""
    rows = [r for r in range(1, 17) if (1 - threshold**r) ** (_MOST_HASHES // r) <= _MISSED]
    return max(rows, default=1)


def _candidates(
    runs: Hashes, first: Integers, groups: Integers, rows: int, seed: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield pairs (earlier, later) of one group that share a band of their signatures."""
    random = np.random.default_rng(seed)
    salts = random.integers(1 << 63, size=_MOST_HASHES, dtype=np.uint64)
    yield np.empty((0, 2), dtype=np.int64)
    for band in range(_MOST_HASHES // rows):
        key = _mixed(groups.astype(np.uint64))
        for salt in salts[band * rows : (band + 1) * rows]:
            key = _mixed(key ^ np.minimum.reduceat(runs * (salt | np.uint64(1)), first))
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        heads = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        sizes = np.diff(heads, append=len(ordered))
        head_of = np.repeat(order[heads], sizes)
        yield np.column_stack((head_of, order))[head_of != order]
        for step in range(1, min(_NEIGHBOURS, int(sizes.max()) - 1) + 1):
            same = ordered[step:] == ordered[:-step]
            yield np.column_stack((order[:-step][same], order[step:][same]))


def _similarity(owners: Integers, runs: Hashes, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Count the Jaccard similarity of each pair."""
    from scipy.sparse import csr_matrix

    _, columns = np.unique(runs, return_inverse=True)
    sizes = np.bincount(owners)
    ends = np.concatenate(([0], np.cumsum(sizes)))
    matrix = csr_matrix((np.ones(len(runs), dtype=np.int32), columns, ends))
    common = np.empty(len(pairs))
    for at in range(0, len(pairs), 20_000):
        part = pairs[at : at + 20_000]
        common[at : at + 20_000] = matrix[part[:, 0]].multiply(matrix[part[:, 1]]).sum(axis=1).A1
    return common / (sizes[pairs[:, 0]] + sizes[pairs[:, 1]] - common)
