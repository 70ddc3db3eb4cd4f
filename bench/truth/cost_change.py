"""Is `ll.cost_change` exact? The rest of its sum, a brute force over all orders, planted causes; and its speed.

python bench/truth/cost_change.py [--calls 1000000]
"""

from __future__ import annotations

import argparse
import time
from itertools import permutations

import numpy as np
import pandas as pd

import llmlens as ll
from llmlens.compare.cost_factors import FACTORS
from llmlens.compare.shapley import shapley
from llmlens.traces import Traces

PRICES = {"gpt-4o-2024-08-06": (2.5, 1.25, 10.0), "gpt-4o-mini-2024-07-18": (0.15, 0.075, 0.6)}


def calls(n: int, seed: int, **planted: float) -> Traces:
    """Make calls of 20 features and two models at list price; `planted` scales tokens, cache share, mix or price."""
    random = np.random.default_rng(seed)
    rare = planted.get("mix", 0.8)
    model = np.where(random.random(n) < rare, *PRICES)
    given = np.maximum(1, random.lognormal(7, 1, n) * planted.get("input_tokens", 1)).round()
    cached = (given * planted.get("cache", 0.2)).round()
    written = np.maximum(1, random.lognormal(5, 1, n) * planted.get("output_tokens", 1)).round()
    price = np.array([PRICES[name] for name in PRICES])[(model == list(PRICES)[1]).astype(int)]
    paid = ((given - cached) * price[:, 0] + cached * price[:, 1] + written * price[:, 2]) / 1e6
    paid = paid * planted.get("price", 1)
    ids = np.char.add(f"{seed}-", np.arange(n).astype(str))
    columns = {"trace_id": ids, "span_id": "1", "kind": "llm", "provider": "openai", "model": model, "depth": 0}
    columns |= {"feature": np.char.add("feature ", random.integers(20, size=n).astype(str)), "usage_source": "reported"}
    columns |= {"input_tokens": given.astype(int), "cache_read_tokens": cached.astype(int)}
    columns |= {"output_tokens": written.astype(int), "cost_usd": paid}
    columns["start"] = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(np.arange(n), unit="s")
    return Traces.from_frames({"spans": pd.DataFrame(columns)})


def brute_force(n: int, seed: int) -> float:
    """Give the largest difference between `shapley` and the average over all orders, for a random game."""
    random = np.random.default_rng(seed)
    worth = {mask: random.normal(size=3) for mask in np.ndindex(*[2] * n)}
    orders = list(permutations(range(n)))
    expected = np.zeros((n, 3))
    for order in orders:
        mask = [0] * n
        for factor in order:
            earlier = worth[tuple(mask)]
            mask[factor] = 1
            expected[factor] += (worth[tuple(mask)] - earlier) / len(orders)
    found = shapley(lambda changed: worth[tuple(int(each) for each in changed)], n)
    return float(np.abs(found - expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    n = parser.parse_args().calls
    print(f"brute force over all orders, 2 to 7 factors: {max(brute_force(k, k) for k in range(2, 8)):.1e} at most\n")
    small = 20_000
    before = calls(small, 0)
    print(f"{'planted':<26}{'change':>10}{'rest':>10}  shares of the change")
    planted = ({"price": 0.5}, {"input_tokens": 1.5}, {"output_tokens": 2.0}, {"cache": 0.6}, {"mix": 0.5})
    for case in (*planted, {"price": 0.8, "input_tokens": 1.4, "cache": 0.5}):
        change = ll.cost_change(before, calls(small, 1, **case))
        total = change.total.iloc[0]
        rest = abs(float(change[list(FACTORS)].to_numpy(float).sum()) - total["change"])
        told = ", ".join(
            f"{f} {total[f] / total['change']:.0%}" for f in FACTORS if abs(total[f] / total["change"]) > 0.02
        )
        name = ", ".join(f"{key} ×{value}" for key, value in case.items())
        print(f"{name[:25]:<26}{total['change']:>10.4f}{rest / total['cost_before']:>10.1e}  {told}")
    before, after = calls(n, 2), calls(n, 3, input_tokens=1.3)
    started, burnt = time.perf_counter(), time.process_time()
    change = ll.cost_change(before, after)
    wall, cpu = time.perf_counter() - started, time.process_time() - burnt
    print(f"\n2 × {n:,} calls, {len(change)} groups: {wall:.2f} s ({cpu:.2f} s of CPU)")


if __name__ == "__main__":
    main()
