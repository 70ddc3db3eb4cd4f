"""Langfuse's observations, in any of their shapes -> raw spans.

The shapes: rows of the API (v1, v2), of the blob export (snake_case), of the exports of the UI, and those inside a
downloaded trace. The attributes of a raw span are those of the OTel span that the observation was, where Langfuse keeps
them, and its own fields; see fields.py. `llmlens.*` are the columns that are worked out here.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from llmlens.read.arrays import dumps
from llmlens.read.contents.values import name_of
from llmlens.read.raw import Problem, Raw, RawSpan

from .cells import object_of, text, times
from .fields import OBSERVATION, URL, add_fields, api_row
from .metadata import Origins, take_apart
from .ttft import Clock
from .usage import TOKENS, cost, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .windows import Window


#: So many are mapped together, where their number is ours to choose.
TOGETHER = 1000

_METADATA = "langfuse.observation.metadata."
_PARAMETERS = "langfuse.observation.model.parameters"
_TOKENS = {column: f"llmlens.{column}" for column in TOKENS}


def to_raw(rows: Iterable[Any], *, line: int = 1, url: Callable[[str], str] | None = None) -> Iterator[Raw]:
    """Make a raw span of each observation; what is none, or has no ids, is a problem.

    `line` is the number of the first row in its source; `url` gives the address of a trace by its id.
    """
    mapper = Mapper(url)
    numbered = enumerate(rows, line)
    while some := list(islice(numbered, TOGETHER)):
        yield from mapper.raws(some)
    yield from mapper.clock.problems()


#: An observation: its row, line, trace and id.
_Taken: TypeAlias = "tuple[dict[str, Any], int, str, str]"


class Mapper:
    """Maps the observations of one source; see `to_raw`. Those that start outside the window `within` are left out."""

    def __init__(self, url: Callable[[str], str] | None = None, within: Window | None = None) -> None:
        """Know nothing of the source yet."""
        self.origins, self.clock = Origins(), Clock()
        self._url = url
        self._within = within
        self._linked: set[str] = set()

    def raws(self, rows: Iterable[tuple[int, Any]]) -> Iterator[Raw]:
        """Map some observations, each with its line: what is alike of them all is read together."""
        taken: list[_Taken] = []
        for line, row in rows:
            found = _take(row, line)
            if isinstance(found, Problem):
                yield found
            else:
                taken.append(found)
        starts, ends = (times([one[0].get(field) for one in taken]) for field in ("startTime", "endTime"))
        within = self._within
        for one, start, end in zip(taken, starts, ends, strict=True):
            if within is not None and start is not None and not within.holds(start // 1_000_000):
                continue
            if start is None or end is None:
                yield from _not_times(one, startTime=start, endTime=end)
            yield self._span(one, start, end)

    def _span(self, taken: _Taken, start: int | None, end: int | None) -> RawSpan:
        row, line, trace_id, span_id = taken
        attributes, parts = take_apart(row.get("metadata"), _METADATA)
        add_fields(attributes, row, OBSERVATION, "langfuse.api")
        if _PARAMETERS in attributes:
            given = object_of(attributes[_PARAMETERS])
            if None in given.values():
                attributes[_PARAMETERS] = {name: value for name, value in given.items() if value is not None}
        for column, count in tokens(row).items():
            attributes[_TOKENS[column]] = count
        price = cost(row)
        if price is not None:
            attributes["llmlens.cost_usd"] = price
        first_token = self.clock.first_token(row, line, start, end)
        if first_token is not None:
            attributes["llmlens.ttft_s"] = first_token
        if self._url is not None and trace_id not in self._linked:  # one of its spans is enough
            self._linked.add(trace_id)
            attributes[URL] = self._url(trace_id)
        parent, name = name_of(row.get("parentObservationId")), text(row.get("name")) or ""
        origin = self.origins.of(parts, row.get("version"))
        # What failed is told by the level, which is among the attributes.
        return RawSpan(trace_id, span_id, parent, name, start, end, 0, None, attributes, [], [], origin, line)


def _take(row: Any, line: int) -> _Taken | Problem:
    if not isinstance(row, dict):
        return Problem(line, "not an observation: expected a JSON object", _example(row))
    row = api_row(row)
    trace_id, span_id = name_of(row.get("traceId")), name_of(row.get("id"))
    if trace_id is None or span_id is None:
        lacks = "no id" if span_id is None else "no traceId"
        return Problem(line, f"the observation has {lacks}", _example(row))
    return row, line, trace_id, span_id


def _not_times(taken: _Taken, **read: int | None) -> Iterator[Problem]:
    """Say which times of a row were none."""
    row, line, *_ = taken
    for field, time in read.items():
        if time is None and row.get(field):
            reason = f"{field} is not a time; it was left out"
            yield Problem(line, reason, _example(row[field]), action="repaired")


def _example(value: Any) -> str:
    return dumps(value)[:200].decode("utf-8", "replace")
