"""What is said beside the rows of an explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .figure import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .column import Column
    from .search import Finding


def notes_on(columns: Sequence[Column], found: Sequence[Finding], ours: int, n: int, *, top: int) -> list[str]:
    """Say what is to be known beside the rows."""
    notes = []
    if not found:
        notes.append(
            f"Nothing sets the {ours} traces of the selection apart from the {n - ours} of the baseline by more than "
            f"chance, among {len(columns)} attributes and their pairs."
        )
    for finding in found:
        if finding.explained_by is None and restates(finding, ours):
            names = [columns[column].name for column, _ in finding.members]
            notes.append(
                f"{said(condition_of(columns, finding))} is true of the whole selection and of nothing else. If "
                f"that is how it was selected, leave it out: ignore={names}."
            )
    for place, finding in enumerate(found):
        explained = [other for other in found if other.explained_by == place]
        if same := [said(condition_of(columns, f)) for f in explained if _same(columns, f, finding)]:
            named = said(condition_of(columns, finding))
            notes.append(f"{named} cannot be told apart from {', '.join(same)}: they are true of the same traces.")
    if constant := [column.name for column in columns if _constant(column)]:
        notes.append(f"The same everywhere, so not judged: {', '.join(constant)}.")
    if len(found) > top:
        notes.append(f"{len(found) - top} more conditions were found; top={len(found)} gives them.")
    return notes


def restates(finding: Finding, ours: int) -> bool:
    """Say whether a condition is true of the whole selection and of nothing else."""
    return finding.both == finding.marked == ours


def condition_of(columns: Sequence[Column], finding: Finding) -> dict[str, Any]:
    """Give a condition as the reader sees it: values by name of column, a tuple for two of one column."""
    condition: dict[str, Any] = {}
    for column, item in finding.members:
        name, value = columns[column].name, columns[column].values[item]
        condition[name] = (condition[name], value) if name in condition else value
    return condition


def _same(columns: Sequence[Column], one: Finding, other: Finding) -> bool:
    """Say whether two conditions are true of the same traces."""
    if (one.marked, one.both) != (other.marked, other.both):
        return False
    holds = [np.logical_and.reduce([columns[c].holds(item) for c, item in f.members]) for f in (one, other)]
    return bool((holds[0] == holds[1]).all())


def _constant(column: Column) -> bool:
    """Say whether a column has one value everywhere, and that is known."""
    values = column.values  # of a column of codes
    return len(values) == 1 and values[0] is not None
