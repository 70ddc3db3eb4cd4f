"""`explain`: which attribute values set a selection of traces apart from the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError, unknown
from llmlens.measure.shape import Result, result
from llmlens.selection import Selection
from llmlens.traces import Traces

from .attributes import attribute_columns
from .encoding import places
from .evidence import FEWEST
from .figure import draw, said
from .gathering import gather
from .search import Finding, find, shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from .column import Column
    from .gathering import Gathered

_COLUMNS: dict[str, Any] = {
    "condition": object, "share_selection": "Float64", "share_baseline": "Float64", "difference": "Float64",
    "low": "Float64", "high": "Float64", "q": "Float64", "explained_by": object,
}  # fmt: skip


@explains_arguments
def explain(
    selection: Any,
    baseline: Any = None,
    *,
    ignore: str | Iterable[str] = (),
    top: int = 20,
    seed: int = 0,
) -> Result:
    """Find what sets a selection apart from the rest: values of attributes, alone and in pairs.

    `selection` and `baseline` are `Traces`, or views whose selection is meant; without `baseline` it is all other
    traces of the load. Attributes are the columns of spans and traces, each tag, each key of metadata and params,
    tools, document ids and the first words of the input and of the prompts, all of the whole trace; numbers are cut at
    quantiles of the baseline, times finer. `ignore` names attributes to leave out, such as `["status", "metadata"]`:
    those that the selection was made by. At most `top` rows are given.

    One row a condition, first those that explain, best first, then those that are explained: `condition` (a dict of
    one or two attributes and their values: a `Between` for a range, None for NA, a tuple where a trace has two tags),
    `share_selection` and `share_baseline` (of the traces that fulfil it), `difference`, `low` and `high` (its 95 %
    interval; Newcombe 1998), `q` (the chance that anything this strong would be found where nothing is; shuffled
    labels, Westfall and Young 1993, or Bonferroni's bound on Fisher's exact test), `explained_by` (the condition given
    which this one says no more; None where there is none). `.attrs["notes"]` says what could not be judged, and why
    nothing is said. Where nothing is, nothing is said in at least 95 % of all cases.

    An outcome (status, duration, cost, ...) does not explain a circumstance (model, release, tag, ...). An outcome that
    is true of the whole selection and of nothing else may be how it was selected: it comes after the others.

    >>> frame = explain(traces.where(status="error"))  # doctest: +SKIP

    Raises `SelectionError` when the selection is its whole load and no baseline is given, or for what is no selection.
    """
    chosen, rest = _selected(selection, "selection"), None if baseline is None else _selected(baseline, "baseline")
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise SelectionError(f"top is the number of rows to give at most, 1 or more; got {top!r}.")
    notes: list[str] = []
    sources, ids, selected = _rows(chosen, rest, notes)
    ours, n = int(selected.sum()), len(selected)
    if nothing := _cannot_be_judged(ours, n - ours):
        return _framed([], [*notes, nothing], [], 0, 0)
    for source in sources:
        notes += [note for note in source.notes if note not in notes]
    columns = _without(attribute_columns(sources, ids, selected), ignore)
    found = _restating_last(columns, find(columns, selected, seed=seed), ours)
    notes += _notes(columns, found, ours, n, top)
    return _framed([found[i] for i in range(min(top, len(found)))], notes, columns, ours, n)


def _selected(given: Any, name: str) -> Selection:
    """Take `Traces`, or the selection of a view."""
    traces = given if isinstance(given, Traces) else getattr(given, "selection", None)
    if not isinstance(traces, Traces):
        raise SelectionError(
            f"explain takes Traces as {name}, or a view with a selection; got {type(given).__name__}. "
            "Select with traces.where(...)."
        )
    return traces._selection  # noqa: SLF001  # its tables and whether it knows its whole


def _rows(
    chosen: Selection, rest: Selection | None, notes: list[str]
) -> tuple[list[Gathered], pa.ChunkedArray, NDArray[np.bool_]]:
    """Gather what is known of both sides; give the ids of all traces and which are selected."""
    if chosen.span_ids is not None or (rest is not None and rest.span_ids is not None):
        notes.append("Spans were selected; what is compared is their whole traces.")
    chosen = replace(chosen, span_ids=None)
    ours = _ids(chosen)
    if rest is None:
        sources = [gather(Selection(chosen.store))]
        if sources[0].traces.num_rows == len(ours):
            raise SelectionError(
                f"The selection is all {len(ours)} traces of its load: there is no rest to compare it with. "
                "Select some of them, or give baseline=."
            )
    else:
        rest = replace(rest, span_ids=None)
        if shared := int((places(_ids(rest), ours) >= 0).sum()):
            notes.append(f"{shared} traces are in the selection and in the baseline; they count as selection.")
        sources = [gather(chosen | rest)] if chosen.store is rest.store else [gather(chosen), gather(rest)]
    ids: pa.ChunkedArray = sources[0].traces.column("trace_id")
    if len(sources) > 1:
        ids = pa.chunked_array(
            [pa.chunked_array([c for s in sources for c in s.traces.column("trace_id").chunks]).unique()]
        )
    return sources, ids, places(ids, ours) >= 0


def _ids(traces: Selection) -> pa.ChunkedArray:
    return traces.store.compute(traces.rollup().select("trace_id")).column(0)


def _cannot_be_judged(ours: int, theirs: int) -> str:
    """Say why nothing can be said of so many traces, or nothing."""
    if not ours:
        return "The selection is empty: there is nothing to explain."
    if not theirs:
        return "The baseline has no traces beside the selection: there is nothing to compare with."
    if ours < FEWEST:
        return f"The selection has {ours} of the at least {FEWEST} traces that it takes to tell a pattern from chance."
    return ""


def _without(columns: Sequence[Column], ignore: str | Iterable[str]) -> list[Column]:
    """Leave out the attributes that are to be ignored, by name or by what is before the dot."""
    names = [ignore] if isinstance(ignore, str) else list(ignore)
    known = {column.name for column in columns} | {column.name.partition(".")[0] for column in columns}
    for name in names:
        if name not in known:
            what = "attribute to ignore:"
            raise unknown(what, str(name), known)
    return [c for c in columns if c.name not in names and c.name.partition(".")[0] not in names]


def _restates(finding: Finding, ours: int) -> bool:
    """Say whether a condition is true of the whole selection and of nothing else."""
    return finding.both == finding.marked == ours


def _restating_last(columns: Sequence[Column], found: Sequence[Finding], ours: int) -> list[Finding]:
    """Put outcomes that restate the selection after what else explains it, and explained outcomes last."""

    def order_of(place: int) -> tuple[bool, bool, int]:
        explained = found[place].explained_by is not None
        outcome = all(columns[column].outcome for column, _ in found[place].members)
        return explained, outcome and (explained or _restates(found[place], ours)), place

    order = sorted(range(len(found)), key=order_of)
    new = {old: place for place, old in enumerate(order)}
    return [
        Finding(f.members, f.marked, f.both, f.g, f.q, None if f.explained_by is None else new[f.explained_by])
        for f in (found[i] for i in order)
    ]


def _notes(columns: Sequence[Column], found: Sequence[Finding], ours: int, n: int, top: int) -> list[str]:
    """Say what is to be known beside the rows."""
    notes = []
    if not found:
        notes.append(
            f"Nothing sets the {ours} traces of the selection apart from the {n - ours} of the baseline by more than "
            f"chance, among {len(columns)} attributes and their pairs."
        )
    for finding in found:
        if finding.explained_by is None and _restates(finding, ours):
            names = [columns[column].name for column, _ in finding.members]
            notes.append(
                f"{said(_condition(columns, finding))} is true of the whole selection and of nothing else. If that is "
                f"how it was selected, leave it out: ignore={names}."
            )
    for place, finding in enumerate(found):
        same = [said(_condition(columns, f)) for f in found if f.explained_by == place and _same(columns, f, finding)]
        if same:
            named = said(_condition(columns, finding))
            notes.append(f"{named} cannot be told apart from {', '.join(same)}: they are true of the same traces.")
    if constant := [column.name for column in columns if _constant(column)]:
        notes.append(f"The same everywhere, so not judged: {', '.join(constant)}.")
    if len(found) > top:
        notes.append(f"{len(found) - top} more conditions were found; top={len(found)} gives them.")
    return notes


def _same(columns: Sequence[Column], one: Finding, other: Finding) -> bool:
    """Say whether two conditions are true of the same traces."""
    if (one.marked, one.both) != (other.marked, other.both):
        return False
    holds = [np.logical_and.reduce([columns[c].holds(item) for c, item in f.members]) for f in (one, other)]
    return bool((holds[0] == holds[1]).all())


def _constant(column: Column) -> bool:
    """Say whether a column has one value everywhere, and that is known."""
    values = column.values  # noqa: PD011  # of a column of codes
    return len(values) == 1 and values[0] is not None


def _condition(columns: Sequence[Column], finding: Finding) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    for column, item in finding.members:
        name, value = columns[column].name, columns[column].values[item]  # noqa: PD011
        condition[name] = (condition[name], value) if name in condition else value
    return condition


def _framed(found: Sequence[Finding], notes: list[str], columns: Sequence[Column], ours: int, n: int) -> Result:
    conditions = [_condition(columns, finding) for finding in found]
    rows = [
        (
            condition,
            *shares(finding, ours, n),
            finding.q,
            None if finding.explained_by is None else conditions[finding.explained_by],
        )
        for condition, finding in zip(conditions, found, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object).astype(_COLUMNS)
    made = result(frame, draw)
    made.attrs["notes"] = notes
    return made
