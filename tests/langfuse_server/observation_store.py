"""The observations that a server holds, newest first, kept rendered once they were asked for."""

from __future__ import annotations

import bisect
import threading
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import starmap
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Place: TypeAlias = tuple[str, int, str]


@dataclass(slots=True)
class Observation:
    """An observation with every field of v2; `trace_metadata` is what v1 shows on the trace alone."""

    place: Place
    fields: dict[str, Any]
    trace_metadata: dict[str, Any]
    rendered: dict[str, bytes] = field(default_factory=dict)


class ObservationStore:
    """Observations in the order of v2: by start, then a hash of the trace's id, then id, all descending."""

    def __init__(self, project_id: str, now: Callable[[], str]) -> None:
        self.rows: list[Observation] = []
        self.by_trace: dict[str, list[Observation]] = {}
        self._project_id = project_id
        self._now = now
        self._lock = threading.Lock()

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows of v2/observations; missing fields are unset, and `traceMetadata` may tell what is the trace's.

        A second version of an observation stays beside the first: nothing is merged at once.
        """
        with self._lock:
            found = [self._made(dict(row)) for row in rows]
            for row in found:
                self.by_trace.setdefault(row.fields["traceId"], []).append(row)
            key = lambda row: (row.place, row.fields["updatedAt"])  # noqa: E731
            self.rows = sorted([*self.rows, *found], key=key, reverse=True)  # a new list: readers keep theirs

    def remove_trace(self, trace_id: str) -> None:
        """Forget a trace."""
        with self._lock:
            self.by_trace.pop(trace_id, None)
            self.rows = [row for row in self.rows if row.fields["traceId"] != trace_id]

    def between(self, since: str | None, until: str | None, after: Place | None = None) -> Sequence[Observation]:
        """Give the rows that start in [since, until) and come after a place."""
        rows = self.rows
        start = attrgetter("place")
        first = 0 if until is None else bisect.bisect_left(rows, True, key=lambda row: start(row)[0] < until)
        last = len(rows) if since is None else bisect.bisect_left(rows, True, key=lambda row: start(row)[0] < since)
        if after is not None:
            first = max(first, bisect.bisect_left(rows, True, key=lambda row: start(row) < after))
        return _Slice(rows, first, max(first, last))

    def _made(self, row: dict[str, Any]) -> Observation:
        trace_metadata = row.pop("traceMetadata", {})
        if unknown := row.keys() - UNSET.keys():
            raise TypeError(f"not fields of v2/observations: {sorted(unknown)}")
        if not all(isinstance(row.get(key), str) for key in ("id", "traceId", "startTime")):
            raise TypeError("an observation needs the texts id, traceId and startTime")
        if not all(isinstance(row.get(key), str | None) for key in ("input", "output")):
            raise TypeError("v2/observations has input and output as texts or null")
        fields = {**UNSET, "projectId": self._project_id, "createdAt": self._now(), **row}
        fields["updatedAt"] = fields["updatedAt"] or fields["createdAt"]
        fields["metadata"] = {**trace_metadata, **fields["metadata"]}
        fields |= {name: value for name, value in _derived(fields).items() if name not in row or row[name] is None}
        return Observation(place_of(fields["startTime"], fields["traceId"], fields["id"]), fields, trace_metadata)


class _Slice(Sequence[Observation]):
    """A part of a list, not copied: a page takes a thousand rows of a hundred thousand."""

    def __init__(self, rows: list[Observation], first: int, last: int) -> None:
        self._rows, self._at = rows, range(first, last)

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            part = self._at[at]
            return self._rows[part.start : part.stop]
        return self._rows[self._at[at]]


def place_of(start: str, trace_id: str, observation_id: str) -> Place:
    """Give an observation's place; the checksum stands for the server's own hash."""
    return start, zlib.crc32(trace_id.encode()), observation_id


def _derived(fields: dict[str, Any]) -> dict[str, Any]:
    usage, cost = fields["usageDetails"], fields["costDetails"]
    return {
        "isRootObservation": not fields["parentObservationId"],
        "latency": seconds(fields["startTime"], fields["endTime"]),
        "timeToFirstToken": seconds(fields["startTime"], fields["completionStartTime"]),
        "inputUsage": _sum(usage, "input") or 0,
        "outputUsage": _sum(usage, "output") or 0,
        "totalUsage": usage.get("total", 0),
        "inputCost": _sum(cost, "input"),
        "outputCost": _sum(cost, "output"),
        "totalCost": cost.get("total", 0),
    }


def seconds(start: str, end: str | None) -> float | None:
    """Give the seconds between two times."""
    if end is None:
        return None
    first, last = starmap(datetime.fromisoformat, ((start,), (end,)))
    return round((last - first).total_seconds(), 3)


def _sum(details: dict[str, Any], word: str) -> Any:
    found = [value for key, value in details.items() if word in key]
    return sum(found) if found else None


UNSET: dict[str, Any] = {
    "id": None, "traceId": None, "startTime": None, "endTime": None, "projectId": None, "parentObservationId": None,
    "type": "SPAN", "name": "", "level": "DEFAULT", "statusMessage": "", "version": "", "environment": "default",
    "bookmarked": False, "public": False, "userId": "", "sessionId": "", "isRootObservation": None,
    "completionStartTime": None, "createdAt": None, "updatedAt": None, "input": None, "output": None, "metadata": {},
    "model": "", "internalModelId": "", "modelParameters": {}, "modelId": None, "inputPrice": None,
    "outputPrice": None, "totalPrice": None, "usageDetails": {}, "inputUsage": None, "outputUsage": None,
    "totalUsage": None, "costDetails": {}, "inputCost": None, "outputCost": None, "totalCost": None,
    "usagePricingTierId": None, "usagePricingTierName": None, "promptId": "", "promptName": "", "promptVersion": None,
    "latency": None, "timeToFirstToken": None, "traceName": None, "tags": [], "release": "",
}  # fmt: skip
