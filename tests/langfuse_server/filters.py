"""The simple parameters and the filter objects of observations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from .errors import Refusal, bad_request, invalid
from .params import time_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .params import Params

    Condition = Callable[[dict[str, Any]], bool]

_ORDER = {">": lambda a, b: a > b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b}
_TEXT = {
    "=": lambda a, b: a == b,
    "contains": lambda a, b: b in a,
    "does not contain": lambda a, b: b not in a,
    "starts with": lambda a, b: a.startswith(b),
    "ends with": lambda a, b: a.endswith(b),
    "matches": lambda a, b: b in a,
}
_TRUTH = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b}
_NUMBER = {**_ORDER, "=": lambda a, b: a == b}
_ONE_OF = {"any of": lambda a, b: a in b, "none of": lambda a, b: a not in b}
_SET = {
    "any of": lambda a, b: bool(set(a) & set(b)),
    "none of": lambda a, b: not set(a) & set(b),
    "all of": lambda a, b: set(b) <= set(a),
}
_NULL = {"is null": lambda a, _: a in (None, ""), "is not null": lambda a, _: a not in (None, "")}
#: Types of filter: operators, and what `value` has to be.
_TYPES: dict[str, tuple[dict[str, Callable[[Any, Any], bool]], Any]] = {
    "datetime": (_ORDER, str),
    "string": (_TEXT, str),
    "stringObject": (_TEXT, str),
    "stringOptions": (_ONE_OF, list),
    "categoryOptions": (_ONE_OF, list),
    "arrayOptions": (_SET, list),
    "number": (_NUMBER, (int, float)),
    "numberObject": (_NUMBER, (int, float)),
    "boolean": (_TRUTH, bool),
    "booleanObject": (_TRUTH, bool),
    "null": (_NULL, str),
}
_WITH_KEY = ("stringObject", "numberObject", "booleanObject", "categoryOptions")
#: Columns of filters that are fields under their own name.
_SAME = (
    "id", "type", "name", "traceId", "startTime", "endTime", "environment", "level", "statusMessage", "version",
    "release", "userId", "sessionId", "isRootObservation", "traceName", "tags", "latency", "timeToFirstToken",
    "inputCost", "outputCost", "totalCost", "model", "modelId", "promptName", "promptVersion", "input", "output",
    "metadata", "parentObservationId",
)  # fmt: skip
_RENAMED = {
    "traceTags": "tags", "inputTokens": "inputUsage", "outputTokens": "outputUsage", "totalTokens": "totalUsage",
    "tokens": "totalUsage", "providedModelName": "model",
}  # fmt: skip
_COMPUTED: dict[str, Condition] = {
    "hasParentObservation": lambda row: bool(row["parentObservationId"]),
    "hasInput": lambda row: bool(row["input"]),
    "hasOutput": lambda row: bool(row["output"]),
}
_ELSEWHERE = re.compile(
    r"(trace_)?(scores_avg|score_categories|score_booleans)|experiment\w+|ingestionSdk\w+|toolNames|calledToolNames|"
    r"tokensPerSecond"
)
_EQUAL = ("traceId", "userId", "sessionId", "name", "type", "level", "version")


def condition(params: Params) -> Condition | None:
    """Give what a row has to fulfil; None when nothing was asked. A filter object overrides its simple parameter."""
    filters = _read(params)
    taken = {_RENAMED.get(each["column"], each["column"]) for each in filters}
    asked: dict[str, set[Any]] = {name: {params.text(name)} for name in _EQUAL if name in params}
    if "environment" in params:
        asked["environment"] = set(params["environment"])
    if "parentObservationId" in params:
        asked["parentObservationId"] = {params.text("parentObservationId") or None}
    if "isRootObservation" in params:
        asked["isRootObservation"] = {params.text("isRootObservation") == "true"}
    simple = [(name, values) for name, values in asked.items() if name not in taken]
    conditions = [_condition(each) for each in filters]
    if not simple and not conditions:
        return None

    def keeps(row: dict[str, Any]) -> bool:
        return all(row[name] in values for name, values in simple) and all(keep(row) for keep in conditions)

    return keeps


def _read(params: Params) -> list[dict[str, Any]]:
    try:
        filters = orjson.loads(params.text("filter") or "[]")
    except orjson.JSONDecodeError:
        raise invalid("filter", "Invalid JSON in filter parameter", code="custom") from None
    if not isinstance(filters, list):
        raise invalid("filter", "Invalid input: expected array", code="invalid_type", expected="array")
    for each in filters:
        if not isinstance(each, dict) or each.get("type") not in _TYPES:
            raise invalid("filter", "Invalid discriminator value", code="invalid_union")
        operators, kind = _TYPES[each["type"]]
        if each.get("operator") not in operators:
            raise invalid("filter", f"Invalid option: expected one of {'|'.join(operators)}", code="invalid_value")
        if not isinstance(each.get("value"), kind):
            raise invalid("filter", "Invalid input", code="invalid_type")
        if each["type"] in _WITH_KEY and not isinstance(each.get("key"), str):
            raise invalid("filter", "Invalid input: expected string, received undefined", code="invalid_type")
        if not isinstance(each.get("column"), str):
            raise invalid("filter", "Invalid input: expected string, received undefined", code="invalid_type")
    return filters


def _condition(each: dict[str, Any]) -> Condition:
    get, value = _getter(each), each["value"]
    operate = _TYPES[each["type"]][0][each["operator"]]
    if each["type"] == "datetime":
        value = time_of(value, "filter")
    if each["type"] == "null":
        return lambda row: operate(get(row), value)
    return lambda row: (there := get(row)) is not None and operate(there, value)


def _getter(each: dict[str, Any]) -> Callable[[dict[str, Any]], Any]:
    column = each["column"]
    if _ELSEWHERE.fullmatch(column):
        raise Refusal(501, f"this stand-in does not filter by {column}")
    if column in _COMPUTED:
        return _COMPUTED[column]
    if column not in _SAME and column not in _RENAMED:
        raise bad_request(f"Invalid filter column: {column}")
    field = _RENAMED.get(column, column)
    if field != "metadata":
        return lambda row: row[field]
    key = each.get("key", "")
    return lambda row: _as_text(row["metadata"][key]) if key in row["metadata"] else None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
