"""`llmlens report`: a dump in, a review out, from a terminal."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import LlmlensError

from .command import read_parameters

if TYPE_CHECKING:
    import argparse


def add_command(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "report", help="read a dump and write a review of it: what changed, which traces show it, cost, quality, drift"
    )
    parser.add_argument("dump", help="a file, glob or folder of traces, whatever llmlens.read takes")
    parser.add_argument("-o", "--out", type=Path, default=Path("review.html"), help=".html (review.html), .md or .pdf")
    parser.add_argument("--since", help="where the window under review begins: 2026-11-05, or with a time")
    parser.add_argument("--until", help="where it ends")
    parser.add_argument("--baseline", help='a dump of a usual time, or "before": what the dump has before --since')
    parser.add_argument("--template", default="incident", help="the path of a notebook of your own")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="for it; repeatable"
    )
    parser.add_argument("--title", help="the title (the name of the dump)")
    parser.add_argument("--code", choices=("fold", "show", "hide"), default="fold", help="how code is shown (fold)")
    parser.add_argument("--no-redact", action="store_true", help="keep secrets, cards and people in it")
    parser.add_argument("--max-mb", type=float, default=20, help="shorten texts above so many megabytes (20)")
    parser.set_defaults(run=run_report)


def run_report(chosen: argparse.Namespace) -> int:
    """Report, say where the review is, and return the exit status."""
    from .report import report

    begun = time.monotonic()
    try:
        made = report(
            chosen.dump,
            chosen.out,
            chosen.template,
            baseline=chosen.baseline,
            since=chosen.since,
            until=chosen.until,
            title=chosen.title,
            redact=not chosen.no_redact,
            code=chosen.code,
            parameters=read_parameters(chosen.parameter),
            max_mb=chosen.max_mb,
        )
    except LlmlensError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{made} ({made.stat().st_size / 1e6:.1f} MB, {time.monotonic() - begun:.0f} s)")  # noqa: T201
    return 0
