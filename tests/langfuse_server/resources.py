"""The small resources: score configs, comments, annotation queues and their items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .errors import bad_request, invalid, not_found
from .params import Params, paged

if TYPE_CHECKING:
    from .state import State

_NAME = re.compile(r"[\w .()-]{1,35}")
_CONFIG_TYPES = ("NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT")
_CONFIG_FIELDS = ("minValue", "maxValue", "categories", "description")
_COMMENTED = ("TRACE", "OBSERVATION", "SESSION", "PROMPT")
_QUEUED = ("TRACE", "OBSERVATION", "SESSION")
_STATUS = ("PENDING", "COMPLETED")
_LONGEST_COMMENT = 5000


def new_config(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST score-configs."""
    _config_name(body.get("name"))
    kind = _option(body.get("dataType"), "dataType", _CONFIG_TYPES)
    given = {key: body[key] for key in _CONFIG_FIELDS if body.get(key) is not None}
    _check_config(kind, given)
    return state.new_config(body["name"], kind, **given)


def change_config(state: State, config_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer PATCH score-configs/{id}; archiving is the only way to end one."""
    config = find(state.configs, config_id, "Score config")
    change = {key: body[key] for key in (*_CONFIG_FIELDS, "isArchived", "name") if key in body}
    if "name" in change:
        _config_name(change["name"])
    _check_config(config["dataType"], {k: v for k, v in {**config, **change}.items() if v is not None}, known=True)
    config |= {**change, "updatedAt": state.now()}
    return config


def _config_name(name: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid("name", "Name must be 1 to 35 letters, digits, spaces and _.()-", code="invalid_format")


def _check_config(kind: str, given: dict[str, Any], *, known: bool = False) -> None:
    ranged = given.keys() & {"minValue", "maxValue"}
    if ranged and kind != "NUMERIC":
        raise bad_request("only numeric configs have a range")
    if len(ranged) == 2 and given["minValue"] >= given["maxValue"]:
        raise bad_request("Maximum value must be greater than Minimum value")
    categories = given.get("categories")
    if kind == "CATEGORICAL":
        labels = [category.get("label") for category in categories or ()]
        values = [category.get("value") for category in categories or ()]
        if not labels or len(set(labels)) < len(labels) or len(set(values)) < len(values):
            raise bad_request("categories need unique labels and values, and there must be one")
    elif categories and not (kind == "BOOLEAN" and known):
        raise bad_request(f"a {kind} config has no categories of its own")


def comments(state: State, params: Params) -> dict[str, Any]:
    """Answer GET comments."""
    asked = {key: params.text(key) for key in ("objectType", "objectId", "authorUserId") if key in params}
    if "objectType" in asked:
        _option(asked["objectType"], "objectType", _COMMENTED)
    return paged([row for row in state.comments if all(row[key] == value for key, value in asked.items())], params)


def new_comment(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST comments, with the id alone."""
    kind = _option(body.get("objectType"), "objectType", _COMMENTED)
    content = body.get("content")
    if not isinstance(content, str) or not 1 <= len(content) <= _LONGEST_COMMENT:
        raise invalid("content", f"Comment must be 1 to {_LONGEST_COMMENT} characters long", code="too_big")
    object_id = body.get("objectId")
    rows = state.observations.rows
    there = {
        "TRACE": object_id in state.observations.by_trace,
        "OBSERVATION": any(row.fields["id"] == object_id for row in rows),
        "SESSION": any(row.fields["sessionId"] == object_id for row in rows),
    }
    if not isinstance(object_id, str) or not there.get(kind, False):
        raise not_found(f"{kind.title()} {object_id} not found in project")
    return {"id": state.new_comment(kind, object_id, content, body.get("authorUserId"))["id"]}


def new_queue(state: State, body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST annotation-queues."""
    if not isinstance(body.get("name"), str) or not 1 <= len(body["name"]) <= 35:
        raise invalid("name", "Name must be 1 to 35 characters long", code="too_big")
    config_ids = body.get("scoreConfigIds")
    if not isinstance(config_ids, list) or not config_ids:
        raise invalid("scoreConfigIds", "At least one score config must be selected", code="too_small")
    if any(state.config(config_id) is None for config_id in config_ids):
        raise bad_request("At least one of the score config IDs cannot be found for the given project")
    if any(queue["name"] == body["name"] for queue in state.queues):
        raise bad_request("A queue with this name already exists in the project")
    fields = {"name": body["name"], "description": body.get("description"), "scoreConfigIds": config_ids}
    return state.new(state.queues, **fields)


def items(state: State, queue_id: str, params: Params) -> dict[str, Any]:
    """Answer GET annotation-queues/{id}/items."""
    find(state.queues, queue_id, "Annotation queue")
    status = params.text("status")
    if status is not None:
        _option(status, "status", _STATUS)
    found = [row for row in state.items if row["queueId"] == queue_id and status in (None, row["status"])]
    return paged(found, params)


def new_item(state: State, queue_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST annotation-queues/{id}/items; whether the object exists is not looked at."""
    find(state.queues, queue_id, "Annotation queue")
    if not isinstance(body.get("objectId"), str):
        raise invalid("objectId", "Invalid input: expected string", code="invalid_type", expected="string")
    about = {"objectId": body["objectId"], "objectType": _option(body.get("objectType"), "objectType", _QUEUED)}
    status = _option(body.get("status") or "PENDING", "status", _STATUS)
    return state.new(state.items, queueId=queue_id, **about, status=status, completedAt=_completed(state, status))


def item(state: State, queue_id: str, item_id: str) -> dict[str, Any]:
    """Answer GET annotation-queues/{id}/items/{id}."""
    return find([row for row in state.items if row["queueId"] == queue_id], item_id, "Annotation queue item")


def change_item(state: State, queue_id: str, item_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer PATCH annotation-queues/{id}/items/{id}."""
    row = item(state, queue_id, item_id)
    if body.get("status") is not None:
        status = _option(body["status"], "status", _STATUS)
        row |= {"status": status, "completedAt": _completed(state, status)}
    row["updatedAt"] = state.now()
    return row


def delete_item(state: State, queue_id: str, item_id: str) -> dict[str, Any]:
    """Answer DELETE annotation-queues/{id}/items/{id}."""
    state.items.remove(item(state, queue_id, item_id))
    return {"success": True, "message": "Annotation queue item deleted successfully"}


def find(rows: list[dict[str, Any]], row_id: str, what: str) -> dict[str, Any]:
    """Find a thing by its id."""
    row = next((row for row in rows if row["id"] == row_id), None)
    if row is None:
        raise not_found(f"{what} not found")
    return row


def _completed(state: State, status: str) -> str | None:
    return state.now() if status == "COMPLETED" else None


def _option(given: Any, name: str, options: tuple[str, ...]) -> str:
    if given not in options:
        expected = "|".join(f'"{option}"' for option in options)
        said = f"Invalid option: expected one of {expected}"
        raise invalid(name, said, code="invalid_value", values=list(options))
    return str(given)
