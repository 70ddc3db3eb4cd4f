"""Exports of Langfuse's pages hold each score in a column of its own name, as a list; here they are taken out again.

They are spread over the other columns: a score called "name" has taken the place of the name, which is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Problem, RawScore
from llmlens.read.scores import score_id

from .cells import list_of, number
from .scores import comment_raw

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmlens.read.raw import Raw

#: Columns of the exports that hold no lists.
_SINGLE = frozenset({
    "id", "traceId", "traceName", "type", "name", "startTime", "endTime", "completionStartTime", "timestamp",
    "traceTimestamp", "environment", "version", "userId", "sessionId", "level", "statusMessage", "promptName",
    "promptId", "promptVersion", "modelId", "model", "providedModelName", "internalModelId", "internalModel",
    "modelParameters", "usageDetails", "costDetails", "providedUsageDetails", "providedCostDetails",
    "totalCost", "inputCost", "outputCost", "inputUsage", "outputUsage", "totalUsage", "inputPrice",
    "outputPrice", "totalPrice", "latency", "latencyMs", "timeToFirstToken", "timeToFirstTokenMs", "release",
    "parentObservationId", "projectId", "createdAt", "updatedAt", "bookmarked", "public", "usagePricingTierId",
    "usagePricingTierName", "toolDefinitions", "isRootObservation", "hasTools",
})  # fmt: skip
_LISTS = frozenset({"tags", "traceTags", "toolCalls", "toolCallNames", "comments", "metadata"})
_TEXTS = frozenset({"input", "output"})


def is_of_a_page(row: Mapping[str, Any]) -> bool:
    """Say whether a row comes from an export of Langfuse's pages."""
    return "comments" in row or "latencyMs" in row


def without_scores(row: Mapping[str, Any], line: int) -> tuple[dict[str, Any], list[Raw]]:
    """Give a row of an observation or a trace as the API has it, and the scores and comments that were on it."""
    kept: dict[str, Any] = {}
    scores: dict[str, list[Any]] = {}
    for name, value in row.items():
        judged = _judgements(row, name, value)
        if judged:
            scores[name] = judged
        elif name != "comments":
            kept[name] = value
    trace_id, span_id = (row.get("traceId"), row.get("id")) if "traceId" in row else (row.get("id"), None)
    raws: list[Raw] = []
    if isinstance(trace_id, str) and trace_id and (span_id is None or isinstance(span_id, str)):
        raws += [raw for name, values in scores.items() for raw in _scores(trace_id, span_id, name, values)]
        raws += _comments(row, trace_id, span_id, line)
    for name in scores.keys() & (_SINGLE | _TEXTS):
        reason = f"a score called {name!r} has taken the place of that column: it is lost"
        raws.append(Problem(line, reason, action="noted"))
    return kept, raws


def _judgements(row: Mapping[str, Any], name: str, value: Any) -> list[Any]:
    """Give the values of a score, where this column is one."""
    if name in _LISTS or not value or (isinstance(value, str) and value[:1] != "["):
        return []
    if name in _TEXTS and ("latencyMs" not in row or isinstance(value, str)):
        return []  # it may be what was said: only exports of events write all of that as text
    values = list_of(value)
    plain = all(isinstance(one, str | int | float) for one in values)
    return values if plain else []


def _scores(trace_id: str, span_id: str | None, name: str, values: list[Any]) -> Iterator[RawScore]:
    for place, value in enumerate(values):
        yield RawScore(
            trace_id=trace_id,
            span_id=span_id,
            name=name,
            value=float(value) if isinstance(value, bool) else None if isinstance(value, str) else number(value),
            label=value if isinstance(value, str) else None,
            score_id=score_id(trace_id, span_id, name, place),
        )


def _comments(row: Mapping[str, Any], trace_id: str, span_id: str | None, line: int) -> Iterator[Raw]:
    for comment in list_of(row.get("comments")):
        said = comment if isinstance(comment, dict) else {"content": comment}
        found = comment_raw({**said, "objectType": "TRACE", "objectId": trace_id}, line=line)
        if isinstance(found, RawScore):
            found.span_id = span_id
        yield found
