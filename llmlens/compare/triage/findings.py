"""The result of `triage`: a row an incident, with its traces and its series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.errors import SelectionError
from llmlens.measure.shape import Result

from .cards import cards
from .circumstances import affected
from .picture import draw
from .wording import also_of, finding_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import plotly.graph_objects as go

    from llmlens.traces import Traces

    from .change import Change
    from .incidents import Incident

_COLUMNS: dict[str, Any] = {
    "finding": object, "kind": object, "slice": object, "worse": "boolean", "since": "datetime64[us, UTC]",
    "until": "datetime64[us, UTC]", "before": "Float64", "after": "Float64", "low": "Float64", "high": "Float64",
    "q": "Float64", "n": "Int64", "also": object, "came_with": object, "set_apart": object,
}  # fmt: skip


class Findings(Result):
    """A row an incident, worst first; `.traces(i)` are its traces, `.series(i)` what showed it."""

    _metadata = ["notes", "_incidents", "_traces"]  # noqa: RUF012  # the name and form that pandas asks for
    _incidents: tuple[Incident, ...] = ()
    _traces: Traces | None = None

    @property
    def _constructor(self) -> type[Findings]:
        return Findings

    def traces(self, incident: int = 0) -> Traces:
        """Give the traces that an incident affected, those that show it: `llmlens.TraceExplorer(findings.traces(0))`.

        Of the stretch those whose value is beyond what 95 % of the usual ones have. Raises `SelectionError` for an
        incident that there is not.
        """
        change = self._change(incident)
        return self._of().where(trace_id=list(change.stream.trace_ids[affected(change)]))

    def series(self, incident: int = 0) -> pd.DataFrame:
        """Give what an incident was seen in: `trace_id`, `start`, `value`, `inside` (the stretch), in order of time."""
        change = self._change(incident)
        stream = change.stream
        start = pd.Series(stream.start).dt.tz_localize("UTC")
        told = {"trace_id": stream.trace_ids, "start": start, "value": stream.numbers, "inside": change.inside}
        return pd.DataFrame(told)

    def plot(self) -> go.Figure:  # type: ignore[override]  # ours instead of pandas' accessor
        """Draw the worst incidents over time, each with its stretch and the means before and in it."""
        return draw([each.change for each in self._known()])

    def _repr_html_(self) -> str | None:
        whole = self._traces is not None and len(self._incidents) == len(self) and list(self.columns) == list(_COLUMNS)
        return cards(self) if whole else super()._repr_html_()

    def _change(self, incident: int) -> Change:
        found = self._known()
        if isinstance(incident, bool) or not isinstance(incident, int) or not -len(found) <= incident < len(found):
            raise SelectionError(f"There is no incident {incident!r}: there are {len(found)}, counted from 0.")
        return found[incident].change

    def _known(self) -> tuple[Incident, ...]:
        self._of()
        return self._incidents

    def _of(self) -> Traces:
        if self._traces is None or len(self._incidents) != len(self):
            raise SelectionError("This frame was made from findings by an operation that lost their traces.")
        return self._traces


def findings(
    found: Sequence[Incident],
    traces: Traces,
    came_with: Sequence[list[str]],
    set_apart: Sequence[str | None],
    notes: Iterable[str],
) -> Findings:
    """Make the frame of incidents."""
    rows = [
        {**_row(incident), "came_with": ", ".join(deploys) or None, "set_apart": apart}
        for incident, deploys, apart in zip(found, came_with, set_apart, strict=True)
    ]
    frame = Findings({name: pd.Series([row[name] for row in rows], dtype=kind) for name, kind in _COLUMNS.items()})
    for name, value in (("_incidents", tuple(found)), ("_traces", traces), ("notes", tuple(notes))):
        object.__setattr__(frame, name, value)
    return frame


def _row(incident: Incident) -> dict[str, Any]:
    change = incident.change
    return {
        "finding": finding_of(change),
        "kind": change.stream.sign.family,
        "slice": change.stream.slice,
        "worse": incident.worse,
        "since": pd.Timestamp(change.since, tz="UTC"),
        "until": None if change.until is None else pd.Timestamp(change.until, tz="UTC"),
        "before": change.before,
        "after": change.after,
        "low": change.estimate.low,
        "high": change.estimate.high,
        "q": incident.q,
        "n": int(change.inside.sum()),
        "also": "; ".join(also_of(other) for other in incident.also) or None,
    }
