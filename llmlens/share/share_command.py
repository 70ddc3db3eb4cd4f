"""`llmlens share`: the same as `llmlens.share`, from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from .page_command import add_page_options, page_options, run_writing

if TYPE_CHECKING:
    import argparse


def add_command(commands: Any) -> None:
    """Add the command to the parser of the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "share", help="write a notebook as one file that opens without network and kernel, redacted"
    )
    parser.add_argument("notebook", type=Path, help="an .ipynb file")
    parser.add_argument(
        "-o", "--out", type=Path, help="what to write: .html (beside the notebook), .ipynb, .md or .pdf"
    )
    parser.add_argument("--execute", action="store_true", help="run it first: only then are its views live")
    parser.add_argument("--texts", choices=("shown", "all", "none"), default="shown", help="texts of traces (shown)")
    add_page_options(parser, title="the first heading")
    parser.set_defaults(run=run_share)


def run_share(chosen: argparse.Namespace) -> int:
    """Share, say where the file is, and return the exit status."""
    from .sharing import share

    own = {"execute": chosen.execute, "texts": chosen.texts}
    return run_writing(lambda: share(chosen.notebook, chosen.out, **own, **page_options(chosen)))
