"""How long each measure takes the second time, and how well loops and runs of failures are found.

    python bench/generate.py --spans 1000000 --out bench/data/1m.jsonl
    python bench/measures.py --dump bench/data/1m.jsonl
    python bench/measures.py --found

Seconds are wall clock and CPU (all threads) of the second call. `--found` prints precision, recall and F1 of loops on a
set planted by a seed (identical and near-identical calls, cycles; beside polling, new arguments, plain work), and of
runs of failures, each beside the plain rule: the same tool with the same arguments three times in a row.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import llmlens as ll
from llmlens.measure.loops import loops_of_calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmlens.traces import Traces

START = pd.Timestamp("2026-11-02", tz="UTC")
MEASURES: dict[str, tuple[str, Callable[[Traces], pd.DataFrame]]] = {
    "cost": ("relational", lambda t: ll.cost(t, by=["feature", "model"], every="1D")),
    "cost_per_goal": ("relational", lambda t: ll.cost_per_goal(t, done="status != 'error'", by="feature")),
    "cost_anomalies": ("relational", lambda t: ll.cost_anomalies(t, by="feature")),
    "budget": ("relational", lambda t: ll.budget(t, monthly=47_000)),
    "quality": ("relational", lambda t: ll.quality(t, by="feature", every="1D")),
    "slo": ("relational", lambda t: ll.slo(t, "helpfulness >= 0.7", target=0.95)),
    "latency": ("relational", lambda t: ll.latency(t, by="feature", every="1h")),
    "errors": ("relational", lambda t: ll.errors(t, by="feature")),
    "agents": ("relational", lambda t: ll.agents(t, by="feature")),
    "sessions": ("relational", lambda t: ll.sessions(t, by="feature")),
    "users": ("relational", lambda t: ll.users(t, by="feature")),
    "context_growth": ("relational", lambda t: ll.context_growth(t, by="feature")),
    "critical_path": ("tree", lambda t: ll.critical_path(t, by="feature", every="1h")),
    "self_time": ("tree", ll.self_time),
    "handoffs": ("tree", ll.handoffs),
    "loops": ("tree", lambda t: ll.loops(t, by="feature")),
    "tools": ("tree", ll.tools),
    "cost_audit": ("tree", lambda t: ll.cost_audit(t, by="feature")),
    "signals": ("texts", lambda t: ll.signals(t, by="feature")),
}


def main() -> None:
    """Print the numbers that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--dump", type=Path, help="an OTLP dump, or a folder that Traces.save wrote")
    parser.add_argument("--only", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--found", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    if given.dump:
        traces = ll.open(given.dump) if given.dump.is_dir() else ll.read_otlp(given.dump)
        print_seconds(scored(traces, given.seed), given.only)
    if given.found:
        print_found(given.seed)


def print_seconds(traces: Traces, names: list[str]) -> None:
    spans = int(traces.fetch(traces.table("spans").count().name("n").as_table())["n"].iloc[0])
    print(
        f"{spans:,} spans, {len(traces):,} traces\n{'measure':<16} {'kind':<11} {'first':>8} {'second':>8} {'CPU':>8}"
    )
    for name in names:
        kind, measure = MEASURES[name]
        first, _ = timed(measure, traces)
        second, cpu = timed(measure, traces)
        print(f"{name:<16} {kind:<11} {first:>6.2f} s {second:>6.2f} s {cpu:>6.2f} s", flush=True)


def scored(traces: Traces, seed: int, n: int = 80_000) -> Traces:
    """Give traces that have no scores some: a judge's, of up to `n` of them."""
    ids = traces.trace_ids[:n]
    values = [round(random.Random(f"{seed} {each}").betavariate(8, 2), 2) for each in ids]
    told = pd.DataFrame({"trace_id": ids, "name": "helpfulness", "value": values, "source": "judge", "author": "judge"})
    return traces.with_scores(told)


def timed(measure: Callable[[Traces], pd.DataFrame], traces: Traces) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    measure(traces)
    return time.perf_counter() - wall, time.process_time() - cpu


def planted(random_: random.Random, trace: str) -> tuple[list[dict[str, object]], str | None]:
    """Make the calls of one trace and say which pattern is in it."""
    kind = random_.choice(
        ["identical", "near-identical", "cycle", None, "polling", "new arguments", "research", "twice"]
    )
    rounds = random_.randint(3, 8)
    sku, city = random_.randint(1000, 9999), random_.choice(["Leeds", "Boulder", "Freiburg"])
    call = {"tool": "check_stock", "arguments": f'{{"sku": "HP-{sku}", "store": "{city}"}}', "outcome": 1}
    steps: list[dict[str, object]] = []
    if kind == "identical":
        steps = [dict(call) for _ in range(rounds)]
        if random_.random() < 0.4:
            steps.insert(random_.randint(1, rounds - 1), {"tool": "get_time", "arguments": "{}", "outcome": 9})
    elif kind == "near-identical":
        spelled = [city, city.lower(), city.upper(), f"{city} ", f"{city} store"]
        steps = [call | {"arguments": f'{{"sku": "HP-{sku}", "store": "{spelled[n % 5]}"}}'} for n in range(rounds)]
    elif kind == "cycle":
        length = random_.choice([2, 2, 3])
        turn = [{"tool": f"tool_{n}", "arguments": f'{{"sku": "HP-{sku}"}}', "outcome": n} for n in range(length)]
        steps = [dict(step) for _ in range(rounds) for step in turn]
    elif kind == "polling":
        steps = [call | {"tool": "job_status", "waiting": True} for _ in range(rounds)] + [
            call | {"tool": "job_status", "outcome": 2}
        ]
    elif kind == "new arguments":
        steps = [
            call | {"arguments": f'{{"sku": "HP-{sku + n}", "store": "{city}"}}', "outcome": n} for n in range(rounds)
        ]
    elif kind == "research":
        for n in range(rounds):
            steps += [{"tool": "search", "arguments": f'{{"q": "{city} {n}"}}', "outcome": 10 + n},
                      {"tool": "open", "arguments": f'{{"id": {n}}}', "outcome": 50 + n}]  # fmt: skip
    elif kind == "twice":
        steps = [dict(call), dict(call)]
    around = [
        {"tool": f"other_{n}", "arguments": f'{{"n": {random_.randint(0, 10**6)}}}', "outcome": 100 + n}
        for n in range(random_.randint(0, 3))
    ]
    base = {
        "trace_id": trace,
        "failed": False,
        "waiting": False,
        "tokens": 1,
        "duration_s": 0.1,
        "asked_s": 0.5,
        "cost_usd": 0.01,
    }
    made = [base | step for step in [*around, *steps]]
    for n, step in enumerate(made):
        at = START + pd.Timedelta(seconds=n)
        step |= {"span_id": f"s{n}", "requested_by": f"m{n}", "call_id": f"c{n}", "start": at, "end": at}
    return made, kind if kind in ("identical", "near-identical", "cycle") else None


def print_found(seed: int, traces: int = 2000) -> None:
    """Print how well loops and runs of failures are found."""
    random_ = random.Random(seed)
    rows, truth = [], {}
    for n in range(traces):
        made, kind = planted(random_, f"t{n:05d}")
        rows += made
        if kind:
            truth[f"t{n:05d}"] = kind
    calls = pd.DataFrame(rows).astype({"outcome": "Int64"})
    ours = loops_of_calls(calls)
    key = calls["trace_id"] + calls["tool"] + calls["arguments"]
    plain = set(calls.loc[(key == key.shift(1)) & (key == key.shift(2)), "trace_id"])
    print(f"{'what':<32} {'precision':>9} {'recall':>7} {'F1':>6}")
    report("loops (any)", set(ours["trace_id"]), set(truth))
    report("  the plain rule", plain, set(truth))
    for kind in ("identical", "near-identical", "cycle"):
        report(
            f"  as {kind}",
            set(ours.loc[ours["pattern"] == kind, "trace_id"]),
            {t for t, k in truth.items() if k == kind},
        )
    report("agents in turn (A-B-A-B)", *turns(random_))
    report("consecutive failures", *failures(random_))


def turns(random_: random.Random, traces: int = 1000) -> tuple[set[str], set[str]]:
    """Plant agents that hand over to each other in turn; beside chains of agents, one that runs again, two rounds."""
    rows, expected = [], set()
    for number in range(traces):
        trace, rounds = f"t{number:04d}", random_.randint(3, 6)
        kind = random_.choice(["pair", "three", "chain", "same", "twice"])
        order = {"pair": "ab" * rounds, "three": "abc" * rounds, "chain": "abcdefg"[: rounds + 1], "same": "a" * rounds,
                 "twice": "abab"}[kind]  # fmt: skip
        around = random_.choice(["", "r"])
        if kind in ("pair", "three"):
            expected.add(trace)
        rows += [
            (trace, f"s{n}", f"agent_{name}", START + pd.Timedelta(seconds=n)) for n, name in enumerate(around + order)
        ]
    frame = pd.DataFrame(rows, columns=["trace_id", "span_id", "agent_name", "start"])
    frame = frame.assign(name="invoke_agent", kind="agent", end=frame["start"] + pd.Timedelta(seconds=1))
    found = ll.loops(ll.Traces.from_frames({"spans": frame})).beside["loops"]
    return set(found.loc[found["pattern"] == "agents", "trace_id"]), expected


def failures(random_: random.Random) -> tuple[set[str], set[str]]:
    """Plant runs of failures, each tool one of its own: three or more in five minutes, or too few, or too slow."""
    rows, expected = [], set()
    for number in range(300):
        tool, kind = f"tool_{number:03d}", random_.choice(["run", "slow", "broken", "fine"])
        gap = {"run": 60, "slow": 200, "broken": 60, "fine": 60}[kind]
        outcomes = {"run": [0, 1, 1, 1, 0], "slow": [0, 1, 1, 1, 0], "broken": [1, 1, 0, 1, 1], "fine": [0] * 5}[kind]
        if kind == "run":
            expected.add(tool)
        rows += [(tool, START + pd.Timedelta(seconds=n * gap), failed) for n, failed in enumerate(outcomes)]
    frame = pd.DataFrame(rows, columns=["name", "start", "failed"])
    frame["trace_id"], frame["span_id"] = [f"t{n}" for n in range(len(frame))], "1"
    frame["kind"], frame["end"] = "tool", frame["start"] + pd.Timedelta(seconds=1)
    frame["status"] = frame.pop("failed").map({0: "ok", 1: "error"})
    attributes = [f'{{"gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"{name}"}}' for name in frame["name"]]
    contents = frame[["trace_id", "span_id"]].assign(attributes=attributes)
    traces = ll.Traces.from_frames({"spans": frame, "contents": contents})
    return set(ll.tools(traces).beside["bursts"]["tool"]), expected


def report(what: str, found: set[str], expected: set[str]) -> None:
    hits = len(found & expected)
    precision, recall = hits / max(len(found), 1), hits / max(len(expected), 1)
    print(f"{what:<32} {precision:>9.3f} {recall:>7.3f} {2 * hits / max(len(found) + len(expected), 1):>6.3f}")


if __name__ == "__main__":
    main()
