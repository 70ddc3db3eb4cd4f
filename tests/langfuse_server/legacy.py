"""The endpoints of v1: observations with parsed texts, traces, sessions, and the scores of v2; all by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from .errors import Refusal, invalid, not_found
from .filters import condition
from .observation_store import Observation, seconds
from .params import Params, paged
from .scores import part

if TYPE_CHECKING:
    from .state import State

_TRACE_GROUPS = ("core", "io", "scores", "observations", "metrics")
_SAME = (
    "id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type", "environment", "name", "level",
    "statusMessage", "version", "createdAt", "updatedAt", "model", "modelParameters", "completionStartTime", "promptId",
    "promptName", "promptVersion", "latency", "timeToFirstToken", "usageDetails", "costDetails", "modelId",
)  # fmt: skip
_PRICES = ("inputPrice", "outputPrice", "totalPrice")


def observations(state: State, params: Params) -> dict[str, Any]:
    """Answer GET observations."""
    keeps = condition(params)
    rows = state.observations.between(params.time("fromStartTime"), params.time("toStartTime"))
    return paged(rows if keeps is None else [row for row in rows if keeps(row.fields)], params, _observation)


def observation(state: State, observation_id: str) -> dict[str, Any]:
    """Answer GET observations/{id}."""
    row = next((row for row in state.observations.rows if row.fields["id"] == observation_id), None)
    if row is None:
        raise not_found("Observation not found within authorized project")
    return _embedded(row)


def _observation(row: Observation) -> dict[str, Any]:
    fields = row.fields
    own = {key: value for key, value in fields["metadata"].items() if key not in row.trace_metadata}
    tokens = {"input": fields["inputUsage"], "output": fields["outputUsage"], "total": fields["totalUsage"]}
    return {
        **{key: _or_null(fields[key]) for key in _SAME},
        **{key: None if fields[key] is None else float(fields[key]) for key in _PRICES},
        "input": _parsed(fields["input"]), "output": _parsed(fields["output"]), "metadata": _nested(own),
        "calculatedInputCost": fields["inputCost"], "calculatedOutputCost": fields["outputCost"],
        "calculatedTotalCost": fields["totalCost"], "usagePricingTierId": None, "usagePricingTierName": None,
        "unit": "TOKENS", "promptTokens": tokens["input"], "completionTokens": tokens["output"],
        "totalTokens": tokens["total"], "usage": {"unit": "TOKENS", **tokens},
    }  # fmt: skip


def _embedded(row: Observation) -> dict[str, Any]:
    shown = _observation(row)
    tier = {key: row.fields[key] for key in ("usagePricingTierId", "usagePricingTierName")}
    return shown | tier | {key: shown[key] or 0 for key in _PRICES}


def traces(state: State, params: Params) -> dict[str, Any]:
    """Answer GET traces, newest first."""
    if "filter" in params:
        raise Refusal(501, "this stand-in does not filter traces")
    groups = params.words("fields") or list(_TRACE_GROUPS)
    if wrong := [group for group in groups if group not in _TRACE_GROUPS]:
        raise invalid("fields", f"Invalid option: {wrong[0]}", code="invalid_value")
    since, until = params.time("fromTimestamp"), params.time("toTimestamp")
    asked = {name: params.text(name) for name in ("userId", "sessionId", "version", "release") if name in params}
    tags, environments, name = set(params.get("tags", ())), params.get("environment"), params.text("name")
    found = []
    for rows in list(state.observations.by_trace.values()):
        root = _root(rows)
        fields = root.fields
        if (since is not None and _timestamp(rows) < since) or (until is not None and _timestamp(rows) >= until):
            continue
        if any(fields[key] != value for key, value in asked.items()) or (name is not None and name != _name(fields)):
            continue
        if tags <= set(fields["tags"]) and (environments is None or fields["environment"] in environments):
            found.append(rows)
    oldest_first = params.text("orderBy") == "timestamp.asc"
    found.sort(key=lambda rows: (_timestamp(rows), rows[0].fields["traceId"]), reverse=not oldest_first)
    return paged(found, params, lambda rows: _trace_row(state, rows, groups))


def trace(state: State, trace_id: str) -> dict[str, Any]:
    """Answer GET traces/{id}: with its observations and scores whole."""
    rows = state.observations.by_trace.get(trace_id)
    if rows is None:
        raise not_found(f"Trace {trace_id} not found within authorized project")
    shown = _trace(rows, io=True, metrics=True)
    shown["observations"] = [_embedded(row) for row in sorted(rows, key=lambda row: row.place)]
    shown["scores"] = [_score(score) for score in _scores_of(state, trace_id)]
    return shown


def _trace_row(state: State, rows: list[Observation], groups: list[str]) -> dict[str, Any]:
    shown = _trace(rows, io="io" in groups, metrics="metrics" in groups)
    shown["observations"] = [row.fields["id"] for row in rows] if "observations" in groups else []
    scored = _scores_of(state, shown["id"]) if "scores" in groups else []
    shown["scores"] = [score["id"] for score in scored]
    return shown


def _trace(rows: list[Observation], *, io: bool, metrics: bool) -> dict[str, Any]:
    root = _root(rows)
    fields = root.fields
    ends = [row.fields["endTime"] for row in rows if row.fields["endTime"]]
    latency = seconds(_timestamp(rows), max(ends, default=None)) or 0
    same = ("projectId", "environment", "tags", "bookmarked", "release", "version", "userId", "sessionId", "public")
    return {
        "id": fields["traceId"], "name": _name(fields) or None, "timestamp": _timestamp(rows), "externalId": None,
        **{key: _or_null(fields[key]) for key in same}, "createdAt": fields["createdAt"],
        "updatedAt": max(row.fields["updatedAt"] for row in rows),
        "input": _parsed(fields["input"]) if io else None, "output": _parsed(fields["output"]) if io else None,
        "metadata": _nested({**root.trace_metadata, **fields["metadata"]}) if io else {},
        "htmlPath": f"/project/{fields['projectId']}/traces/{fields['traceId']}",
        "totalCost": sum(row.fields["totalCost"] for row in rows) if metrics else -1,
        "latency": latency if metrics else -1,
    }  # fmt: skip


def _root(rows: list[Observation]) -> Observation:
    return min(rows, key=lambda row: (not row.fields["isRootObservation"], row.place))


def _name(fields: dict[str, Any]) -> str:
    return str(fields["traceName"] or fields["name"])


def _timestamp(rows: list[Observation]) -> str:
    return min(row.place[0] for row in rows)


def sessions(state: State, params: Params) -> dict[str, Any]:
    """Answer GET sessions, newest first."""
    since, until = params.time("fromTimestamp"), params.time("toTimestamp")
    environments = params.get("environment")
    found: dict[str, dict[str, Any]] = {}
    for row in reversed(state.observations.rows):
        if row.fields["sessionId"]:
            found.setdefault(row.fields["sessionId"], _session(row))
    rows = [
        row
        for row in reversed(found.values())
        if (since is None or row["createdAt"] >= since)
        and (until is None or row["createdAt"] < until)
        and (environments is None or row["environment"] in environments)
    ]
    return paged(rows, params)


def session(state: State, session_id: str) -> dict[str, Any]:
    """Answer GET sessions/{id}: with its traces."""
    rows = [rows for rows in state.observations.by_trace.values() if _root(rows).fields["sessionId"] == session_id]
    if not rows:
        raise not_found("Session not found within authorized project")
    rows.sort(key=_timestamp)
    return _session(_root(rows[0])) | {"traces": [_trace(each, io=True, metrics=False) for each in rows]}


def _session(row: Observation) -> dict[str, Any]:
    fields = row.fields
    same = {key: fields[key] for key in ("projectId", "environment")}
    return {"id": fields["sessionId"], "createdAt": fields["startTime"], **same}


def scores(state: State, params: Params) -> dict[str, Any]:
    """Answer GET v2/scores; with their traces, which a score whose trace is missing does not survive."""
    joined = "trace" in (params.words("fields") or ["score", "trace"])
    since, until = params.time("fromTimestamp"), params.time("toTimestamp")
    wanted = {name: {params.text(name)} for name in _SCORE_FILTERS if name in params}
    if "scoreIds" in params:
        wanted["id"] = set(params.words("scoreIds"))
    if "environment" in params:
        wanted["environment"] = set(params["environment"])
    found = []
    for score in state.scores.readable():
        missing = part(score, "traceId") is not None and part(score, "traceId") not in state.observations.by_trace
        inside = (since is None or score["timestamp"] >= since) and (until is None or score["timestamp"] < until)
        if inside and not (joined and missing) and all(part(score, k) in values for k, values in wanted.items()):
            found.append(score)
    return paged(found, params, lambda score: _score_row(state, score, joined=joined))


_SCORE_FILTERS = (
    "name", "source", "configId", "sessionId", "datasetRunId", "traceId", "observationId", "queueId", "dataType",
)  # fmt: skip


def _score_row(state: State, score: dict[str, Any], *, joined: bool) -> dict[str, Any]:
    shown = {**_score(score), "sessionId": part(score, "sessionId"), "datasetRunId": part(score, "datasetRunId")}
    if joined:
        rows = state.observations.by_trace.get(shown["traceId"])
        keys = ("userId", "tags", "environment", "sessionId")
        shown["trace"] = {key: _or_null(_root(rows).fields[key]) for key in keys} if rows else None
    return shown


def _score(score: dict[str, Any]) -> dict[str, Any]:
    kind, value = score["dataType"], score["value"]
    same = {key: value for key, value in score.items() if key != "subject"}
    return same | {
        "value": float(value) if kind in ("NUMERIC", "BOOLEAN") else 0,
        "stringValue": None if kind == "NUMERIC" else str(value),
        "traceId": part(score, "traceId"), "observationId": part(score, "observationId"), "executionTraceId": None,
    }  # fmt: skip


def _scores_of(state: State, trace_id: str) -> list[dict[str, Any]]:
    return [score for score in state.scores.readable() if part(score, "traceId") == trace_id]


def _or_null(value: Any) -> Any:
    return None if value == "" else value


def _parsed(text: str | None) -> Any:
    try:
        return None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _nested(metadata: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in metadata.items():
        head, dot, rest = key.partition(".")
        if not dot or head not in ("resourceAttributes", "scope", "attributes"):
            nested[key] = value
        elif head == "scope" and rest.startswith("attributes."):
            nested.setdefault(head, {}).setdefault("attributes", {})[rest.removeprefix("attributes.")] = value
        else:
            nested.setdefault(head, {})[rest] = value
    return nested
