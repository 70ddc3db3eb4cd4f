"""`llmlens report`: a dump in, a review out, from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .page_command import add_page_options, page_options, run_writing

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
    add_page_options(parser, title="the name of the dump")
    parser.set_defaults(run=run_report)


def run_report(chosen: argparse.Namespace) -> int:
    """Report, say where the review is, and return the exit status."""
    from .report import report

    window = {name: getattr(chosen, name) for name in ("baseline", "since", "until")}
    return run_writing(lambda: report(chosen.dump, chosen.out, chosen.template, **window, **page_options(chosen)))
