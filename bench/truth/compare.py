"""Are the intervals of `ll.compare` true? Coverage, false alarms and power, on data whose truth is known.

    python bench/truth/compare.py [--runs 1000]

Simulated values are lognormal (skewness 6), as latencies and costs are. Pairs correlate at 0.6 as the scores of the
same prompt do; strata differ fourfold in level and the mix moves from 50/30/20 to 20/30/50 %. The last table takes
answers of two versions to the same prompts from `../shared/data/drift/`, where they are there.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import gammaln

from llmlens.compare.contrasts import contrast
from llmlens.compare.design import design
from llmlens.statistics.estimate import Z
from llmlens.statistics.shares import difference_of_paired_shares, difference_of_shares, wilson

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from llmlens.statistics.estimate import Estimate

    Interval: TypeAlias = Callable[[NDArray[np.float64]], tuple[float, float]]
    Sides: TypeAlias = tuple[pd.DataFrame, pd.DataFrame]

PAIRS = Path(__file__).resolve().parents[3] / "shared/data/drift/alpaca_outputs.parquet"
SIGMA, CORRELATION, CHANGE = 1.0, 0.6, 1.3
#: Pairs of counts that are less likely are left out.
_RARE = 1e-9
#: A coverage that is right; where four counts are enumerated, of so many pairs at most.
LOWEST, HIGHEST, MOST_EXACT = 0.93, 0.97, 30
VERSIONS = (
    ("claude-2", "claude-2.1"),
    ("gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106"),
    ("gpt4_0613", "gpt4_0613_concise"),
)
#: Stratum -> level, share in a, share in b, factor of the change.
STRATA = {"x": (1.0, 0.5, 0.2, 1.2), "y": (2.0, 0.3, 0.3, 1.0), "z": (4.0, 0.2, 0.5, 1.5)}


def side(values: np.ndarray, strata: object = "all", prompts: object = None) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "stratum": strata, "prompt": prompts})


def paired(n: int, random: np.random.Generator, change: float = CHANGE) -> Sides:
    first, other = random.standard_normal((2, n))
    second = CORRELATION * first + np.sqrt(1 - CORRELATION**2) * other
    prompts = [f"p{i}" for i in range(n)]
    return (
        side(np.exp(SIGMA * first), prompts=prompts),
        side(change * np.exp(SIGMA * second), prompts=prompts),
    )


def plain(n: int, random: np.random.Generator, change: float = CHANGE) -> Sides:
    a, b = random.standard_normal((2, n))
    return side(np.exp(SIGMA * a)), side(change * np.exp(SIGMA * b))


def mixed(n: int, random: np.random.Generator) -> Sides:
    names, levels, in_a, in_b, change = (
        np.array(column) for column in zip(*((k, *v) for k, v in STRATA.items()), strict=True)
    )
    places_a, places_b = random.choice(3, n, p=in_a), random.choice(3, n, p=in_b)
    a, b = (np.exp(SIGMA * z) for z in random.standard_normal((2, n)))
    return side(levels[places_a] * a, names[places_a]), side((levels * change)[places_b] * b, names[places_b])


def shares(n: int, random: np.random.Generator) -> Sides:
    return side((random.random(n) < 0.05).astype(float)), side((random.random(n) < 0.10).astype(float))


def paired_shares(n: int, random: np.random.Generator) -> Sides:
    both = random.random(n)
    prompts = [f"p{i}" for i in range(n)]
    fails_b = (both < 0.03) | (random.random(n) < 0.07 / 0.97)
    return side((both < 0.05).astype(float), prompts=prompts), side(fails_b.astype(float), prompts=prompts)


def truth(make: Callable[..., Sides], statistic: str) -> float:
    """Give the true difference: of a million for what has no formula, at a's mix where that moves."""
    if make is shares:
        return 0.05
    if make is paired_shares:
        return 0.03 + 0.97 * 0.07 / 0.97 - 0.05
    random = np.random.default_rng(99)
    noise = np.exp(SIGMA * random.standard_normal(4_000_000))
    if make is mixed:
        levels, in_a, _, change = (np.array(column) for column in zip(*STRATA.values(), strict=True))
        places = random.choice(3, len(noise), p=in_a)
        values = levels[places] * noise, (levels * change)[places] * noise
    else:
        values = noise, CHANGE * noise
    if statistic == "mean":
        mean = np.exp(SIGMA**2 / 2)
        if make is not mixed:
            return float((CHANGE - 1) * mean)
        return float(sum(share * level * (change - 1) for level, share, _, change in STRATA.values()) * mean)
    level = float(statistic[1:])
    return float(np.percentile(values[1], level) - np.percentile(values[0], level))


def coverage(make: Callable[..., Sides], statistic: str, n: int, runs: int) -> tuple[float, float, float]:
    """Give coverage, the share of runs with an interval, and its mean width."""
    right = truth(make, statistic)
    found = [estimate(make(n, np.random.default_rng([n, run])), statistic, run) for run in range(runs)]
    told = [e for e in found if e.high == e.high]
    if not told:
        return np.nan, 0.0, np.nan
    inside = np.mean([e.low <= right <= e.high for e in told])
    return float(inside), len(told) / runs, float(np.mean([e.high - e.low for e in told]))


def estimate(sides: Sides, statistic: str, run: int) -> Estimate:
    return contrast(design(*sides), statistic, np.random.default_rng(run)).estimate


def print_coverage(runs: int) -> None:
    print(f"Coverage of the 95 % intervals, {runs:,} simulations a cell (0.93 to 0.97 is right)\n")
    print(f"{'how':<14}{'statistic':<11}{'n a side':>9}{'coverage':>10}{'told':>7}{'width':>9}")
    cells = [(make, "mean", n) for make in (paired, mixed, plain) for n in (30, 60, 100, 200, 400)]
    cells += [(make, tail, n) for make in (paired, plain) for tail in ("P5", "P95") for n in (200, 400)]
    # Weighting to another mix costs a third of the sample here: fewer than 300 are too few for a tail.
    cells += [(mixed, tail, n) for tail in ("P5", "P95") for n in (300, 400)]
    cells += [(make, "share", n) for make in (shares, paired_shares) for n in (30, 100, 400)]
    for make, statistic, n in cells:
        covered, told, width = coverage(make, statistic, n, runs)
        print(f"{make.__name__:<14}{statistic:<11}{n:>9}{covered:>10.3f}{told:>7.2f}{width:>9.3f}", flush=True)


def exact_coverage(n: int) -> float:
    """Give the coverage of the interval of `shares` without simulating: over all counts, by how likely they are."""
    counts = np.arange(n + 1)
    likely_a, likely_b = (stats.binom.pmf(counts, n, share) for share in (0.05, 0.10))
    inside = 0.0
    for of_a, of_b in zip(*np.nonzero(np.outer(likely_a, likely_b) > _RARE), strict=True):
        found = difference_of_shares((of_a / n, n), (of_b / n, n))
        inside += likely_a[of_a] * likely_b[of_b] * (found.low <= truth(shares, "share") <= found.high)
    return float(inside)


def by_jeffreys(counts: NDArray[np.float64]) -> tuple[float, float]:
    both, gained, lost, neither = counts
    found = difference_of_paired_shares(gained, lost, both + gained + lost + neither)
    return found.low, found.high


def by_tango(counts: NDArray[np.float64]) -> tuple[float, float]:
    """Give what the score test does not reject: Tango (1998), Statistics in Medicine 17, 891-908."""
    _, gained, lost, _ = counts
    n, value = counts.sum(), (gained - lost) / counts.sum()

    def kept(difference: float) -> bool:
        linear = (2 * n - gained + lost) * difference - gained - lost  # the likeliest share of `lost`: a quadratic
        likeliest = (np.sqrt(linear**2 + 8 * n * lost * difference * (1 - difference)) - linear) / (4 * n)
        variance = n * (2 * likeliest + difference * (1 - difference))
        return bool(abs(gained - lost - n * difference) <= Z * np.sqrt(max(variance, 0.0)) + 1e-12)

    ends = []
    for end in (-1.0, 1.0):
        inside, outside = value, end
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if kept(middle) else (inside, middle)
        ends.append(inside)
    return ends[0], ends[1]


def by_newcombe(counts: NDArray[np.float64]) -> tuple[float, float]:
    """Give two joined Wilson intervals: Newcombe (1998), Statistics in Medicine 17, 2635-2650, without correction."""
    both, gained, lost, neither = counts
    n = counts.sum()
    a, b = (both + lost) / n, (both + gained) / n
    spread = np.sqrt((both + lost) * (both + gained) * (gained + neither) * (lost + neither))
    common = (both * neither - gained * lost) / spread if spread else 0.0
    (low_a, high_a), (low_b, high_b) = wilson(a, n), wilson(b, n)

    def distance(one: float, other: float) -> float:
        return float(np.sqrt(max(0.0, one**2 + other**2 - 2 * common * one * other)))

    return b - a - distance(b - low_b, high_a - a), b - a + distance(high_b - b, a - low_a)


def exact_coverage_of_pairs(n: int, truths: NDArray[np.float64], interval: Interval) -> NDArray[np.float64]:
    """Give for each row of `truths` (both, gained, lost, neither) the coverage over all counts of n pairs."""
    inside = np.zeros(len(truths))
    difference = truths[:, 1] - truths[:, 2]
    logs = np.log(truths)
    for both in range(n + 1) if interval is by_newcombe else (0,):  # the others do not tell both from neither
        for gained in range(n + 1 - both):
            for lost in range(n + 1 - both - gained):
                counts = np.array([both, gained, lost, n - both - gained - lost], dtype=float)
                if interval is by_newcombe:
                    likely = np.exp(logs @ counts + gammaln(n + 1) - gammaln(counts + 1).sum())
                else:
                    agreed = np.log(truths[:, 0] + truths[:, 3])
                    likely = logs[:, 1] * gained + logs[:, 2] * lost + agreed * counts[3]
                    likely = np.exp(likely + gammaln(n + 1) - gammaln(counts[1:] + 1).sum())
                if likely.max() > _RARE:
                    low, high = interval(counts)
                    inside += likely * ((low - 1e-12 <= difference) & (difference <= high + 1e-12))
    return inside


def print_exact() -> None:
    exact = ", ".join(f"{exact_coverage(n):.3f} at n = {n}" for n in (30, 100, 400))
    print(f"\nshares, exactly: {exact}. At n = 30 the counts of 5 % are 0 to 4, and coverage moves in steps.")
    print(
        "\nPaired shares, exactly: coverage at the shares above; over 200 random ones: mean, least, in 0.93 to 0.97\n"
    )
    random, of_b = np.random.default_rng(0), 0.07 / 0.97
    above = np.array([[0.03 + 0.02 * of_b, 0.95 * of_b, 0.02 * (1 - of_b), 0.95 * (1 - of_b)]])
    drawn = random.dirichlet([1, 0.5, 0.5, 1], 200)
    truths = np.vstack([above, np.maximum(drawn, 1e-6) / np.maximum(drawn, 1e-6).sum(axis=1, keepdims=True)])
    for n in (10, 20, 30, 60):
        for name, interval in (("Jeffreys", by_jeffreys), ("Tango", by_tango), ("Newcombe", by_newcombe)):
            if n > MOST_EXACT and interval is by_newcombe:
                continue
            here, *found = exact_coverage_of_pairs(n, truths, interval)
            right = np.mean([LOWEST <= each <= HIGHEST for each in found])
            print(f"n = {n:<4}{name:<10}{here:>7.3f}{np.mean(found):>9.3f}{min(found):>8.3f}{right:>8.2f}", flush=True)


def print_alarms(runs: int) -> None:
    print(f"\nFalse alarms (p <= 0.05) where nothing changed, {runs:,} simulations, n = 200\n")
    for make in (paired, plain):
        for statistic in ("mean", "P5", "P95"):
            p = [estimate(make(200, np.random.default_rng([7, run]), 1.0), statistic, run).p for run in range(runs)]
            print(f"{make.__name__:<14}{statistic:<11}{np.mean(np.array(p) <= 0.05):>10.3f}")


def judged(n: int, random: np.random.Generator, correlation: float, same: bool) -> Sides:
    """Draw scores whose change plain samples of 400 tell with power 0.47 (facts/statistics.md 5, to "verbose")."""
    first, other = random.standard_normal((2, n))
    second = correlation * first + np.sqrt(1 - correlation**2) * other if same else other
    prompts = [f"p{i}" for i in range(n)] if same else None
    return side(first, prompts=prompts), side(second + 1.885 * np.sqrt(2 / 400), prompts=prompts)


def answered(n: int, random: np.random.Generator, pair: tuple[str, str], same: bool) -> Sides:
    """Draw answers of two versions, to the same prompts or to others, and take the logarithm of their length."""
    lengths = answers()
    drawn = random.permutation(len(lengths))
    a, b = drawn[:n], drawn[:n] if same else drawn[n : 2 * n]
    return tuple(  # type: ignore[return-value]  # two of them
        side(lengths[model].to_numpy()[places], prompts=lengths.index.to_numpy()[places] if same else None)
        for model, places in zip(pair, (a, b), strict=True)
    )


@cache
def answers() -> pd.DataFrame:
    rows = pd.read_parquet(PAIRS)
    rows["length"] = np.log(rows["output"].str.len().clip(lower=1))
    return rows.pivot_table(index="prompt", columns="model", values="length").dropna()


def power(make: Callable[..., Sides], n: int, what: object, runs: int) -> tuple[float, float]:
    """Give the share of runs with p <= 0.05, by the same prompt and by others."""
    shares = []
    for same in (True, False):
        p = [estimate(make(n, np.random.default_rng([n, run]), what, same), "mean", run).p for run in range(runs)]
        shares.append(float(np.mean(np.array(p) <= 0.05)))
    return shares[0], shares[1]


def both(shares: tuple[float, float]) -> str:
    return f"{shares[0]:.2f} / {shares[1]:.2f}"


def print_power(runs: int) -> None:
    print(f"\nPower at p <= 0.05, {runs:,} draws: by the same prompt / by other prompts\n")
    print("judge scores, simulated; measured on real ones: 0.35 / 0.16 at n = 100, 0.87 / 0.47 at n = 400")
    for correlation in (0.54, 0.63, 0.80):
        for n in (100, 400):
            print(f"  correlation {correlation}, n = {n:<5}{both(power(judged, n, correlation, runs)):>14}")
    if not PAIRS.exists():
        print("log length of real answers: left out, ../shared/data/drift is not there")
        return
    print("log length of real answers")
    for pair in (
        ("claude-2", "claude-2.1"),
        ("gpt-3.5-turbo-0613", "gpt-3.5-turbo-1106"),
        ("gpt4_0613", "gpt4_0613_concise"),
    ):
        for n in (50, 100, 200):
            print(f"  {' > '.join(pair):<42}n = {n:<5}{both(power(answered, n, pair, runs)):>14}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000)
    runs = parser.parse_args().runs
    print_coverage(runs)
    print_exact()
    print_alarms(runs)
    print_power(runs)


if __name__ == "__main__":
    main()
