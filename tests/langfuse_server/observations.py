"""GET v2/observations: a cursor, and groups of fields."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from .errors import bad_request, invalid
from .filters import condition
from .observation_store import Observation, Place, place_of

if TYPE_CHECKING:
    from .params import Params
    from .state import State

_ALWAYS = ("id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type")
_GROUPS: dict[str, tuple[str, ...]] = {
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
_OF_MODEL = ("modelId", "inputPrice", "outputPrice", "totalPrice")
_MOST = 1000
_SHORT = 200


def cursor_page(state: State, params: Params) -> bytes:
    """Answer with rendered rows, so that the server is not what a client waits for."""
    limit = params.whole("limit", 50, _MOST)
    groups = sorted(_GROUPS.keys() & set((params.text("fields") or "core,basic").split(",")))
    full = "io" in groups or bool(params.text("expandMetadata"))
    if params.text("parseIoAsJson") == "true":
        raise bad_request("parseIoAsJson is no longer supported: input and output are texts")
    keeps = condition(params)
    rows = state.observations.between(params.time("fromStartTime"), params.time("toStartTime"), _after(params))
    page: list[Observation] = list(rows[: limit + 1]) if keeps is None else []
    if keeps is not None:
        for row in rows:
            if keeps(row.fields):
                page.append(row)
                if len(page) > limit:
                    break
    key = ",".join(groups) + ("+" if full else "")
    data = b",".join([row.rendered.get(key) or _render(row, key, groups, full=full) for row in page[:limit]])
    meta = {"cursor": _cursor(page[limit - 1])} if len(page) > limit else {}
    return b'{"data":[' + data + b'],"meta":' + orjson.dumps(meta) + b"}"


def _after(params: Params) -> Place | None:
    if "cursor" not in params:
        return None
    try:
        at = orjson.loads(base64.b64decode(params["cursor"][0]))
        return place_of(at["lastStartTimeTo"], at["lastTraceId"], at["lastId"])
    except (ValueError, KeyError, TypeError):
        raise invalid("cursor", "Invalid cursor format", code="custom") from None


def _cursor(row: Observation) -> str:
    start, _, observation_id = row.place
    at = {"lastStartTimeTo": start, "lastTraceId": row.fields["traceId"], "lastId": observation_id}
    return base64.b64encode(orjson.dumps(at)).decode()


def _render(row: Observation, key: str, groups: list[str], *, full: bool) -> bytes:
    rendered = orjson.dumps(_shown(row.fields, groups, full=full))
    row.rendered[key] = kept = memoryview(rendered).tobytes()  # the writer's own buffer is four times as large
    return kept


def _shown(fields: dict[str, Any], groups: list[str], *, full: bool) -> dict[str, Any]:
    shown = {name: fields[name] for name in _ALWAYS}
    for group in groups:
        shown |= {name: fields[name] for name in _GROUPS[group]}
    timed = "time" in groups or "metrics" in groups
    # As recorded: a latency of zero turns to null when it is asked for.
    shown["latency"] = fields["latency"] or None if timed else fields["latency"]
    shown["timeToFirstToken"] = fields["timeToFirstToken"] if timed else None
    shown |= {name: fields[name] if "model" in groups else None for name in _OF_MODEL}
    if "metadata" in groups and not full:
        shown["metadata"] = {name: _shortened(value) for name, value in fields["metadata"].items()}
    return shown


def _shortened(value: Any) -> Any:
    """Cut the JSON text of a value, as the server does: what is cut no longer parses, and stays a text."""
    text = orjson.dumps(value).decode()
    return value if len(text) <= _SHORT else text[:_SHORT]
