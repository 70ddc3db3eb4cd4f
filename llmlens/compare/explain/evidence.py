"""How strongly a two-by-two table (condition by selection) speaks, and how often chance would say as much.

All functions take arrays. A table is `n` rows of which `selected` are selected, and a condition that holds for `marked`
rows of which `both` are selected.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: A condition is judged where it holds for this many selected rows, or where this many would be expected but are fewer.
FEWEST = 3


def x_log_x(x: Any) -> Any:
    """Give x log x, 0 for 0."""
    return x * np.log(np.maximum(x, 1e-300))


def deviance(
    both: Any, marked: Any, selected: Any, n: Any, x_log_x: Callable[[Any], Any] = x_log_x
) -> NDArray[np.float64]:
    """Give the likelihood ratio statistic G of independence, negative where the condition is rarer in the selection.

    It ranks conditions: 2 n times the mutual information of condition and selection. It is 0 where fewer than `FEWEST`
    selected rows could tell. `x_log_x` may be `tabulated(n)` where all are whole numbers. Source: Sokal and Rohlf,
    Biometry, chapter 17 (G test).
    """
    rest = n - selected
    g = 2 * (
        x_log_x(both)
        + x_log_x(marked - both)
        + x_log_x(selected - both)
        + x_log_x(rest - marked + both)
        - x_log_x(marked)
        - x_log_x(n - marked)
        - x_log_x(selected)
        - x_log_x(rest)
        + x_log_x(n)
    )
    expected = marked * selected / n
    judged = np.where(both > expected, both, expected) >= FEWEST
    strength: NDArray[np.float64] = np.where(judged, np.sign(both - expected) * np.maximum(g, 0.0), 0.0)
    return strength


def tabulated(n: int) -> Callable[[Any], Any]:
    """Give x log x of whole numbers up to `n`, looked up."""
    table = x_log_x(np.arange(n + 1.0))
    return lambda x: table[x]


def log_tail(both: Any, marked: Any, selected: Any, n: Any) -> NDArray[np.float64]:
    """Give the log of the chance of at least `both`, when `selected` of `n` rows are drawn without replacement.

    The hypergeometric tail (Fisher's exact test), summed as a geometric series: its terms shrink ever faster, so the
    result is never too small, and hardly too large where it matters.
    """
    both, marked, selected, n = (np.asarray(x, dtype=np.int64) for x in (both, marked, selected, n))
    f = log_factorials(int(np.max(n, initial=1)))
    first = (
        (f[marked] - f[both] - f[marked - both])
        + (f[n - marked] - f[selected - both] - f[n - marked - selected + both])
        - (f[n] - f[selected] - f[n - selected])
    )
    ratio = (marked - both) * (selected - both) / ((both + 1.0) * (n - marked - selected + both + 1.0))
    rest = np.log1p(-np.minimum(ratio, 1 - 1e-12))
    return np.where(ratio < 1, np.minimum(first - rest, 0.0), 0.0)


def log_p(both: Any, marked: Any, selected: Any, n: Any) -> NDArray[np.float64]:
    """Give the log of twice the chance of a table at least as far off, to the side that this one is off to."""
    both, marked = np.asarray(both), np.asarray(marked)
    more = both * n >= marked * selected
    tail = log_tail(np.where(more, both, selected - both), np.where(more, marked, n - marked), selected, n)
    twice: NDArray[np.float64] = np.minimum(tail + np.log(2), 0.0)
    return twice


@lru_cache(maxsize=8)
def _factorials(size: int) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
    return logs


def log_factorials(largest: int) -> NDArray[np.float64]:
    """Give the logs of 0!, 1!, ... up to at least `largest`!."""
    return _factorials(1 << max(14, int(largest).bit_length()))


def log_bennett(observed: Any, expected: Any, variance: Any) -> NDArray[np.float64]:
    """Bound the log of the chance that a sum of independent yes/no draws is at least as far from what is expected.

    A hypergeometric count is such a sum, and so is its total over strata. Source: Bennett 1962, Probability
    inequalities for the sum of independent random variables.
    """
    off, spread = np.abs(np.asarray(observed) - expected), np.maximum(variance, 1e-12)
    u = off / spread
    bound = -spread * ((1 + u) * np.log1p(u) - u)
    return np.where(np.asarray(variance) > 1e-9, bound, 0.0)


def newcombe(both: Any, marked: Any, selected: int, n: int, z: float = 1.959964) -> tuple[Any, Any]:
    """Give the 95 % interval of a difference of two shares: of the selection less of the rest.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    both, marked = np.asarray(both, dtype=float), np.asarray(marked, dtype=float)
    ours, theirs = both / selected, (marked - both) / (n - selected)
    (low_1, high_1), (low_2, high_2) = _wilson(ours, selected, z), _wilson(theirs, n - selected, z)
    difference = ours - theirs
    low = difference - np.sqrt((ours - low_1) ** 2 + (high_2 - theirs) ** 2)
    high = difference + np.sqrt((high_1 - ours) ** 2 + (theirs - low_2) ** 2)
    return low, high


def _wilson(share: Any, n: int, z: float) -> tuple[Any, Any]:
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return centre - half, centre + half
