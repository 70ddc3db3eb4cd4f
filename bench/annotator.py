"""How long the labelling panel takes to the next item when its texts were not fetched ahead.

    python bench/annotator.py --traces 2000 100000

Traces of four spans with texts and a judge's score each; the panel is on a selection of them, as people have it.
Printed are the CPU milliseconds of the kernel from the question of the page to the answer, without the JSON on the
wire.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import llmlens as ll
from llmlens.read.langfuse.observations import to_raw
from llmlens.read.otlp import make_loader
from llmlens.read.raw import RawScore
from llmlens.traces import Traces
from llmlens.view.annotator import Annotator

if TYPE_CHECKING:
    from collections.abc import Iterator

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
ITEMS = 50
STEPS = (("SPAN", "chat"), ("RETRIEVER", "search"), ("GENERATION", "answer"), ("TOOL", "track"))
QUESTION = '[{"role": "user", "content": "Where is parcel %d? It should have been here on Friday."}]'
ANSWER = '{"role": "assistant", "content": "Parcel %d left the depot this morning and is on its way to you."}'
LIMIT_MS = 100


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--traces", type=int, nargs="+", default=[2_000, 100_000])
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%F}\n")
    print("| traces | on the list | CPU ms, median | CPU ms, longest | limit |\n|---|---|---|---|---|")
    for count in given.traces:
        listed, took = items(load(count))
        print(f"| {count:,} | {listed:,} | {statistics.median(took):.0f} | {max(took):.0f} | {LIMIT_MS} |")


def load(count: int) -> Traces:
    """Make so many traces, and a score of each."""
    loader = make_loader(conventions=None, feature=None, prices=None, strict=False)
    loader.add_all(to_raw(observations(count)), "bench")
    loader.add_all((_judged(place) for place in range(count)), "bench")
    return Traces(loader.finish())


def _judged(place: int) -> RawScore:
    value = place * 7919 % 100 / 100
    return RawScore(f"{place:032x}", None, "helpfulness", value=value, source="EVAL", author="judge")


def observations(count: int) -> Iterator[dict[str, Any]]:
    """Make the observations: a question, what was found for it, the answer, and a tool."""
    for trace in range(count):
        for place, (kind, name) in enumerate(STEPS):
            start = BEGIN + timedelta(seconds=trace, milliseconds=100 * place)
            yield {
                "id": f"{trace * len(STEPS) + place:016x}", "traceId": f"{trace:032x}", "type": kind, "name": name,
                "startTime": start.isoformat(), "endTime": (start + timedelta(seconds=1)).isoformat(),
                "parentObservationId": f"{trace * len(STEPS):016x}" if place else None,
                "input": QUESTION % trace, "output": ANSWER % trace,
            }  # fmt: skip


def items(traces: Traces) -> tuple[int, list[float]]:
    """Open a panel on half of the traces; give how many are listed, and the CPU ms of items all over the list."""
    half = traces.low_scoring("helpfulness", below=0.5)
    with tempfile.TemporaryDirectory() as folder:
        panel = Annotator(half, [ll.Score("quality", 1, 5)], author="ann", store=Path(folder) / "labels.sqlite")
        count = len(panel.answer("worklist")["states"])
        panel.answer("item", place=0)  # imports what is imported at first use
        took = []
        for place in range(1, count, -(-count // ITEMS)):
            began = time.process_time()
            panel.answer("item", place=place)
            took.append(1000 * (time.process_time() - began))
        panel.close()
    return count, took


if __name__ == "__main__":
    main()
