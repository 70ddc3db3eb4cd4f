"""Langfuse's observations, in any of their shapes -> raw spans.

The shapes: rows of the API (v1, v2), of the blob export (snake_case), of the exports of the UI, and those inside a
downloaded trace. The attributes of a raw span are those of the OTel span that the observation was, where Langfuse keeps
them, and its own fields; see fields.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.contents.values import name_of
from llmlens.read.pivot import dumps
from llmlens.read.raw import Problem, Raw, RawSpan

from .cells import nanoseconds, object_of, text
from .fields import OBSERVATION, OWN, api_row
from .metadata import Origins, take_apart
from .ttft import Clock
from .usage import cost, tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_METADATA = "langfuse.observation.metadata."


def to_raw(rows: Iterable[Any], *, line: int = 1) -> Iterator[Raw]:
    """Make a raw span of each observation; what is none, or has no ids, is a problem.

    `line` is the number of the first row in its source.
    """
    origins, clock = Origins(), Clock()
    for number, row in enumerate(rows, line):
        if not isinstance(row, dict):
            yield Problem(number, "not an observation: expected a JSON object", dumps(row)[:200].decode())
            continue
        yield from _spans(api_row(row), number, origins, clock)
    yield from clock.problems()


def _spans(row: Mapping[str, Any], line: int, origins: Origins, clock: Clock) -> Iterator[Raw]:
    trace_id, span_id = name_of(row.get("traceId")), name_of(row.get("id"))
    if trace_id is None or span_id is None:
        which = "no traceId" if span_id is not None else "no id"
        yield Problem(line, f"the observation has {which}", dumps(row)[:200].decode("utf-8", "replace"))
        return
    start, end = nanoseconds(row.get("startTime")), nanoseconds(row.get("endTime"))
    for field, time in (("startTime", start), ("endTime", end)):
        if time is None and (given := row.get(field)):
            yield Problem(line, f"{field} is not a time; it was left out", str(given)[:200], action="repaired")
    attributes, parts = take_apart(row.get("metadata"), _METADATA)
    for field, value in row.items():
        if (value or value == 0) and field not in OWN:
            attributes[OBSERVATION[field]] = value
    parameters = "langfuse.observation.model.parameters"
    if parameters in attributes:
        attributes[parameters] = {k: v for k, v in object_of(attributes[parameters]).items() if v is not None}
    for column, count in tokens(row).items():
        attributes[f"llmlens.{column}"] = count
    price = cost(row)
    if price is not None:
        attributes["llmlens.cost_usd"] = price
    first_token = clock.first_token(row, line, start, end)
    if first_token is not None:
        attributes["llmlens.ttft_s"] = first_token
    yield RawSpan(
        trace_id, span_id, name_of(row.get("parentObservationId")), text(row.get("name")) or "", start, end,
        0, None, attributes, [], [], origins.of(parts, row.get("version")), line,
    )  # fmt: skip
