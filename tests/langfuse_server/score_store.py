"""The scores that a server holds, and the worker that files them some time after the API accepted them."""

from __future__ import annotations

import heapq
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Configs = Callable[[str], dict[str, Any] | None]


class Task(NamedTuple):
    """Something for the worker: a score to file, or the id of one to delete."""

    due: float
    order: int
    score: dict[str, Any] | None
    score_id: str


class ScoreStore:
    """Scores by day, name and id: one id on two days is two scores. `dropped` is what broke its config, and why."""

    def __init__(self, project_id: str, config: Configs, eventual_s: float, delete_s: float | None) -> None:
        self.eventual_s = eventual_s
        self.delete_s = delete_s
        self.dropped: list[tuple[dict[str, Any], str]] = []
        self._project_id = project_id
        self._config = config
        self._filed: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._tasks: list[Task] = []
        self._accepted = 0
        self._lock = threading.RLock()

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows of v3/scores, with all field groups, as if they had been there for long."""
        with self._lock:
            for row in rows:
                self._filed[row["timestamp"][:10], row["name"], row["id"]] = {**self._unset(), **row}

    def write(self, score: dict[str, Any]) -> None:
        """Accept a checked score with id and timestamp."""
        self._later(self.eventual_s, score, score["id"])

    def delete(self, score_id: str) -> None:
        """Accept a deletion; whatever is filed under the id by then goes."""
        self._later(self.eventual_s if self.delete_s is None else self.delete_s, None, score_id)

    def readable(self) -> list[dict[str, Any]]:
        """Give the scores that are filed by now, newest first."""
        return self._worked_until(time.monotonic())

    def settled(self) -> list[dict[str, Any]]:
        """Give the scores after everything that was accepted is filed, newest first."""
        return self._worked_until(float("inf"))

    def _later(self, seconds: float, score: dict[str, Any] | None, score_id: str) -> None:
        with self._lock:
            self._accepted += 1
            heapq.heappush(self._tasks, Task(time.monotonic() + seconds, self._accepted, score, score_id))

    def _worked_until(self, now: float) -> list[dict[str, Any]]:
        with self._lock:
            while self._tasks and self._tasks[0].due <= now:
                task = heapq.heappop(self._tasks)
                if task.score is None:
                    self._filed = {key: row for key, row in self._filed.items() if row["id"] != task.score_id}
                else:
                    self._file(task.score)
            return sorted(self._filed.values(), key=lambda row: (row["timestamp"], row["id"]), reverse=True)

    def _file(self, score: dict[str, Any]) -> None:
        config = self._config(score["configId"]) if score.get("configId") else None
        if score.get("configId") and (why := breach(config, score)):
            self.dropped.append((score, why))
            return
        name = config["name"] if config else score["name"]
        key = (score["timestamp"][:10], name, score["id"])
        old = self._filed.get(key, self._unset())
        # What was left out keeps its old value; when, on what and in which environment never change.
        fixed = {k: old[k] for k in ("timestamp", "subject", "environment", "createdAt")} if key in self._filed else {}
        data_type = _data_type(score, config)
        value = bool(score["value"]) if data_type == "BOOLEAN" else score["value"]
        self._filed[key] = {**old, **score, **fixed, "name": name, "dataType": data_type, "value": value}

    def _unset(self) -> dict[str, Any]:
        return {
            "projectId": self._project_id, "source": "API", "environment": "default", "comment": None, "configId": None,
            "metadata": {}, "authorUserId": None, "queueId": None,
        }  # fmt: skip


def _data_type(score: dict[str, Any], config: dict[str, Any] | None) -> str:
    if config is not None:
        return str(config["dataType"])
    return str(score.get("dataType") or ("CATEGORICAL" if isinstance(score["value"], str) else "NUMERIC"))


def breach(config: dict[str, Any] | None, score: dict[str, Any]) -> str:
    """Say how a score breaks its config; nothing when it does not."""
    if config is None:
        return "unknown config"
    if config["isArchived"]:
        return "archived config"
    value, kind = score["value"], config["dataType"]
    of_text = kind in ("CATEGORICAL", "TEXT")
    if score.get("dataType", kind) != kind or isinstance(value, str) != of_text:
        return "data type differs"
    if kind == "CATEGORICAL" and value not in [category["label"] for category in config["categories"]]:
        return "unknown category"
    low, high = config["minValue"], config["maxValue"]
    if kind == "NUMERIC" and ((low is not None and value < low) or (high is not None and value > high)):
        return "out of range"
    return ""
