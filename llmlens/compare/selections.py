"""The two sides of a comparison."""

from __future__ import annotations

from llmlens.arguments import check_seed
from llmlens.errors import SelectionError
from llmlens.traces import Traces

__all__ = ["as_traces", "check_seed"]


def as_traces(given: object, function: str, argument: str) -> Traces:
    """Give the traces that an argument is, or that a view has selected; raise `SelectionError` for anything else."""
    selection = given if isinstance(given, Traces) else getattr(given, "selection", None)
    if not isinstance(selection, Traces):
        what = f"{argument} is {type(given).__name__}"
        raise SelectionError(f"{function} takes Traces, or a view with a selection; {what}.")
    return selection
