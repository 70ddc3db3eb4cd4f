"""How good rankings are, as arrays: a row a ranking, a column a rank; bounds where documents were not judged.

Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques, ACM TOIS 20, 422-446 (nDCG);
Manning, Raghavan and Schütze (2008), Introduction to Information Retrieval, chapter 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats: TypeAlias = npt.NDArray[np.float64]
    Bounds: TypeAlias = tuple[Floats, Floats]

#: The measures, each of (gains, missed, k) -> the least and the most it can be; see `Rankings`.
METRICS = ("precision", "recall", "mrr", "ndcg")


class Rankings:
    """Rankings by the relevance of what is in them.

    `gains` is rankings x ranks: 0 or more where a document was judged, NaN where not, -1 beyond the end of a ranking.
    `missed` is rankings x documents: the relevance of those that were judged and not retrieved, 0 where there is none.
    A document is relevant when its relevance is above 0. What was not judged may be anything from 0 to the highest
    relevance that is known, and the bounds are what follows from that; where all was judged they are the same.
    """

    def __init__(self, gains: Floats, missed: Floats, k: int) -> None:
        """Look at the first `k` ranks."""
        self._k = k
        self._ended = gains == -1
        self._unknown = np.isnan(gains)
        self._known = np.where(self._ended | self._unknown, 0.0, gains)
        self._missed = missed
        self._most = max(1.0, float(self._known.max(initial=0)), float(missed.max(initial=0)))
        self._binary = bool(np.isin(np.concatenate([self._known.ravel(), missed.ravel()]), [0, self._most]).all())

    def bounds(self, metric: str) -> Bounds:
        """Give the least and the most of a metric of each ranking; NaN where no document is relevant in either case."""
        return getattr(self, f"_{metric}")()  # type: ignore[no-any-return]  # one of METRICS

    def _precision(self) -> Bounds:
        """Of k ranks, those with a relevant document; ranks beyond the end have none."""
        hits, open_ = self._at_k(self._known > 0), self._at_k(self._unknown)
        return hits / self._k, (hits + open_) / self._k

    def _recall(self) -> Bounds:
        """Of the relevant documents that are known, those within k ranks."""
        within, open_within = self._at_k(self._known > 0), self._at_k(self._unknown)
        beyond = (self._known > 0).sum(axis=1) - within + (self._missed > 0).sum(axis=1)
        open_beyond = self._unknown.sum(axis=1) - open_within
        # Worst: what is unknown is relevant beyond k and not within; best: the other way round.
        low = _over(within, within + beyond + open_beyond)
        high = _over(within + open_within, within + open_within + beyond)
        return _either(low, high)

    def _mrr(self) -> Bounds:
        """One over the rank of the first relevant document within k; 0 without one."""
        ranks = 1 / np.arange(1, self._known.shape[1] + 1)

        def first(relevant: npt.NDArray[np.bool_]) -> Floats:
            return np.asarray((relevant * ranks)[:, : self._k].max(axis=1, initial=0))

        return first(self._known > 0), first((self._known > 0) | self._unknown)

    def _ndcg(self) -> Bounds:
        """Gains discounted by log2(1 + rank), over the most they could be.

        With `j` of the unknown documents relevant the ideal is the same whichever they are, so the worst are the last
        `j`, the best the first. Where relevance has grades the upper bound is not sharp: all the unknown ones count for
        the ranking, none for the ideal.
        """
        columns = self._known.shape[1]
        discount = np.where(np.arange(columns) < self._k, 1 / np.log2(np.arange(columns) + 2), 0)
        order = np.cumsum(self._unknown, axis=1)
        total = order[:, -1:] if columns else np.zeros((len(order), 1))
        low, high = (np.full(len(self._known), np.nan) for _ in range(2))
        for j in range(int(total.max(initial=0)) + 1):
            possible = total[:, 0] >= j
            ideal = self._ideal(np.where(self._unknown & (order <= j), self._most, self._known))
            worst = np.where(self._unknown & (order > total - j), self._most, self._known) @ discount
            best = np.where(self._unknown & (order <= j), self._most, self._known) @ discount
            low = np.fmin(low, np.where(possible, _over(worst, ideal), np.nan))
            high = np.fmax(high, np.where(possible, _over(best, ideal), np.nan))
        if not self._binary:
            best = np.where(self._unknown, self._most, self._known) @ discount
            bound = np.fmin(_over(best, self._ideal(self._known)), 1)
            high = np.where(total[:, 0] > 0, np.fmax(high, np.where(np.isnan(bound), 1, bound)), high)
        return _either(low, high)

    def _ideal(self, gains: Floats) -> Floats:
        """Give the most that the discounted gains of k ranks could be."""
        everything = -np.sort(-np.hstack([gains, self._missed]), axis=1)[:, : self._k]
        return np.asarray(everything @ (1 / np.log2(np.arange(everything.shape[1]) + 2)))

    def _at_k(self, flags: npt.NDArray[np.bool_]) -> Floats:
        return np.asarray(flags[:, : self._k].sum(axis=1), dtype=float)


def _over(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))


def _either(low: Floats, high: Floats) -> Bounds:
    """Where one bound has no relevant document to count, what could be is all that is known: 0 at least."""
    return np.where(np.isnan(low) & ~np.isnan(high), 0, low), np.where(np.isnan(high) & ~np.isnan(low), 1, high)
