"""Scores: read as v3 and v2 give them, written one by one, in lists and in batches of events."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import orjson

from .errors import Refusal, invalid

if TYPE_CHECKING:
    from .state import State

_DETAILS = ("comment", "configId", "metadata")
_ANNOTATION = ("authorUserId", "queueId")
_OPTIONAL = {"details": _DETAILS, "subject": ("subject",), "annotation": _ANNOTATION}
_MOST = 100
_LONGEST_TEXT = 500
_LIST = (
    "id", "name", "source", "dataType", "environment", "configId", "queueId", "authorUserId", "traceId", "sessionId",
    "observationId", "experimentId",
)  # fmt: skip
_KNOWN = {*_LIST, "limit", "cursor", "fields", "value", "valueMin", "valueMax", "fromTimestamp", "toTimestamp"}
_WITH_LISTS = (4, 59)


def cursor_page(state: State, params: dict[str, list[str]]) -> tuple[int, Any]:
    """Answer GET v3/scores."""
    from .observations import time_of

    if unknown := [key for key in params if key not in _KNOWN]:
        said = f'Unrecognized key: "{unknown[0]}"'
        body = {"code": "unrecognized_keys", "keys": unknown, "path": [], "message": said}
        raise Refusal(400, {"message": "Invalid request data", "error": [body]})
    limit = int(params.get("limit", ["50"])[0])
    if not 1 <= limit <= _MOST:
        raise invalid("limit", f"Too big: expected number to be <={_MOST}", code="too_big", maximum=_MOST)
    groups = [g for g in params.get("fields", [""])[0].split(",") if g]
    if wrong := [g for g in groups if g not in _OPTIONAL]:
        raise invalid("fields", f"Invalid field group: {wrong[0]}")
    if len({"traceId", "sessionId", "experimentId"} & set(params)) > 1 or ("observationId" in params and "traceId" not in params):
        raise Refusal(400, {"message": "Invalid combination of filters", "error": "InvalidRequestError"})
    since, until = (time_of(params, name) for name in ("fromTimestamp", "toTimestamp"))
    rows = state.visible_scores()
    rows = [s for s in rows if (since is None or s["timestamp"] >= since) and (until is None or s["timestamp"] < until)]
    for name in _LIST:
        if name in params:
            wanted = set(params[name][0].split(","))
            rows = [s for s in rows if _field(s, name) in wanted]
    if params.get("cursor"):
        at = orjson.loads(base64.urlsafe_b64decode(params["cursor"][0]))
        rows = [s for s in rows if [s["timestamp"], s["id"]] < at]
    page = rows[:limit]
    meta: dict[str, Any] = {"limit": limit}
    if len(rows) > limit:
        meta["cursor"] = base64.urlsafe_b64encode(orjson.dumps([page[-1]["timestamp"], page[-1]["id"]])).decode()
    hidden = {key for group, keys in _OPTIONAL.items() if group not in groups for key in keys}
    return 200, {"data": [{k: v for k, v in s.items() if k not in hidden} for s in page], "meta": meta}


def _field(score: dict[str, Any], name: str) -> Any:
    subject = score["subject"]
    match name:
        case "traceId":
            return subject.get("traceId") or (subject["id"] if subject["kind"] == "trace" else None)
        case "observationId":
            return subject["id"] if subject["kind"] == "observation" else None
        case "sessionId":
            return subject["id"] if subject["kind"] == "session" else None
    return score.get(name)


def legacy_rows(state: State, params: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Give the rows of GET v2/scores: without their trace they vanish, unless only the score is asked for."""
    from .observations import time_of

    joined = "trace" in params.get("fields", ["score,trace"])[0]
    since, until = (time_of(params, name) for name in ("fromTimestamp", "toTimestamp"))
    ids = set(params["scoreIds"][0].split(",")) if "scoreIds" in params else None
    found = []
    for score in state.visible_scores():
        trace_id = _field(score, "traceId")
        if (ids is not None and score["id"] not in ids) or (joined and trace_id and trace_id not in state.traces):
            continue
        if (since is not None and score["timestamp"] < since) or (until is not None and score["timestamp"] >= until):
            continue
        kind, value = score["dataType"], score["value"]
        text = {"BOOLEAN": str(value), "NUMERIC": None}.get(kind, value)
        row = {k: v for k, v in score.items() if k != "subject"}
        row |= {
            "value": float(value) if kind in ("BOOLEAN", "NUMERIC") else 0, "stringValue": text, "traceId": trace_id,
            "observationId": _field(score, "observationId"), "sessionId": _field(score, "sessionId"),
            "datasetRunId": None, "executionTraceId": None,
        }  # fmt: skip
        found.append(row)
    return found


def post(state: State, body: Any) -> tuple[int, Any]:
    """Answer POST scores: one, or since 4.59 a list."""
    if isinstance(body, list):
        if state.number < _WITH_LISTS:
            raise invalid("", "Invalid input: expected object, received array", code="invalid_type")
        errors = []
        for each in body:
            try:
                state.write_score(checked(each), each.get("timestamp"))
            except Refusal as refusal:
                errors.append({"message": refusal.body["message"]})
        said = {"accepted": len(body) - len(errors), "rejected": len(errors), "errors": errors}
        return (207 if errors else 202), said
    timestamp = body.get("timestamp") if isinstance(body, dict) and state.number >= _WITH_LISTS else None
    return 200, {"id": state.write_score(checked(body), timestamp)}


def ingest(state: State, body: Any) -> tuple[int, Any]:
    """Answer POST ingestion: an answer for each event."""
    if not isinstance(body, dict) or not isinstance(body.get("batch"), list):
        raise invalid("batch", "Invalid input: expected array")
    successes, errors = [], []
    for event in body["batch"]:
        try:
            if event["type"] != "score-create":
                raise Refusal(400, {"message": f"{event['type']} is not available in events_only mode"})
            state.write_score(checked(event["body"]), event["timestamp"])
            successes.append({"id": event["id"], "status": 201})
        except Refusal as refusal:
            errors.append({"id": event["id"], "status": refusal.status, "message": "Invalid request data",
                           "error": refusal.body["message"]})  # fmt: skip
    return 207, {"successes": successes, "errors": errors}


def delete(state: State, score_id: str) -> tuple[int, Any]:
    """Answer DELETE scores/{id}."""
    state.delete_score(score_id)
    return 202, {"message": "Score deletion request accepted"}


def checked(body: Any) -> dict[str, Any]:
    """Refuse what the API refuses; what the worker drops later goes through."""
    if not isinstance(body, dict):
        raise invalid("", "Invalid input: expected object", code="invalid_type")
    value, kind = body.get("value"), body.get("dataType")
    if not isinstance(body.get("name"), str) and kind != "CORRECTION":
        raise invalid("name", "Invalid input: expected string")
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise invalid("value", "Invalid input")
    if kind == "BOOLEAN" and (isinstance(value, bool) or value not in (0, 1)):
        raise invalid("value", "Boolean values must be 0 or 1")
    if kind == "NUMERIC" and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise invalid("value", "Invalid input: expected number")
    if kind in ("CATEGORICAL", "TEXT", "CORRECTION") and not isinstance(value, str):
        raise invalid("value", "Invalid input: expected string")
    if kind == "TEXT" and not 1 <= len(value) <= _LONGEST_TEXT:
        raise invalid("value", "Text must be between 1 and 500 characters")
    if body.get("source") == "EVAL":
        raise invalid("source", "Invalid option")
    if body.get("source") == "ANNOTATION" and not body.get("configId") and kind != "CORRECTION":
        raise Refusal(400, {"message": "configId is required for ANNOTATION scores", "error": "InvalidRequestError"})
    given = [k for k in ("traceId", "sessionId", "datasetRunId") if body.get(k)]
    if len(given) != 1 or (body.get("observationId") and not body.get("traceId")):
        raise Refusal(400, {"message": "Provide exactly one of traceId, sessionId, datasetRunId"})
    return body
