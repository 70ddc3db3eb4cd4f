"""Make the sample dumps: a week of a support assistant with two incidents in it.

    python data_samples/make.py            write the two files beside this program
    python data_samples/make.py --check    tell whether the files there hold what this program makes

The same seed gives the same bytes on every machine. Builds of zlib differ in how they pack them,
so `--check` compares what is inside the files.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support_week import otlp, table
from support_week.traffic import make_week

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
SEED = 7
FILES = ("support_week.otlp.jsonl.gz", "support_week.csv.gz")


def make(seed: int = SEED) -> dict[str, bytes]:
    """Give the uncompressed content of each file by the file's name."""
    spans = make_week(seed)
    return {
        FILES[0]: b"".join(otlp.lines(spans, seed)),
        FILES[1]: b"".join(table.lines(spans)),
    }


def write(files: dict[str, bytes], out: Path) -> None:
    """Write `files` compressed into the folder `out`, without a time or a name inside."""
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with (
            (out / name).open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=raw, mtime=0) as packed,
        ):
            packed.write(content)


def differing(files: dict[str, bytes], out: Path) -> list[str]:
    """Give the names of those `files` that are missing in `out` or hold something else."""
    return [
        name
        for name, content in files.items()
        if not (out / name).exists() or gzip.decompress((out / name).read_bytes()) != content
    ]


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
