"""What the server holds: the data of one project."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .observation_store import ObservationStore
from .params import iso
from .score_store import ScoreStore

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT: dict[str, Any] = {
    "id": "proj1",
    "name": "proj1",
    "organization": {"id": "org1", "name": "org1"},
    "metadata": {},
}


class State:
    """The data of one project, and which server it is; lists of things are newest first."""

    def __init__(self, version: str, mode: str, eventual_s: float, delete_s: float | None) -> None:
        self.version = version
        self.number = tuple(int(part) for part in version.split(".")[:3])
        self.mode = mode
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.lock = threading.RLock()
        self.configs: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.models: list[dict[str, Any]] = []
        self.queues: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = []
        self.observations = ObservationStore(PROJECT["id"], self.now)
        self.scores = ScoreStore(PROJECT["id"], self.config, eventual_s, delete_s)

    def now(self) -> str:
        """Give the server's time."""
        return iso(self.clock())

    def config(self, config_id: str) -> dict[str, Any] | None:
        """Find a score config."""
        return next((config for config in self.configs if config["id"] == config_id), None)

    def new(self, among: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
        """Put a thing among its like."""
        row = {"id": str(uuid.uuid4()), **fields, "createdAt": self.now(), "updatedAt": self.now()}
        with self.lock:
            among.insert(0, row)
        return row

    def new_config(self, name: str, data_type: str, **more: Any) -> dict[str, Any]:
        """Make a score config: `minValue`, `maxValue`, `categories`, `description`, `isArchived`."""
        if data_type == "BOOLEAN":
            more["categories"] = [{"label": "True", "value": 1}, {"label": "False", "value": 0}]
        blank = dict.fromkeys(("description", "minValue", "maxValue", "categories"))
        fields = {**blank, "isArchived": False, "projectId": PROJECT["id"], **more, "name": name, "dataType": data_type}
        return self.new(self.configs, **fields)

    def new_comment(self, object_type: str, object_id: str, content: str, author: str | None = None) -> dict[str, Any]:
        """Make a comment on a TRACE, OBSERVATION, SESSION or PROMPT."""
        about = {"objectType": object_type, "objectId": object_id, "content": content, "authorUserId": author}
        return self.new(self.comments, projectId=PROJECT["id"], **about)
