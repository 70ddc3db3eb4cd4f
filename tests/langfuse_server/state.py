"""What the server holds: observations, traces, scores and the rest, and how they change."""

from __future__ import annotations

import bisect
import threading
import time
import uuid
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PROJECT = {"id": "proj1", "name": "proj1", "organization": {"id": "org1", "name": "org1"}, "metadata": {}}


class State:
    """The data of one project. Rows are as v2/observations and v3/scores have them, with all field groups."""

    def __init__(self, version: str, mode: str, *, eventual_s: float = 0.0) -> None:
        """Begin empty."""
        self.version = version
        self.number = tuple(int(part) for part in version.split(".")[:3])
        self.mode = mode
        self.eventual_s = eventual_s
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.lock = threading.RLock()
        self.observations: list[tuple[tuple[str, str, str], dict[str, Any]]] = []  # newest first
        self.rendered: dict[tuple[int, str], bytes] = {}
        self.traces: dict[str, dict[str, Any]] = {}
        self.scores: dict[tuple[str, str, str], dict[str, Any]] = {}  # by day, name and id
        self.configs: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.models: list[dict[str, Any]] = []
        self.queues: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = []
        self._visible: dict[str, float] = {}
        self._deleted: dict[str, float] = {}

    def now(self) -> str:
        """Give the server's time."""
        return iso(self.clock())

    # Observations -----------------------------------------------------------------------------------------------

    def add_observations(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add observations; a row that is there already stays too: nothing is merged at once."""
        with self.lock:
            found = [(_place(row), {**EMPTY_OBSERVATION, **row}) for row in rows]
            self.observations = sorted([*self.observations, *found], key=lambda pair: pair[0], reverse=True)
            for _, row in found:
                self.traces.setdefault(row["traceId"], {"id": row["traceId"]})

    def after(self, cursor: tuple[str, str, str] | None, since: str | None, until: str | None) -> Iterable[dict[str, Any]]:
        """Give observations that start in a window, newest first, from a cursor on."""
        with self.lock:
            rows = self.observations
        first = 0
        if until is not None:
            first = bisect.bisect_left(rows, True, key=lambda pair: pair[0][0] < until)
        if cursor is not None:
            first = max(first, bisect.bisect_left(rows, True, key=lambda pair: pair[0] < cursor))
        for place in range(first, len(rows)):
            at, row = rows[place]
            if since is not None and at[0] < since:
                return
            yield row

    # Scores -----------------------------------------------------------------------------------------------------

    def write_score(self, body: dict[str, Any], timestamp: str | None) -> str:
        """Take a score that the API accepted; what breaks its config is dropped without a word."""
        with self.lock:
            score_id = body.get("id") or str(uuid.uuid4())
            config = next((c for c in self.configs if c["id"] == body.get("configId")), None)
            name = "output" if body.get("dataType") == "CORRECTION" else config["name"] if config else body["name"]
            if (body.get("configId") and config is None) or (config and not fits(config, body)):
                return score_id
            at = timestamp or self.now()
            key = (at[:10], name, score_id)
            old = self.scores.get(key)
            new = {**(old or EMPTY_SCORE), **_stored(body, name)}
            new |= {"id": score_id, "timestamp": old["timestamp"] if old else at, "updatedAt": self.now()}
            new["createdAt"] = old["createdAt"] if old else self.now()
            if old is not None:
                new |= {k: old[k] for k in ("subject", "environment")}
            self.scores[key] = new
            self._visible.setdefault(score_id, time.monotonic() + self.eventual_s)
            return score_id

    def delete_score(self, score_id: str) -> None:
        """Delete a score, some time later."""
        with self.lock:
            self._deleted[score_id] = time.monotonic() + self.eventual_s

    def visible_scores(self) -> list[dict[str, Any]]:
        """Give the scores that can be read by now, newest first."""
        now = time.monotonic()
        with self.lock:
            for key in [k for k in self.scores if self._deleted.get(k[2], now + 1) <= now]:
                del self.scores[key]
                self._deleted.pop(key[2], None)
            found = [s for s in self.scores.values() if self._visible.get(s["id"], 0) <= now]
        return sorted(found, key=lambda s: (s["timestamp"], s["id"]), reverse=True)

    def add_scores(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add scores as v3/scores gives them."""
        with self.lock:
            for row in rows:
                self.scores[row["timestamp"][:10], row["name"], row["id"]] = {**EMPTY_SCORE, **row}

    def add_config(self, name: str, data_type: str, **more: Any) -> dict[str, Any]:
        """Add a score config."""
        categories = more.pop("categories", None)
        if data_type == "BOOLEAN":
            categories = [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
        config = {
            "id": str(uuid.uuid4()), "name": name, "isArchived": False, "description": None, "createdAt": self.now(),
            "updatedAt": self.now(), "projectId": PROJECT["id"], "maxValue": None, "minValue": None,
            "dataType": data_type, "categories": categories, **more,
        }  # fmt: skip
        with self.lock:
            self.configs.insert(0, config)
        return config


def iso(at: datetime) -> str:
    """Write a time as the server does."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fits(config: dict[str, Any], body: dict[str, Any]) -> bool:
    """Say whether a score obeys its config."""
    value, kind = body.get("value"), body.get("dataType") or config["dataType"]
    if config["isArchived"] or kind != config["dataType"]:
        return False
    if kind == "NUMERIC":
        low, high = config["minValue"], config["maxValue"]
        return isinstance(value, int | float) and (low is None or value >= low) and (high is None or value <= high)
    if kind == "CATEGORICAL":
        return value in [c["label"] for c in config["categories"]]
    return True


def _stored(body: dict[str, Any], name: str) -> dict[str, Any]:
    kind = body.get("dataType") or ("CATEGORICAL" if isinstance(body["value"], str) else "NUMERIC")
    value = bool(body["value"]) if kind == "BOOLEAN" else body["value"]
    if body.get("observationId"):
        subject = {"kind": "observation", "id": body["observationId"], "traceId": body["traceId"]}
    elif body.get("traceId"):
        subject = {"kind": "trace", "id": body["traceId"]}
    else:
        subject = {"kind": "session", "id": body["sessionId"]}
    kept = {k: body[k] for k in ("comment", "metadata", "configId", "queueId", "environment") if body.get(k) is not None}
    return {"name": name, "dataType": kind, "value": value, "subject": subject, "source": body.get("source") or "API", **kept}


def _place(row: dict[str, Any]) -> tuple[str, str, str]:
    return (row["startTime"], f"{zlib.crc32(row['traceId'].encode()):010}", row["id"])


EMPTY_SCORE: dict[str, Any] = {
    "id": None, "projectId": PROJECT["id"], "name": None, "source": "API", "timestamp": None, "environment": "default",
    "createdAt": None, "updatedAt": None, "comment": None, "configId": None, "metadata": {}, "authorUserId": None,
    "queueId": None, "subject": None, "dataType": None, "value": None,
}  # fmt: skip
EMPTY_OBSERVATION: dict[str, Any] = {
    "id": None, "traceId": None, "startTime": None, "endTime": None, "projectId": PROJECT["id"],
    "parentObservationId": None, "type": "SPAN", "name": "", "level": "DEFAULT", "statusMessage": "", "version": "",
    "environment": "default", "completionStartTime": None, "createdAt": None, "updatedAt": None, "input": None,
    "output": None, "metadata": {}, "model": "", "internalModelId": "", "modelParameters": {}, "usageDetails": {},
    "inputUsage": 0, "outputUsage": 0, "totalUsage": 0, "costDetails": {}, "inputCost": None, "outputCost": None,
    "totalCost": 0, "promptId": "", "promptName": "", "promptVersion": None, "usagePricingTierId": None,
    "usagePricingTierName": None, "latency": None, "timeToFirstToken": None, "userId": "", "sessionId": "",
    "isRootObservation": False, "traceName": None, "release": "", "tags": [], "bookmarked": False, "public": False,
    "modelId": None, "inputPrice": None, "outputPrice": None, "totalPrice": None,
}  # fmt: skip
