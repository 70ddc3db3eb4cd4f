"""Print how long a review takes, from a dump to the page, and how large it is.

    python bench/report.py                    # the dumps of data_samples and one of 100,000 spans

Seconds are wall clock of `llmlens report` in a process of its own, and the CPU seconds of it and its kernel.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parent / "data_samples"
SPANS, LIMIT_S = 100_000, 60


def main() -> None:
    """Print a row a dump."""
    big = HERE / "data" / f"{SPANS}.jsonl"
    if not big.exists():
        big.parent.mkdir(exist_ok=True)
        command = [
            sys.executable,
            str(HERE / "generate.py"),
            "--spans",
            str(SPANS),
            "--out",
            str(big),
            "--format",
            "jsonl",
        ]
        subprocess.run(command, check=True)
    print("| dump | s | CPU s | MB | goal |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for dump in [*sorted(SAMPLES.glob("*.otlp.jsonl.gz")), big]:
            out = Path(folder) / "review.html"
            before, begun = _cpu(), time.monotonic()
            subprocess.run([sys.executable, "-m", "llmlens.cli", "report", str(dump), "-o", str(out)], check=True)
            took, cpu = time.monotonic() - begun, _cpu() - before
            goal = f"{LIMIT_S} s" if dump == big else ""
            print(f"| {dump.name.split('.')[0]} | {took:.0f} | {cpu:.0f} | {out.stat().st_size / 1e6:.1f} | {goal} |")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
