"""`explain`: which attribute values set a selection of traces apart from the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.compute as pc

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError, unknown
from llmlens.measure.shape import Result, result

from .attributes import attribute_columns
from .figure import draw
from .notes import condition_of, notes_on, restates
from .search import Finding, find, shares
from .sides import two_sides
from .windows import without_windows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .column import Column

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
    which this one says no more; None where there is none). `.notes` says what could not be judged, and why
    nothing is said. Where nothing is, nothing is said in at least 95 % of all cases.

    An outcome (status, duration, cost, ...) does not explain a circumstance (model, release, tag, ...), and comes after
    those that do; last, one that is true of the whole selection and of nothing else: it may be how that was selected.
    Where the two sides are windows of time, the time is left out: it would explain all that changed with it.

    >>> frame = explain(traces.where(status="error"))  # doctest: +SKIP

    Raises `SelectionError` when the selection is its whole load and no baseline is given, or for what is no selection.
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise SelectionError(f"top is the number of rows to give at most, 1 or more; got {top!r}.")
    sides = two_sides(selection, baseline)
    ours, n = sides.n_selected, sides.n
    if nothing := sides.cannot_be_judged():
        return _framed([], [*sides.notes, nothing], [], 0, 0)
    columns = _without(attribute_columns(sides.known, sides.selected), ignore)
    columns, of_windows = without_windows(columns, sides.selected, pc.min(sides.known.traces.column("start")).as_py())
    found = _outcomes_last(columns, find(columns, sides.selected, seed=seed), ours)
    notes = [*sides.notes, *of_windows, *notes_on(columns, found, ours, n, top=top)]
    return _framed(found[:top], notes, columns, ours, n)


def _without(columns: Sequence[Column], ignore: str | Iterable[str]) -> list[Column]:
    """Leave out the attributes that are to be ignored, by name or by what is before the dot."""
    names = [ignore] if isinstance(ignore, str) else list(ignore)
    known = {column.name for column in columns} | {column.name.partition(".")[0] for column in columns}
    for name in names:
        if name not in known:
            what = "attribute to ignore:"
            raise unknown(what, str(name), known)
    return [c for c in columns if c.name not in names and c.name.partition(".")[0] not in names]


def _outcomes_last(columns: Sequence[Column], found: Sequence[Finding], ours: int) -> list[Finding]:
    """Put circumstances before outcomes, those that restate the selection last, and after all what is explained."""

    def order_of(place: int) -> tuple[bool, bool, bool, int]:
        explained = found[place].explained_by is not None
        outcome = any(columns[column].outcome for column, _ in found[place].members)
        return explained, outcome, outcome and not explained and restates(found[place], ours), place

    order = sorted(range(len(found)), key=order_of)
    new = {old: place for place, old in enumerate(order)}
    return [
        Finding(f.members, f.marked, f.both, f.g, f.q, None if f.explained_by is None else new[f.explained_by])
        for f in (found[i] for i in order)
    ]


def _framed(found: Sequence[Finding], notes: list[str], columns: Sequence[Column], ours: int, n: int) -> Result:
    conditions = [condition_of(columns, finding) for finding in found]
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
    return result(frame, draw, notes)
