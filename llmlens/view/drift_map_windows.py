"""Which traces `before=` and `after=` mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.errors import SelectionError
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

BEFORE, AFTER, NEITHER = 0, 1, 2
_EXPECTED = (
    "a date ('2026-11-02'), two of them (('2026-11-01', '2026-11-08')), conditions of where ({'release': '5.2.0'}) or "
    "Traces"
)


@dataclass(frozen=True)
class TwoWindows:
    """The window of each trace, and how the two are called; traces that are in no window are not in `of_trace`."""

    of_trace: Mapping[str, int]
    labels: tuple[str, str]
    notes: tuple[str, ...] = ()

    def codes(self, trace_ids: Sequence[str]) -> NDArray[np.uint8]:
        """Give 0 (before), 1 (after) or 2 (neither) for each trace."""
        return np.array([self.of_trace.get(trace_id, NEITHER) for trace_id in trace_ids], dtype=np.uint8)


def two_windows(traces: Traces, before: Any, after: Any) -> TwoWindows | None:
    """Find the windows among these traces; None where none was asked for.

    Each is a date (the traces until it, or since it), a pair (since, until), conditions of `Traces.where`, or traces
    (or a view that has some selected). With one date the other window is what is on its other side, with anything else
    it is all other traces. Raises `SelectionError` or `UnknownNameError` for what cannot be understood.
    """
    if before is None and after is None:
        return None
    if after is None and _is_date(before):
        after = before
    elif before is None and _is_date(after):
        before = after
    found = [_selected(traces, asked, name) for asked, name in ((before, "before"), (after, "after"))]
    own = set(traces.trace_ids)
    ids = [None if ids is None else set(ids) & own for ids, _ in found]
    if ids[BEFORE] is None:
        ids[BEFORE] = own - (ids[AFTER] or set())
    if ids[AFTER] is None:
        ids[AFTER] = own - (ids[BEFORE] or set())
    old, new = (each or set() for each in ids)
    notes = []
    if old & new:
        notes.append(f"{len(old & new):,} traces are in both windows and count for neither.")
    of_trace = {**dict.fromkeys(old - new, BEFORE), **dict.fromkeys(new - old, AFTER)}
    return TwoWindows(of_trace, (found[BEFORE][1], found[AFTER][1]), tuple(notes))


def _is_date(asked: Any) -> bool:
    return isinstance(asked, (str, date, np.datetime64))


def _selected(traces: Traces, asked: Any, name: str) -> tuple[list[str] | None, str]:
    """Give the trace ids of a window and its label; None stands for all others."""
    if asked is None:
        return None, "all others"
    if _is_date(asked):
        side = {"before": "until", "after": "since"}[name]
        chosen = traces.where(until=asked) if name == "before" else traces.where(since=asked)
        return chosen.trace_ids, f"{side} {asked}"
    if isinstance(asked, Mapping):
        label = ", ".join(f"{key} {value}" for key, value in asked.items())
        return traces.where(**{str(key): value for key, value in asked.items()}).trace_ids, label
    if isinstance(asked, (tuple, list)) and len(asked) == 2:
        since, until = asked
        return traces.where(since=since, until=until).trace_ids, f"{since} to {until}"
    given = asked if isinstance(asked, Traces) else getattr(asked, "selection", None)
    if isinstance(given, Traces):
        return given.trace_ids, f"the traces given as {name}"
    raise SelectionError(f"{name}={asked!r} is no window. Expected {_EXPECTED}.")
