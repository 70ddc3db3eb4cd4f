"""The routes: which there are in a version and mode, what they take, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from . import observations, scores
from .errors import Refusal, invalid, not_found
from .state import PROJECT

if TYPE_CHECKING:
    from .state import State

Params: TypeAlias = "dict[str, list[str]]"
Answer: TypeAlias = "tuple[int, Any]"
Route: TypeAlias = "Callable[[State, Params, Any, re.Match[str]], Answer]"

_V1 = r"/api/public/(traces|observations|sessions|scores|v2/scores|metrics)(/|$)"
_V2 = r"/api/public/v2/(observations|metrics)$"


def route(state: State, method: str, path: str, params: Params, body: Any) -> Answer:
    """Answer a request."""
    if method == "GET" and re.match(_V1, path) and state.mode == "events_only":
        raise not_found(
            "This endpoint is not available on deployments running in Langfuse v4 events_only mode. "
            "Use GET /api/public/v2/observations instead."
        )
    if re.match(_V2, path) and state.mode == "v3":
        raise not_found("This endpoint is only available in a Langfuse v4 write mode.")
    if path == "/api/public/v3/scores" and state.number < (3, 179):
        raise not_found()
    for allowed, pattern, answer in _ROUTES:
        match = re.fullmatch("/api/public" + pattern, path)
        if match and allowed == method:
            return answer(state, params, body, match)
    if any(re.fullmatch("/api/public" + pattern, path) for _, pattern, _ in _ROUTES):
        raise Refusal(405, {"message": "Method not allowed", "error": "MethodNotAllowedError"})
    raise not_found()


def page_of(rows: list[Any], params: Params, most: int = 100) -> dict[str, Any]:
    """Give a page by number, and how many there are."""
    page, limit = _whole(params, "page", 1), _whole(params, "limit", 50)
    if limit > most:
        raise invalid("limit", f"Too big: expected number to be <={most}", code="too_big", maximum=most)
    if page < 1 or limit < 1:
        raise invalid("page", "Too small: expected number to be >=1", code="too_small")
    meta = {"page": page, "limit": limit, "totalItems": len(rows), "totalPages": -(-len(rows) // limit)}
    return {"data": rows[(page - 1) * limit : page * limit], "meta": meta}


def _whole(params: Params, name: str, default: int) -> int:
    try:
        return int(params.get(name, [str(default)])[0])
    except ValueError:
        raise invalid(name, "Invalid input: expected number, received NaN", code="invalid_type") from None


def _health(state: State, _params: Params, _body: Any, _match: Any) -> Answer:
    return 200, {"status": "OK", "version": state.version}


def _projects(_state: State, _params: Params, _body: Any, _match: Any) -> Answer:
    return 200, {"data": [PROJECT]}


def _configs(state: State, params: Params, _body: Any, _match: Any) -> Answer:
    return 200, page_of(state.configs, params)


def _new_config(state: State, _params: Params, body: Any, _match: Any) -> Answer:
    name = body.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[\w .()-]{1,35}", name):
        raise invalid("name", "Invalid name")
    if body.get("dataType") not in ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT"):
        raise invalid("dataType", "Invalid option")
    known = ("minValue", "maxValue", "description", "categories")
    return 200, state.add_config(name, body["dataType"], **{k: body[k] for k in known if k in body})


def _comments(state: State, params: Params, _body: Any, _match: Any) -> Answer:
    kind = params.get("objectType", [None])[0]
    if kind is not None and kind not in ("TRACE", "OBSERVATION", "SESSION", "PROMPT"):
        raise invalid("objectType", "Invalid option")
    asked = params.get("objectId", [None])[0]
    rows = [c for c in state.comments if kind in (None, c["objectType"]) and asked in (None, c["objectId"])]
    return 200, page_of(rows, params)


def _models(state: State, params: Params, _body: Any, _match: Any) -> Answer:
    return 200, page_of(state.models, params)


def _queues(state: State, params: Params, _body: Any, _match: Any) -> Answer:
    return 200, page_of(state.queues, params)


def _new_queue(state: State, _params: Params, body: Any, _match: Any) -> Answer:
    known = {c["id"] for c in state.configs}
    if not body.get("scoreConfigIds") or not set(body["scoreConfigIds"]) <= known:
        raise Refusal(400, {"message": "At least one of the score config IDs cannot be found for the given project"})
    queue = {
        "id": f"queue{len(state.queues)}", "name": body["name"], "description": body.get("description"),
        "scoreConfigIds": body["scoreConfigIds"], "createdAt": state.now(), "updatedAt": state.now(),
    }  # fmt: skip
    state.queues.insert(0, queue)
    return 200, queue


def _items(state: State, params: Params, _body: Any, match: re.Match[str]) -> Answer:
    status = params.get("status", [None])[0]
    rows = [i for i in state.items if i["queueId"] == match[1] and status in (None, i["status"])]
    return 200, page_of(rows, params)


def _new_item(state: State, _params: Params, body: Any, match: re.Match[str]) -> Answer:
    if body.get("objectType") not in ("TRACE", "OBSERVATION", "SESSION"):
        raise invalid("objectType", "Invalid option")
    item = {
        "id": f"item{len(state.items)}", "queueId": match[1], "objectId": body["objectId"],
        "objectType": body["objectType"], "status": body.get("status", "PENDING"), "completedAt": None,
        "createdAt": state.now(), "updatedAt": state.now(),
    }  # fmt: skip
    state.items.insert(0, item)
    return 200, item


def _change_item(state: State, _params: Params, body: Any, match: re.Match[str]) -> Answer:
    item = next((i for i in state.items if i["queueId"] == match[1] and i["id"] == match[2]), None)
    if item is None:
        raise not_found("Annotation queue item not found")
    done = body.get("status") == "COMPLETED"
    item |= {"status": body["status"], "completedAt": state.now() if done else None, "updatedAt": state.now()}
    return 200, item


_ROUTES: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/health", _health),
    ("GET", "/projects", _projects),
    ("GET", "/score-configs", _configs),
    ("POST", "/score-configs", _new_config),
    ("GET", "/comments", _comments),
    ("GET", "/models", _models),
    ("GET", "/annotation-queues", _queues),
    ("POST", "/annotation-queues", _new_queue),
    ("GET", "/annotation-queues/([^/]+)/items", _items),
    ("POST", "/annotation-queues/([^/]+)/items", _new_item),
    ("PATCH", "/annotation-queues/([^/]+)/items/([^/]+)", _change_item),
    ("GET", "/v2/observations", lambda s, p, _b, _m: observations.cursor_page(s, p)),
    ("GET", "/observations", lambda s, p, _b, _m: (200, page_of(observations.legacy_rows(s, p), p))),
    ("GET", "/traces", lambda s, p, _b, _m: (200, page_of(observations.legacy_traces(s, p), p))),
    ("GET", "/v3/scores", lambda s, p, _b, _m: scores.cursor_page(s, p)),
    ("GET", "/v2/scores", lambda s, p, _b, _m: (200, page_of(scores.legacy_rows(s, p), p))),
    ("POST", "/scores", lambda s, _p, b, _m: scores.post(s, b)),
    ("POST", "/ingestion", lambda s, _p, b, _m: scores.ingest(s, b)),
    ("DELETE", "/scores/([^/]+)", lambda s, _p, _b, m: scores.delete(s, m[1])),
)
