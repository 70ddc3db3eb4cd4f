"""Say whether triage finds what is there, and nothing where nothing is.

Prints: for each dump of `data_samples` the place of each planted incident among the findings, how far its onset is off,
and seconds; then how often anything is found in a week whose traces were put in random
order in time, which leaves no incident in it.

    python bench/truth/triage.py [--draws 20]
"""

from __future__ import annotations

import argparse
import time
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

import llmlens as ll
from llmlens.traces import Traces

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
DUMPS = ("support_week", "model_change", "stale_index", "agent_loop", "budget_overrun")


def planted(name: str) -> list[tuple[str, pd.Timestamp, dict[str, str]]]:
    """Give what went wrong in a dump: what, since when, where."""
    told = tomllib.loads((SAMPLES / "incidents.toml").read_text("utf-8"))[name]
    return [(each["kind"], pd.Timestamp(each["since"]), each["slice"]) for each in told]


def shuffled(traces: Traces, seed: int) -> Traces:
    """Move each whole trace to the time of another one, chosen at random."""
    random = np.random.default_rng(seed)
    rollup = traces.traces[["trace_id", "start"]]
    start = rollup.set_index("trace_id")["start"]
    by = pd.Series(random.permutation(start.to_numpy()), index=start.index) - start
    frames = {name: traces.table(name).to_pandas() for name in ("spans", "contents", "scores")}
    for column in ("start", "end"):
        frames["spans"][column] += frames["spans"]["trace_id"].map(by)
    return Traces.from_frames(frames)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=20)
    draws = parser.parse_args().draws
    print("| dump | planted | found at place | onset off by | CPU s |\n|---|---|---|---|---|")
    for name in DUMPS:
        traces = ll.read(SAMPLES / f"{name}.otlp.jsonl.gz")
        begun = time.process_time()
        found = ll.triage(traces)
        took = time.process_time() - begun
        for kind, since, slices in planted(name):
            places = [
                place
                for place, row in enumerate(found.to_dict("records"))
                if row["slice"] in slices.values() and abs(row["since"] - since) <= pd.Timedelta("6D")
            ]
            off = f"{abs(found['since'].iloc[places[0]] - since) / pd.Timedelta('1h'):.1f} h" if places else "–"
            print(f"| {name} | {kind} | {places[0] + 1 if places else 'not found'} | {off} | {took:.1f} |")
    week = ll.read(SAMPLES / "support_week.otlp.jsonl.gz")
    alarms = sum(len(ll.triage(shuffled(week, seed), seed=seed)) > 0 for seed in range(draws))
    print(f"\n{alarms} of {draws} weeks in random order had any finding (q <= 0.05 over all series).")


if __name__ == "__main__":
    main()
