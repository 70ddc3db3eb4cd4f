"""GET v3/scores: a cursor, groups of fields, and no parameter that is not known."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

import orjson

from .errors import Refusal, bad_request, invalid
from .params import MOST_PER_PAGE

if TYPE_CHECKING:
    from .params import Params
    from .state import State

_GROUPS = {
    "details": ("comment", "configId", "metadata"),
    "subject": ("subject",),
    "annotation": ("authorUserId", "queueId"),
}
_LISTS = (
    "id", "name", "source", "dataType", "environment", "configId", "queueId", "authorUserId", "traceId", "sessionId",
    "observationId", "experimentId",
)  # fmt: skip
_KNOWN = {*_LISTS, "limit", "cursor", "fields", "value", "valueMin", "valueMax", "fromTimestamp", "toTimestamp"}


def cursor_page(state: State, params: Params) -> dict[str, Any]:
    """Answer GET v3/scores."""
    if unknown := [key for key in params if key not in _KNOWN]:
        named = ", ".join(f'"{key}"' for key in unknown)
        said = f"Unrecognized key{'s' if len(unknown) > 1 else ''}: {named}"
        raise invalid(None, said, code="unrecognized_keys", keys=unknown)
    limit = params.whole("limit", 50, MOST_PER_PAGE)
    groups = params.words("fields")
    if wrong := [group for group in groups if group not in _GROUPS]:
        raise invalid("fields", f"Unknown field group: {wrong[0]}", code="custom")
    rows = _asked(state.scores.readable(), params)
    if "cursor" in params:
        after = _read_cursor(params["cursor"][0])
        rows = [row for row in rows if (row["timestamp"], row["id"]) < after]
    rows = list({row["id"]: row for row in reversed(rows)}.values())[::-1]  # one of an id, the newest
    page = rows[:limit]
    meta: dict[str, Any] = {"limit": limit}
    if len(rows) > limit:
        meta["cursor"] = _cursor(page[-1])
    hidden = {key for group, keys in _GROUPS.items() if group not in groups for key in keys}
    return {"data": [{key: value for key, value in row.items() if key not in hidden} for row in page], "meta": meta}


def part(score: dict[str, Any], name: str) -> Any:
    """Give a field of a score, or one that its subject tells."""
    subject = score["subject"]
    match name:
        case "traceId":
            return subject.get("traceId") or (subject["id"] if subject["kind"] == "trace" else None)
        case "observationId" | "sessionId":
            return subject["id"] if subject["kind"] == name.removesuffix("Id") else None
        case "experimentId" | "datasetRunId":
            return subject["id"] if subject["kind"] == "experiment" else None
    return score[name]


def _asked(rows: list[dict[str, Any]], params: Params) -> list[dict[str, Any]]:
    if len({"traceId", "sessionId", "experimentId"} & params.keys()) > 1:
        raise bad_request("traceId, sessionId and experimentId are mutually exclusive")
    if "observationId" in params and "traceId" not in params:
        raise bad_request("observationId requires traceId")
    wanted = {name: set(params.words(name)) for name in _LISTS if name in params}
    for name in {"source", "dataType"} & wanted.keys():
        wanted[name] = {word.upper() for word in wanted[name]}
    since, until = params.time("fromTimestamp"), params.time("toTimestamp")
    values, low, high = _values(params, wanted.get("dataType", set()))
    return [
        row
        for row in rows
        if (since is None or row["timestamp"] >= since)
        and (until is None or row["timestamp"] < until)
        and all(part(row, name) in words for name, words in wanted.items())
        and (values is None or row["value"] in values)
        and (low is None or row["value"] >= low)
        and (high is None or row["value"] <= high)
    ]


def _values(params: Params, types: set[str]) -> tuple[set[Any] | None, float | None, float | None]:
    ranged = {"valueMin", "valueMax"} & params.keys()
    if ranged and types != {"NUMERIC"}:
        raise bad_request("valueMin and valueMax require dataType=NUMERIC")
    low, high = (_number(params[name][0], name) if name in params else None for name in ("valueMin", "valueMax"))
    if "value" not in params:
        return None, low, high
    if len(types) != 1 or not types <= {"NUMERIC", "BOOLEAN", "CATEGORICAL"}:
        raise bad_request("value requires a single dataType of NUMERIC, BOOLEAN or CATEGORICAL")
    words = params.words("value")
    if types == {"NUMERIC"}:
        return {_number(word, "value") for word in words}, low, high
    if types == {"BOOLEAN"}:
        if not set(words) <= {"true", "false"}:
            raise bad_request('each value of a BOOLEAN must be "true" or "false"')
        return {word == "true" for word in words}, low, high
    return set(words), low, high


def _number(text: str, name: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise invalid(name, "Invalid input: expected number", code="invalid_type", expected="number")
    return number


def _cursor(row: dict[str, Any]) -> str:
    at = {"v": 1, "lastTimestamp": row["timestamp"], "lastId": row["id"]}
    return base64.urlsafe_b64encode(orjson.dumps(at)).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[str, str]:
    try:
        at = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return at["lastTimestamp"], at["lastId"]
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, "Invalid cursor", error="InvalidRequestError") from None
