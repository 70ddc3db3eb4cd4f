"""Make the sample dumps: stretches of a support assistant's traffic, each with an incident in it.

    python data_samples/make.py            write the files beside this program
    python data_samples/make.py --check    tell whether the files there hold what this program makes

The same seed gives the same bytes on every machine. Builds of zlib differ in how they pack them,
so `--check` compares what is inside the files.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from harrowpine import otlp, table
from harrowpine.traffic import make_spans
from incidents import SCENARIOS, truth

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
SEED = 7
#: The file that tells what is hidden in the others.
TRUTH = "incidents.toml"
#: Scenarios that are written as a table too.
TABLES = ("support_week",)
FILES = (*(f"{name}.otlp.jsonl.gz" for name in SCENARIOS), *(f"{name}.csv.gz" for name in TABLES), TRUTH)


@cache
def make_one(name: str, seed: int = SEED) -> dict[str, bytes]:
    """Give the uncompressed content of the files of the scenario called `name`, by the file's name."""
    scenario = SCENARIOS[name]
    spans = make_spans(scenario, seed)
    files = {f"{name}.otlp.jsonl.gz": b"".join(otlp.lines(scenario, spans, seed))}
    if name in TABLES:
        files[f"{name}.csv.gz"] = b"".join(table.lines(scenario, spans))
    return files


def make(seed: int = SEED) -> dict[str, bytes]:
    """Give the uncompressed content of each file by the file's name."""
    files = {TRUTH: truth.written(SCENARIOS.values())}
    for name in SCENARIOS:
        files |= make_one(name, seed)
    return {name: files[name] for name in FILES}


def write(files: dict[str, bytes], out: Path) -> None:
    """Write `files` into the folder `out`, those that end in .gz compressed, without a time or a name inside."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if not name.endswith(".gz"):
            (out / name).write_bytes(content)
            continue
        with (
            (out / name).open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
        ):
            packed.write(content)


def differing(files: dict[str, bytes], out: Path) -> list[str]:
    """Give the names of those `files` that are missing in `out` or hold something else."""
    return [name for name, content in files.items() if not (out / name).exists() or _read(out / name) != content]


def _read(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the files (default: beside this program)")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the files differ from what would be written"
    )
    arguments = parser.parse_args(argv)
    files = make(arguments.seed)
    if arguments.check:
        wrong = differing(files, arguments.out)
        print("\n".join(f"{name}: not what this program makes" for name in wrong) or "as made")
        return 1 if wrong else 0
    write(files, arguments.out)
    for name in files:
        print(f"{arguments.out / name}: {(arguments.out / name).stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
