"""Writing scores: one by one, in lists, and as batches of events; and deleting them.

What the API refuses is refused here. What breaks a score config is accepted, and dropped by the worker without a word.
"""

from __future__ import annotations

import math
import uuid
from typing import TYPE_CHECKING, Any

from .errors import Refusal, bad_request, invalid
from .params import time_of

if TYPE_CHECKING:
    from .state import State

_WITH_LISTS = (4, 59)
_WITH_SOURCE = (3, 171)
_LONGEST_TEXT = 500
_TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION")
_KEPT = ("comment", "metadata", "configId", "queueId", "environment", "source", "dataType")


def post(state: State, body: Any) -> tuple[int, Any]:
    """Answer POST scores: one, or a list on servers that take lists."""
    dated = state.number >= _WITH_LISTS  # the older ones ignore `timestamp`
    if isinstance(body, list) and dated:
        errors = []
        for each in body:
            try:
                _write(state, each, _of(each).get("timestamp"))
            except Refusal as refusal:
                errors.append({"message": _message(refusal)})
        if not errors:
            return 202, {"message": "Accepted"}
        return 207, {"accepted": len(body) - len(errors), "rejected": len(errors), "errors": errors}
    if state.number < _WITH_SOURCE and isinstance(body, dict):
        body = {key: value for key, value in body.items() if key != "source"}
    return 200, {"id": _write(state, body, _of(body).get("timestamp") if dated else None)}


def ingest(state: State, body: Any) -> tuple[int, Any]:
    """Answer POST ingestion: an answer for each event."""
    if not isinstance(_of(body).get("batch"), list):
        raise invalid("batch", "Invalid input: expected array", code="invalid_type", expected="array")
    successes, errors = [], []
    for event in body["batch"]:
        event_id = event.get("id") if isinstance(event, dict) else None
        try:
            _event(state, event)
            successes.append({"id": event_id, "status": 201})
        except Refusal as refusal:
            said = {"message": refusal.body["message"], "error": refusal.body.get("error")}
            errors.append({"id": event_id, "status": refusal.status, **said})
    return 207, {"successes": successes, "errors": errors}


def delete(state: State, score_id: str) -> tuple[int, Any]:
    """Answer DELETE scores/{id}: some time later."""
    state.scores.delete(score_id)
    return 202, {"message": "Score deletion request accepted"}


def _event(state: State, event: Any) -> None:
    if not isinstance(_of(event).get("id"), str):
        raise invalid("id", "Invalid input: expected string", code="invalid_type", expected="string")
    timestamp = time_of(event.get("timestamp"), "timestamp")
    if event.get("type") == "sdk-log":
        return
    if event.get("type") != "score-create":
        raise bad_request(f"Events of type {event.get('type')} are not accepted in Langfuse v4 {state.mode} mode")
    _write(state, event.get("body"), timestamp)


def _write(state: State, body: Any, timestamp: Any) -> str:
    _check(body)
    at = state.now() if timestamp is None else time_of(timestamp, "timestamp")
    score_id = body.get("id") or str(uuid.uuid4())
    name = "output" if body.get("dataType") == "CORRECTION" else body["name"]
    now = {"createdAt": state.now(), "updatedAt": state.now()}
    kept = {key: body[key] for key in _KEPT if body.get(key) is not None}
    score = {"id": score_id, "name": name, "value": body["value"], "timestamp": at, "subject": _subject(body), **now}
    state.scores.write(score | kept)
    return str(score_id)


def _check(body: Any) -> None:
    if not isinstance(body, dict):
        received = "array" if isinstance(body, list) else "undefined"
        said = f"Invalid input: expected object, received {received}"
        raise invalid(None, said, code="invalid_type", expected="object")
    for key in ("id", "traceId", "observationId", "sessionId", "comment", "configId", "queueId"):
        if not isinstance(body.get(key), str | None):
            raise invalid(key, "Invalid input: expected string", code="invalid_type", expected="string")
    if not isinstance(body.get("name"), str):
        raise invalid("name", "Invalid input: expected string", code="invalid_type", expected="string")
    _check_value(body.get("value"), body.get("dataType"))
    if body.get("source", "API") not in (None, "API", "ANNOTATION"):
        raise invalid("source", 'Invalid option: expected one of "API"|"ANNOTATION"', code="invalid_value")
    correction = body.get("dataType") == "CORRECTION"
    if body.get("source") == "ANNOTATION" and not body.get("configId") and not correction:
        raise bad_request("configId is required for scores with source ANNOTATION")
    if correction and (body.get("configId") or not body.get("traceId")):
        raise bad_request("a CORRECTION is of a trace or an observation, and has no configId")
    if sum(bool(body.get(key)) for key in ("traceId", "sessionId", "datasetRunId")) != 1:
        raise bad_request("Provide exactly one of traceId, sessionId, datasetRunId")
    if body.get("observationId") and not body.get("traceId"):
        raise bad_request("observationId requires traceId")


def _check_value(value: Any, data_type: Any) -> None:
    if data_type is not None and data_type not in _TYPES:
        raise invalid("dataType", "Invalid option", code="invalid_value", values=list(_TYPES))
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    right = {
        None: number or isinstance(value, str),
        "NUMERIC": number,
        "BOOLEAN": number and value in (0, 1),
        "TEXT": isinstance(value, str) and 1 <= len(value) <= _LONGEST_TEXT,
    }.get(data_type, isinstance(value, str))
    if not right:
        raise invalid("value", f"Invalid input for a score of type {data_type}", code="invalid_type")


def _subject(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("observationId"):
        return {"kind": "observation", "id": body["observationId"], "traceId": body["traceId"]}
    kinds = (("traceId", "trace"), ("sessionId", "session"), ("datasetRunId", "experiment"))
    return next({"kind": kind, "id": body[key]} for key, kind in kinds if body.get(key))


def _message(refusal: Refusal) -> str:
    details = refusal.body["error"]
    return str(details[0]["message"] if isinstance(details, list) else refusal.body["message"])


def _of(body: Any) -> dict[str, Any]:
    return body if isinstance(body, dict) else {}
