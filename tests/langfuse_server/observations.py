"""Observations, as v2 (a cursor, groups of fields) and v1 (pages, parsed texts) give them; traces as v1 does."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import orjson

from .errors import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .state import State

_ALWAYS = ("id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type")
_GROUPS = {
    "core": (),
    "basic": ("name", "level", "statusMessage", "version", "environment", "bookmarked", "public", "userId", "sessionId",
              "isRootObservation"),
    "time": ("completionStartTime", "createdAt", "updatedAt"),
    "io": ("input", "output"),
    "metadata": ("metadata",),
    "model": ("model", "internalModelId", "modelParameters"),
    "usage": ("usageDetails", "inputUsage", "outputUsage", "totalUsage", "costDetails", "inputCost", "outputCost",
              "totalCost", "usagePricingTierId", "usagePricingTierName"),
    "prompt": ("promptId", "promptName", "promptVersion"),
    "metrics": (),
    "trace_context": ("traceName", "tags", "release"),
}  # fmt: skip
#: There always, and null unless one of these groups was asked for.
_NULLED = {
    "latency": ("time", "metrics", "basic"), "timeToFirstToken": ("time", "metrics"), "modelId": ("model",),
    "inputPrice": ("model",), "outputPrice": ("model",), "totalPrice": ("model",),
}  # fmt: skip
_MOST = 1000
_CUT = 200
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_EQUAL = ("traceId", "userId", "sessionId", "name", "type", "level", "version")


def cursor_page(state: State, params: dict[str, list[str]]) -> tuple[int, bytes]:
    """Answer GET v2/observations; the rows are kept rendered, so that the server is not what a client waits for."""
    limit = _limit(params)
    groups = [g for g in params.get("fields", ["core,basic"])[0].split(",") if g in _GROUPS]
    full = "io" in groups or bool(params.get("expandMetadata", [""])[0])
    since, until = (time_of(params, name) for name in ("fromStartTime", "toStartTime"))
    if params.get("parseIoAsJson", ["false"])[0] == "true":
        raise Refusal(400, {"message": "parseIoAsJson is not supported", "error": "InvalidRequestError"})
    cursor = _read_cursor(params)
    keep = _condition(params)
    key = ",".join(sorted(groups)) + ("+" if full else "")
    taken: list[bytes] = []
    last: dict[str, Any] | None = None
    more = False
    for row in state.after(cursor, since, until):
        if not keep(row):
            continue
        if len(taken) == limit:
            more = True
            break
        rendered = state.rendered.get((id(row), key))
        if rendered is None:
            rendered = state.rendered[id(row), key] = orjson.dumps(_shown(row, groups, full=full))
        taken.append(rendered)
        last = row
    meta = {"cursor": _write_cursor(last)} if more and last is not None else {}
    return 200, b'{"data":[' + b",".join(taken) + b'],"meta":' + orjson.dumps(meta) + b"}"


def _limit(params: dict[str, list[str]]) -> int:
    try:
        limit = int(params.get("limit", ["50"])[0])
    except ValueError:
        raise invalid("limit", "Invalid input: expected number, received NaN", code="invalid_type") from None
    if limit > _MOST:
        said = f"Too big: expected number to be <={_MOST}"
        raise invalid("limit", said, origin="number", code="too_big", maximum=_MOST, inclusive=True)
    if limit < 1:
        raise invalid("limit", "Too small: expected number to be >0", origin="number", code="too_small")
    return limit


def time_of(params: dict[str, list[str]], name: str) -> str | None:
    """Read a time, which needs a zone, as the rows write it."""
    from datetime import datetime

    from .state import iso

    if name not in params:
        return None
    given = params[name][0]
    if not _TIME.fullmatch(given):
        raise invalid(name, "Invalid ISO datetime", origin="string", code="invalid_format", format="datetime")
    return iso(datetime.fromisoformat(given))


def _read_cursor(params: dict[str, list[str]]) -> tuple[str, str, str] | None:
    import zlib

    if not params.get("cursor"):
        return None
    try:
        at = orjson.loads(base64.b64decode(params["cursor"][0]))
        return (at["lastStartTimeTo"], f"{zlib.crc32(at['lastTraceId'].encode()):010}", at["lastId"])
    except (ValueError, KeyError, TypeError):
        raise invalid("cursor", "Invalid cursor") from None


def _write_cursor(row: dict[str, Any]) -> str:
    at = {"lastStartTimeTo": row["startTime"], "lastTraceId": row["traceId"], "lastId": row["id"]}
    return base64.b64encode(orjson.dumps(at)).decode()


def _shown(row: dict[str, Any], groups: list[str], *, full: bool) -> dict[str, Any]:
    shown = {key: row[key] for key in _ALWAYS}
    for group in groups:
        shown |= {key: row[key] for key in _GROUPS[group]}
    for key, needs in _NULLED.items():
        shown[key] = row[key] if set(needs) & set(groups) else None
    if "metadata" in groups and not full:
        shown["metadata"] = {k: _shortened(v) for k, v in row["metadata"].items()}
    return shown


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _CUT:
        return '"' + value[: _CUT - 1]
    return value


def _condition(params: dict[str, list[str]]) -> Callable[[dict[str, Any]], bool]:
    equal = {name: params[name][0] for name in _EQUAL if name in params}
    environments = params.get("environment")
    parent = params.get("parentObservationId")
    filters = _filters(params)
    overridden = {f["column"] for f in filters}
    equal = {name: value for name, value in equal.items() if name not in overridden}

    def keep(row: dict[str, Any]) -> bool:
        if any(row[name] != value for name, value in equal.items()):
            return False
        if environments and row["environment"] not in environments:
            return False
        if parent is not None and (row["parentObservationId"] or "") != parent[0]:
            return False
        return all(_fits(f, row) for f in filters)

    return keep


def _filters(params: dict[str, list[str]]) -> list[dict[str, Any]]:
    if "filter" not in params:
        return []
    try:
        filters = orjson.loads(params["filter"][0])
    except orjson.JSONDecodeError:
        raise invalid("filter", "Invalid JSON in filter parameter") from None
    for each in filters:
        if each.get("type") == "null" and "value" not in each:
            raise invalid("filter", "Invalid input: expected string, received undefined")
        if each.get("column") in ("createdAt", "updatedAt"):
            raise Refusal(400, {"message": f"Invalid filter column: {each['column']}", "error": "InvalidRequestError"})
    return list(filters)


def _fits(each: dict[str, Any], row: dict[str, Any]) -> bool:
    column, operator, value = each["column"], each["operator"], each.get("value")
    there = row.get({"traceTags": "tags", "providedModelName": "model"}.get(column, column))
    match operator:
        case "any of":
            return bool(set(value) & set(there)) if isinstance(there, list) else there in value
        case "none of":
            return not set(value) & set(there) if isinstance(there, list) else there not in value
        case "all of":
            return set(value) <= set(there or ())
        case "=":
            return bool(there == value)
        case "contains":
            return value in (there or "")
        case ">" | ">=" | "<" | "<=":
            if there is None:
                return False
            return {">": there > value, ">=": there >= value, "<": there < value, "<=": there <= value}[operator]
    raise Refusal(400, {"message": f"Invalid filter operator: {operator}", "error": "InvalidRequestError"})


# v1 -------------------------------------------------------------------------------------------------------------


def _window(state: State, params: dict[str, list[str]], names: tuple[str, str]) -> Iterable[dict[str, Any]]:
    since, until = (time_of(params, name) for name in names)
    return state.after(None, since, until)


def legacy_rows(state: State, params: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Give the rows of GET observations."""
    keep = _condition(params)
    return [_legacy(row) for row in _window(state, params, ("fromStartTime", "toStartTime")) if keep(row)]


_V1 = (
    "id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type", "environment", "name", "level",
    "statusMessage", "version", "createdAt", "updatedAt", "model", "modelParameters", "completionStartTime", "promptId",
    "promptName", "promptVersion", "latency", "timeToFirstToken", "usageDetails", "costDetails",
    "usagePricingTierId", "usagePricingTierName", "modelId",
)  # fmt: skip


def _legacy(row: dict[str, Any]) -> dict[str, Any]:
    usage = row["usageDetails"]
    tokens = [int(row[name] or 0) for name in ("inputUsage", "outputUsage", "totalUsage")]
    return {
        **{key: None if row[key] == "" else row[key] for key in _V1},
        "input": parsed(row["input"]), "output": parsed(row["output"]), "metadata": _nested(row["metadata"]),
        **{key: None if row[key] is None else float(row[key]) for key in ("inputPrice", "outputPrice", "totalPrice")},
        "calculatedInputCost": row["costDetails"].get("input"), "calculatedOutputCost": row["costDetails"].get("output"),
        "calculatedTotalCost": row["totalCost"], "unit": "TOKENS",
        "promptTokens": tokens[0], "completionTokens": tokens[1], "totalTokens": tokens[2],
        "usage": {"unit": "TOKENS", "input": tokens[0], "output": tokens[1], "total": usage.get("total", tokens[2])},
    }  # fmt: skip


def parsed(text: Any) -> Any:
    """Parse what parses."""
    if not isinstance(text, str):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _nested(metadata: dict[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in metadata.items():
        head, _, rest = key.partition(".")
        if head == "scope" and rest.startswith("attributes."):
            nested.setdefault(head, {}).setdefault("attributes", {})[rest[len("attributes.") :]] = value
        elif head in ("resourceAttributes", "scope", "attributes") and rest:
            nested.setdefault(head, {})[rest] = value
        else:
            nested[key] = value
    return nested


def legacy_traces(state: State, params: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Give the rows of GET traces, newest first."""
    groups = params.get("fields", ["core,io,scores,observations,metrics"])[0].split(",")
    by_trace: dict[str, list[dict[str, Any]]] = {}
    for row in state.after(None, None, None):
        by_trace.setdefault(row["traceId"], []).append(row)
    since, until = (time_of(params, name) for name in ("fromTimestamp", "toTimestamp"))
    found = [_trace(state, rows, groups) for rows in by_trace.values()]
    found = [t for t in found if (since is None or t["timestamp"] >= since) and (until is None or t["timestamp"] < until)]
    for name in ("userId", "name", "sessionId"):
        found = [t for t in found if name not in params or t[name] == params[name][0]]
    return sorted(found, key=lambda t: t["timestamp"], reverse=True)


def _trace(state: State, rows: list[dict[str, Any]], groups: list[str]) -> dict[str, Any]:
    root = min(rows, key=lambda r: (not r["isRootObservation"], r["startTime"]))
    io, metrics = "io" in groups, "metrics" in groups
    trace = {
        "id": root["traceId"], "projectId": root["projectId"], "name": root["traceName"] or root["name"] or None,
        "timestamp": min(r["startTime"] for r in rows), "environment": root["environment"], "tags": root["tags"],
        "bookmarked": False, "release": root["release"] or None, "version": root["version"] or None,
        "userId": root["userId"] or None, "sessionId": root["sessionId"] or None, "public": False,
        "input": parsed(root["input"]) if io else None, "output": parsed(root["output"]) if io else None,
        "metadata": _nested(root["metadata"]) if io else {}, "createdAt": root["createdAt"],
        "updatedAt": root["updatedAt"], "externalId": None,
        "htmlPath": f"/project/{root['projectId']}/traces/{root['traceId']}",
        "totalCost": sum(r["totalCost"] or 0 for r in rows) if metrics else -1,
        "latency": max(r["latency"] or 0 for r in rows) if metrics else -1,
    }  # fmt: skip
    if "observations" in groups:
        trace["observations"] = [r["id"] for r in rows]
    if "scores" in groups:
        trace["scores"] = [s["id"] for s in state.visible_scores() if _trace_of(s) == root["traceId"]]
    return trace


def _trace_of(score: dict[str, Any]) -> Any:
    subject = score["subject"]
    return subject["traceId"] if subject["kind"] == "observation" else subject["id"]
