"""How the share of each group differs between two windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.statistics.multiple import benjamini_hochberg
from llmlens.statistics.shares import difference_of_shares

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

#: Outputs that a window has at least, for a share of it to mean something.
LEAST = 8


def share_changes(labels: NDArray[np.int64], after: NDArray[np.bool_]) -> pd.DataFrame:
    """Give a row a label that occurs: cluster, n_before, n_after, both shares, difference, low, high, p, q.

    `low` and `high` are Miettinen and Nurminen's 95 % interval of the difference. `p` is that of all permutations of
    the window over the outputs, which for one share is Fisher's exact test; groups are made without looking at the
    window, so that it holds. `q` corrects it over the groups (Benjamini-Hochberg). With fewer than 8 outputs in a
    window all of these are NA.
    """
    import pandas as pd

    known, places = np.unique(labels, return_inverse=True)
    new = np.bincount(places[after], minlength=len(known))
    old = np.bincount(places[~after], minlength=len(known))
    frame = pd.DataFrame({"cluster": known, "n_before": old, "n_after": new}).astype("Int64")
    estimates = ["share_before", "share_after", "difference", "low", "high", "p"]
    if min(old.sum(), new.sum()) < LEAST:
        rows = [(np.nan,) * len(estimates)] * len(known)
    else:
        rows = [_change(int(n), int(m), int(old.sum()), int(new.sum())) for n, m in zip(old, new, strict=True)]
    made = pd.DataFrame(rows, columns=estimates, dtype=float)
    made["q"] = benjamini_hochberg(made["p"])
    return pd.concat([frame, made.astype("Float64")], axis=1)


def _change(n: int, m: int, of_before: int, of_after: int) -> tuple[float, ...]:
    from scipy.stats import fisher_exact

    shares = n / of_before, m / of_after
    found = difference_of_shares((shares[0], of_before), (shares[1], of_after))
    p = float(fisher_exact([[n, of_before - n], [m, of_after - m]]).pvalue)
    return (*shares, found.value, found.low, found.high, p)
