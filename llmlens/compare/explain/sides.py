"""The two sides that are compared: what is known of the traces of both, and which of them are selected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llmlens.errors import SelectionError
from llmlens.selection import Selection
from llmlens.traces import Traces

from .encoding import places
from .evidence import FEWEST
from .gathered import Gathered, united
from .gathering import gather

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass
class Sides:
    """The traces of the selection and of the baseline: what is known of them, and which are selected."""

    known: Gathered
    selected: NDArray[np.bool_]
    notes: list[str] = field(default_factory=list)

    @property
    def n(self) -> int:
        """How many traces there are on both sides."""
        return len(self.selected)

    @property
    def n_selected(self) -> int:
        """How many of them are selected."""
        return int(self.selected.sum())

    def cannot_be_judged(self) -> str:
        """Say why nothing can be said of so many traces, or nothing where something can."""
        ours, theirs = self.n_selected, self.n - self.n_selected
        if not ours:
            return "The selection is empty: there is nothing to explain."
        if not theirs:
            return "The baseline has no traces beside the selection: there is nothing to compare with."
        if ours < FEWEST:
            return f"The selection has {ours} of the {FEWEST} traces or more that tell a pattern from chance."
        return ""


def two_sides(selection: Any, baseline: Any) -> Sides:
    """Gather what is known of both sides; without a baseline it is what else the load holds.

    Raises `SelectionError` for what is no selection, and where there is nothing else.
    """
    chosen = _selected(selection, "selection")
    rest = None if baseline is None else _selected(baseline, "baseline")
    notes = []
    if chosen.span_ids is not None or (rest is not None and rest.span_ids is not None):
        notes.append("Spans were selected; what is compared is their whole traces.")
    chosen = replace(chosen, span_ids=None)
    ours = _ids(chosen)
    if rest is None:
        sources = [gather(Selection(chosen.store))]
        if len(sources[0].ids) == len(ours):
            raise SelectionError(
                f"The selection is all {len(ours)} traces of its load: there is no rest to compare it with. "
                "Select some of them, or give baseline=."
            )
    else:
        rest = replace(rest, span_ids=None)
        if shared := int((places(_ids(rest), ours) >= 0).sum()):
            notes.append(f"{shared} traces are in the selection and in the baseline; they count as selection.")
        sources = [gather(chosen | rest)] if chosen.store is rest.store else [gather(chosen), gather(rest)]
    known = united(sources)
    return Sides(known, places(known.ids, ours) >= 0, [*notes, *known.notes])


def _selected(given: Any, name: str) -> Selection:
    """Take `Traces`, or the selection of a view."""
    traces = given if isinstance(given, Traces) else getattr(given, "selection", None)
    if not isinstance(traces, Traces):
        raise SelectionError(
            f"explain takes Traces as {name}, or a view with a selection; got {type(given).__name__}. "
            "Select with traces.where(...)."
        )
    return traces._selection  # noqa: SLF001  # its tables and whether it knows its whole


def _ids(traces: Selection) -> pa.ChunkedArray:
    return traces.store.compute(traces.rollup().select("trace_id")).column(0)
