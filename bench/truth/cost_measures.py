"""Are the measures of cost right? Planted anomalies, duplicates and double counting: what is found, and false alarms.

python bench/truth/cost_measures.py [--runs 100]
"""

from __future__ import annotations

import argparse
import importlib.util
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


def requests(seed: int, share: float = 0.31, n: int = 2_000) -> tuple[Traces, float]:
    """Make requests of which `share` repeat an earlier one, most of them with a few words around it; the true share."""
    random = np.random.default_rng(seed)
    words = [
        f"{a}{b}" for a in ("ten", "boo", "ruck", "jack", "sto", "lam", "ro") for b in ("t", "ting", "sack", "et", "ve")
    ]
    around = ("{}", "{}", "Hi! {}", "{} thx", "{}?", "{} please")
    texts: list[str] = []
    repeats = 0
    for i in range(n):
        if i and random.random() < share:
            repeats += 1
            texts.append(around[random.integers(len(around))].format(texts[random.integers(i)].removeprefix("Hi! ")))
        else:
            texts.append(" ".join(random.choice(words, 24)))
    spans = {"trace_id": [f"t{i}" for i in range(n)], "span_id": "1", "kind": "llm", "depth": 0, "cost_usd": 0.01}
    spans["start"] = pd.Timestamp("2026-11-02", tz="UTC") + pd.to_timedelta(np.arange(n), unit="min")
    contents = {"trace_id": spans["trace_id"], "span_id": "1", "input": texts}
    return Traces.from_frames({"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents)}), repeats / n


def duplicates(runs: int) -> None:
    errors = []
    for seed in range(runs):
        traces, planted = requests(seed)
        errors.append(float(ll.duplicates(traces, by=None)["share"].iloc[0]) - planted)
    worst = np.abs(errors).max()
    print(f"duplicates, {runs} sets of 2,000 with about 31 % planted: off by {100 * worst:.2f} points at most")
    if importlib.util.find_spec("datasketch") is None:
        print("  datasketch (a peer) is not installed: pip install datasketch")
        return
    errors = []
    for seed in range(runs):
        traces, planted = requests(seed)
        errors.append(
            sketched(list(traces.contents.sort_values("trace_id", key=lambda t: t.str[1:].astype(int))["input"]))
            - planted
        )
    worst = np.abs(errors).max()
    print(f"  datasketch, MinHash and LSH over words, Jaccard index of 0.8: off by {100 * worst:.2f} points at most")


def sketched(texts: list[str]) -> float:
    """Give the share of texts that repeat an earlier one, as datasketch finds them."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found,unused-ignore]  # an optional peer

    index, repeats = MinHashLSH(threshold=0.8, num_perm=128), 0
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        for word in set(text.lower().split()):
            sketch.update(word.encode())
        repeats += bool(index.query(sketch))
        index.insert(number, sketch)
    return repeats / len(texts)


PLANTED = (
    "parent repeats calls", "call counted twice", "cached billed twice", "cached counted twice", "outdated price",
)  # fmt: skip


def bills(seed: int, n: int = 4_000) -> tuple[Traces, pd.DataFrame]:
    """Make traces of an agent and two calls, some with one thing wrong: see `PLANTED`."""
    random = np.random.default_rng(seed)
    rows, truth = [], []
    for i in range(n):
        tokens = random.integers(50, 8_000, (2, 3))
        tokens[:, 1] = tokens[:, 0] * random.choice([0, 0.3, 0.8])
        planted = random.choice(["", "", "", "", *PLANTED])
        agent = {"trace_id": f"t{i}", "span_id": "0", "parent_id": None, "kind": "agent"}
        if planted == "parent repeats calls":
            agent |= {"input_tokens": tokens[:, 0].sum(), "output_tokens": tokens[:, 2].sum()}
        elif random.random() < 0.3:  # an agent's own number that is not a repetition
            agent |= {"input_tokens": tokens[0, 0] + random.integers(20, 900), "output_tokens": tokens[0, 2]}
        if planted.startswith("cached") and not tokens[:, 1].any():
            planted = ""
        dated = planted == "outdated price" or (not planted.startswith("cached") and random.random() < 0.2)
        rows.append(agent)
        for k, (given, read, written) in enumerate(tokens):
            cost = ((given - read) * 2.5 + read * 1.25 + written * 10) / 1e6
            cost += read * 2.5 / 1e6 if planted == "cached billed twice" else 0
            call = {"trace_id": f"t{i}", "kind": "llm", "input_tokens": given, "cache_read_tokens": read}
            if planted == "cached counted twice":
                call["input_tokens"] = given + read
            if dated:  # o3 cost five times as much until June 2025
                cost = (given * 2 + written * 8) / 1e6 * (5 if planted == "outdated price" else 1)
                call |= {"model": "o3", "cache_read_tokens": 0}
            call |= {"output_tokens": written, "cost_usd": cost, "cost_source": "reported"}
            rows.append(call | {"span_id": f"{k + 1}", "parent_id": "0"})
            if planted == "call counted twice":
                rows.append(call | {"span_id": f"{k + 1}x", "parent_id": f"{k + 1}"})
        truth.append(planted)
    frame = pd.DataFrame(rows).assign(provider="openai", usage_source="reported")
    frame["model"] = frame["model"].fillna("gpt-4o-2024-08-06")
    frame["start"] = pd.Timestamp("2025-07-15", tz="UTC")
    whole = dict.fromkeys(("input_tokens", "cache_read_tokens", "output_tokens"), "Int64")
    return Traces.from_frames({"spans": frame.astype(whole)}), pd.DataFrame(
        {"trace_id": frame["trace_id"].unique(), "planted": truth}
    )


def audit() -> None:
    traces, truth = bills(0)
    found = ll.cost_audit(traces, by="trace_id")
    for name in PLANTED:
        told = truth["trace_id"].isin(found.loc[found["finding"] == name, "trace_id"])
        planted = truth["planted"] == name
        print(
            f"audit, {name}: {planted.sum()} of {len(truth)} traces planted, found {told[planted].mean():.4f}, "
            f"false alarms {told[~planted].mean():.4f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    runs = parser.parse_args().runs
    started = time.process_time()
    anomalies(runs)
    duplicates(min(runs, 10))
    audit()
    print(f"{time.process_time() - started:.1f} s of CPU")


if __name__ == "__main__":
    main()
