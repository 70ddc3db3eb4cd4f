"""What the commands that write a notebook as a page have in common: options, parameters, and how they end."""

from __future__ import annotations

import ast
import sys
import time
from typing import TYPE_CHECKING, Any

from llmlens.errors import LlmlensError, ShareError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable
    from pathlib import Path


def add_page_options(parser: argparse.ArgumentParser, *, title: str) -> None:
    """Add the options that say what runs and how the page is written, with the `title` it has by default."""
    parser.add_argument("--title", help=f"the title ({title})")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of the run; repeatable")  # fmt: skip
    parser.add_argument("--no-redact", action="store_true", help="keep secrets, cards and people in it")
    parser.add_argument("--code", choices=("fold", "show", "hide"), default="fold", help="how code is shown (fold)")
    parser.add_argument("--max-mb", type=float, default=20, help="shorten texts above so many megabytes (20)")


def page_options(chosen: argparse.Namespace) -> dict[str, Any]:
    """Give the options that were chosen as keyword arguments; raises `ShareError` for a parameter that is none."""
    return {
        "parameters": read_parameters(chosen.parameter),
        "redact": not chosen.no_redact,
        "code": chosen.code,
        "title": chosen.title,
        "max_mb": chosen.max_mb,
    }


def run_writing(write: Callable[[], Path]) -> int:
    """Write a file, say where it is, or what is wrong, and return the exit status."""
    begun = time.monotonic()
    try:
        made = write()
    except LlmlensError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{made} ({made.stat().st_size / 1e6:.1f} MB, {time.monotonic() - begun:.0f} s)")  # noqa: T201
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
            raise ShareError(f"A parameter is given as NAME=VALUE; got {pair!r}.")
        try:
            found[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[name] = value
    return found
