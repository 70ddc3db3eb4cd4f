"""Times to the first token: seconds or milliseconds, as the export that wrote them was set up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Problem

from .cells import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SAME = 0.02  # the server rounds latencies to milliseconds


class Clock:
    """Tells the unit of a source's times to the first token.

    The API counts in seconds, and the events export of the UI says "Ms" in the name of the field. Blob exports of
    integrations made before April 2026, and some downloads, count in milliseconds without saying so: their latency is
    a thousand times what lies between the start and the end.
    """

    def __init__(self) -> None:
        """Expect seconds."""
        self._unit = 1.0
        self._told = [0, 0]  # rows in ms, the first of them

    def first_token(self, row: Mapping[str, Any], line: int, start: int | None, end: int | None) -> float | None:
        """Give the time to the first token in seconds; None where the observation has none, or says when it came."""
        in_ms = number(row.get("timeToFirstTokenMs"))
        if in_ms is not None:
            return in_ms / 1000
        given = number(row.get("timeToFirstToken"))
        if given is None:
            return None
        latency = number(row.get("latency"))
        if latency and start is not None and end is not None and end > start:
            took = (end - start) / 1e9
            if abs(latency - took) <= took * _SAME + 0.001:
                self._unit = 1.0
            elif abs(latency / 1000 - took) <= took * _SAME + 0.001:
                self._unit = 0.001
        if self._unit != 1.0:
            self._told = [self._told[0] + 1, self._told[1] or line]
        return given * self._unit

    def problems(self) -> Iterator[Problem]:
        """Say how many times were taken for milliseconds."""
        count, line = self._told
        if count:
            reason = "timeToFirstToken is in milliseconds here, as latency against endTime - startTime shows"
            yield Problem(line, reason, count=count, action="noted")
