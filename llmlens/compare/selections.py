"""The two sides of a comparison."""

from __future__ import annotations

from llmlens.errors import SelectionError
from llmlens.traces import Traces


def as_traces(given: object, function: str, argument: str) -> Traces:
    """Give the traces that an argument is, or that a view has selected; raise `SelectionError` for anything else."""
    selection = given if isinstance(given, Traces) else getattr(given, "selection", None)
    if not isinstance(selection, Traces):
        what = f"{argument} is {type(given).__name__}"
        raise SelectionError(f"{function} takes Traces, or a view with a selection; {what}.")
    return selection


def check_seed(seed: object) -> None:
    """Raise `SelectionError` for a seed that is no whole number from 0."""
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise SelectionError(f"seed={seed!r} is not a whole number from 0: the same seed gives the same result.")
