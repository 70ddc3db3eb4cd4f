"""Are the intervals of `ll.clusters` true? Coverage of the share part, and what clustering itself does to it.

    python bench/truth/clusters.py [--runs 1000]

The first table draws the members of one cluster from known shares and asks how often the interval holds the true
difference, and how often p <= 0.05 where there is none. In the second one, points about known centres are clustered
each time, with outliers between them: the truth is then the share of what was drawn about a centre, and the interval
is about what was found there. p is about the groups as they are, and holds whatever they are.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from llmlens.compare.clusters.grouping import groups
from llmlens.compare.clusters.shares import share_changes

if TYPE_CHECKING:
    import pandas as pd

#: Share before, share after, outputs before, outputs after.
SHARES = (
    (0.05, 0.05, 200, 200), (0.30, 0.30, 200, 200), (0.02, 0.02, 2_000, 2_000), (0.05, 0.10, 200, 200),
    (0.02, 0.06, 400, 400), (0.30, 0.20, 700, 300), (0.01, 0.05, 2_000, 2_000),
)  # fmt: skip
#: Shares of the four centres and of the outliers, before and after.
MIXES = {
    "the same": ((0.4, 0.3, 0.15, 0.05, 0.1), (0.4, 0.3, 0.15, 0.05, 0.1)),
    "one grows": ((0.4, 0.3, 0.15, 0.05, 0.1), (0.35, 0.3, 0.1, 0.15, 0.1)),
}
DIMENSIONS = 12


def judged(table: pd.DataFrame, cluster: int, truth: float) -> tuple[bool, bool] | None:
    """Say whether the interval of a cluster holds the truth, and whether p is small; None where nobody is in it."""
    row = table[table["cluster"] == cluster]
    if row.empty:
        return None
    low, high, p = (float(row[name].iloc[0]) for name in ("low", "high", "p"))
    return low <= truth <= high, p <= 0.05


def share_part(runs: int, random: np.random.Generator) -> None:
    print(f"{'share before -> after':<24}{'n':>14}{'coverage':>10}{'p <= 0.05':>11}")
    for before, after, n, m in SHARES:
        inside = outside = 0
        for _ in range(runs):
            window = np.arange(n + m) >= n
            labels = np.where(random.random(n + m) < np.where(window, after, before), 0, -1)
            found = judged(share_changes(labels, window), 0, after - before)
            if found is not None:
                inside, outside = inside + found[0], outside + found[1]
        print(
            f"{f'{before:.0%} -> {after:.0%}':<24}{f'{n:,} / {m:,}':>14}{inside / runs:>10.3f}{outside / runs:>11.3f}"
        )


def drawn(n: int, mix: tuple[float, ...], random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw points about centres at right angles, the last part of them anywhere."""
    of = random.choice(len(mix), n, p=mix)
    middles = np.vstack([np.eye(len(mix) - 1, DIMENSIONS) * 5, np.zeros(DIMENSIONS)])
    spread = np.where(of == len(mix) - 1, 3.0, 0.5)
    return middles[of] + spread[:, None] * random.normal(size=(n, DIMENSIONS)), of


def with_clustering(runs: int, n: int, random: np.random.Generator) -> None:
    print(f"\n{'mix':<12}{'centre':>14}{'found':>7}{'coverage':>10}{'p <= 0.05':>11}")
    for name, (old, new) in MIXES.items():
        seen = np.zeros((len(old) - 1, 3))
        for run in range(runs):
            (points, of), (others, of_others) = drawn(n, old, random), drawn(n, new, random)
            labels = groups(np.vstack([points, others]).astype(np.float32), seed=run)
            window, truth = np.arange(2 * n) >= n, np.concatenate([of, of_others])
            table = share_changes(labels, window)
            for centre in range(len(old) - 1):
                mine = labels[(truth == centre) & (labels >= 0)]
                if not len(mine):
                    continue
                found = judged(table, int(np.bincount(mine).argmax()), new[centre] - old[centre])
                seen[centre] += (1, *found) if found else (0, 0, 0)
        for centre, (found, inside, outside) in enumerate(seen):
            share = f"{old[centre]:.0%} -> {new[centre]:.0%}"
            each = max(found, 1)
            print(f"{name:<12}{share:>14}{found / runs:>7.2f}{inside / each:>10.3f}{outside / each:>11.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    runs = parser.parse_args().runs
    random = np.random.default_rng(0)
    share_part(runs, random)
    with_clustering(runs, 200, random)


if __name__ == "__main__":
    main()
