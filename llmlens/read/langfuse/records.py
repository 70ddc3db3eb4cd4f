"""One record of an export, whatever it is -> raw spans and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.arrays import dumps
from llmlens.read.raw import Problem

from .observations import TOGETHER, Mapper
from .score_columns import is_of_a_page, without_scores
from .scores import comment_raw, score_raw
from .traces import trace_raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmlens.read.raw import Raw


class Records:
    """Reads the records of one file. Observations wait for others: what is left of them comes with the `end`."""

    def __init__(self) -> None:
        """Start with the first record."""
        self._mapper = Mapper()
        self._waiting: list[tuple[int, Mapping[str, Any]]] = []

    def raws(self, record: Any, line: int) -> Iterator[Raw]:
        """Read an observation, a trace, a score, a comment, a downloaded trace with all of these, or a page of them."""
        if isinstance(record, list):
            for one in record:
                yield from self.raws(one, line)
        elif not isinstance(record, dict):
            yield Problem(line, "not a record of Langfuse's: expected a JSON object", _example(record))
        elif _is_download(record):
            yield from self._download(record, line)
        elif isinstance(record.get("data"), list) and "id" not in record:
            yield from self.raws(record["data"], line)
        elif is_of_a_page(record):
            row, judged = without_scores(record, line)
            yield from self._row(row, line)
            yield from judged
        else:
            yield from self._row(record, line)

    def end(self) -> Iterator[Raw]:
        """Give the observations that wait, and say what was noticed over all records."""
        yield from self._map()
        yield from self._mapper.clock.problems()

    def _observation(self, row: Mapping[str, Any], line: int) -> Iterator[Raw]:
        self._waiting.append((line, row))
        if len(self._waiting) >= TOGETHER:
            yield from self._map()

    def _map(self) -> Iterator[Raw]:
        waiting, self._waiting = self._waiting, []
        yield from self._mapper.raws(waiting)

    def _row(self, row: Mapping[str, Any], line: int) -> Iterator[Raw]:
        if _has(row, "dataType", "data_type") or ("source" in row and "value" in row):
            yield score_raw(row, line=line)
        elif "objectType" in row and "content" in row:
            yield comment_raw(row, line=line)
        elif _has(row, "startTime", "start_time", "traceId", "trace_id"):
            yield from self._observation(row, line)
        elif "countTraces" in row:
            yield Problem(line, "a session's sums: they are made from its spans here", _example(row), action="dropped")
        elif "timestamp" in row:
            yield trace_raw(row, line=line)
        else:
            yield Problem(line, "a record of Langfuse's that is not an observation, a trace or a score", _example(row))

    def _download(self, record: Mapping[str, Any], line: int) -> Iterator[Raw]:
        """Read the "Download JSON" of a trace, or what the API gives for one.

        The observations may stand beside the trace, in it, or both.
        """
        trace = record["trace"] if isinstance(record.get("trace"), dict) else record
        observations = [*_objects(record.get("observations"))]
        known = {one.get("id") for one in observations if isinstance(one.get("id"), str)}
        if trace is not record:
            observations += [one for one in _objects(trace.get("observations")) if one.get("id") not in known]
        yield trace_raw(trace, line=line)
        for observation in observations:
            yield from self._observation({"traceId": trace.get("id"), **observation}, line)
        beside = () if trace is record else (record,)
        for holder in (trace, *beside):
            for name in ("scores", "corrections"):
                for score in _objects(holder.get(name)):
                    yield score_raw({"traceId": trace.get("id"), **score}, line=line)


def _is_download(record: Mapping[str, Any]) -> bool:
    inside = record.get("trace")
    if isinstance(inside, dict):
        return "observations" in record or "observations" in inside
    listed = record.get("observations")
    return isinstance(listed, list) and "id" in record and all(isinstance(one, dict) for one in listed)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _has(row: Mapping[str, Any], *names: str) -> bool:
    return any(name in row for name in names)


def _example(value: Any) -> str:
    return dumps(value)[:200].decode("utf-8", "replace")
