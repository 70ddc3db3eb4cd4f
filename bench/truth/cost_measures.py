"""Are the measures of cost right? Planted anomalies, duplicates and double counting: what is found, and false alarms.

python bench/truth/cost_measures.py [--runs 100]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import llmlens as ll
from llmlens.traces import Traces

WEEK = (1.25, 1.2, 1.16, 1.12, 1.05, 0.62, 0.56)
FEATURES = {"search": 600, "refunds": 400, "advice": 250, "orders": 800, "chat": 150}


def month(seed: int, *, raised: int | None = None, days: int = 30, noise: float = 0.04) -> Traces:
    """Make `days` of calls of five features with the rhythm of the week; "refunds" costs half as much again on one."""
    random = np.random.default_rng(seed)
    parts = []
    for name, calls in FEATURES.items():
        for day in range(days):
            n = random.poisson(calls * WEEK[day % 7] * random.lognormal(0, noise))
            cost = random.lognormal(-6, 0.6, n)
            if day == raised and name == "refunds":
                cost *= 1.5
            at = day * 86_400 + random.uniform(0, 86_400, n)
            parts.append(pd.DataFrame({"feature": name, "cost_usd": cost, "at": at}))
    frame = pd.concat(parts, ignore_index=True)
    frame["start"] = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(frame.pop("at"), unit="s")
    frame = frame.assign(trace_id=[f"t{n}" for n in range(len(frame))], span_id="1", kind="llm", depth=0)
    return Traces.from_frames({"spans": frame.assign(usage_source="reported", input_tokens=10)})


def anomalies(runs: int) -> None:
    found, false = 0, []
    for seed in range(runs):
        quiet = ll.cost_anomalies(month(seed))
        false.append(int(quiet["anomaly"].sum()))
        random = np.random.default_rng(seed)
        raised = int(random.integers(0, 30))
        odd = ll.cost_anomalies(month(1000 + seed, raised=raised)).query("anomaly")
        day = pd.Timestamp("2026-11-02", tz="UTC") + pd.Timedelta(days=raised)
        found += bool(((odd["feature"] == "refunds") & (odd["period"] == day)).any())
    print(f"anomalies, {runs} months of 30 days and 5 features: +50 % day found {found / runs:.2f}; false alarms in a")
    print(f"quiet month {np.mean(false):.3f} on average, {max(false)} at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    started = time.process_time()
    anomalies(runs)
    print(f"{time.process_time() - started:.1f} s of CPU")


if __name__ == "__main__":
    main()
