"""`llmlens share`: the same as `llmlens.share`, from a terminal."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmlens.errors import LlmlensError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable


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
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the run; repeatable",
    )
    parser.add_argument("--no-redact", action="store_true", help="keep secrets, cards and people in it")
    parser.add_argument("--code", choices=("fold", "show", "hide"), default="fold", help="how code is shown (fold)")
    parser.add_argument("--title", help="the title (the first heading)")
    parser.add_argument("--texts", choices=("shown", "all", "none"), default="shown", help="texts of traces (shown)")
    parser.add_argument("--max-mb", type=float, default=20, help="shorten texts above so many megabytes (20)")
    parser.set_defaults(run=run_share)


def run_share(chosen: argparse.Namespace) -> int:
    """Share, say where the file is, and return the exit status."""
    from .sharing import share

    try:
        parameters = read_parameters(chosen.parameter)
        made = share(
            chosen.notebook,
            chosen.out,
            execute=chosen.execute,
            parameters=parameters,
            redact=not chosen.no_redact,
            code=chosen.code,
            title=chosen.title,
            texts=chosen.texts,
            max_mb=chosen.max_mb,
        )
    except LlmlensError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")  # noqa: T201
    return 0


def read_parameters(pairs: Iterable[str]) -> dict[str, Any]:
    """Read `name=value` pairs; a value is a Python literal, else a text.

    >>> read_parameters(["n=3", "since=2026-11-02"])
    {'n': 3, 'since': '2026-11-02'}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            from llmlens.errors import ShareError

            raise ShareError(f"A parameter is given as NAME=VALUE; got {pair!r}.")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found
