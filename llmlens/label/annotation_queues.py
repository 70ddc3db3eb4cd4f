"""Annotation queues of Langfuse: worklists that a team shares, filled here or there, worked off in the notebook."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from llmlens.errors import LabelError, unknown
from llmlens.read.langfuse.transport import said

from .creating import made_once
from .score import Score

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from llmlens.read.langfuse.connection import Connection
    from llmlens.traces import Traces

_QUEUES = "/api/public/annotation-queues"
#: Labels do not wait longer for an item to be marked; it is tried again.
_QUICKLY_S = 10.0
_GONE = 404

ObjectType = Literal["TRACE", "OBSERVATION", "SESSION"]


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing to judge: a trace, an observation or a session, by its id."""

    item_id: str
    object_id: str
    object_type: ObjectType
    completed: bool


class AnnotationQueue:
    """A queue of a Langfuse project: what to judge, and by which scores."""

    def __init__(self, connection: Connection, row: dict[str, Any]) -> None:
        """Wrap a queue as the server describes it; see `queue` and `queues`."""
        self.connection = connection
        self.queue_id = str(row["id"])
        self.name = str(row["name"])
        self.description = row.get("description") or ""
        self._config_ids = [str(i) for i in row.get("scoreConfigIds") or ()]

    def __repr__(self) -> str:
        """Say its name and what is judged."""
        return f"<annotation queue {self.name!r}: {len(self._config_ids)} scores>"

    def scores(self) -> list[Score]:
        """Read the scores that the queue asks for, in its order; archived ones are left out."""
        known = {s.config_id: s for s in map(Score.from_langfuse, self.connection.score_configs())}
        found = [known[i] for i in self._config_ids if i in known]
        return [score for score in found if not score.archived]

    def items(self, *, completed: bool | None = None) -> list[QueueItem]:
        """Read the items, all of them or only those that are (not) completed; of an object there may be several."""
        params: dict[str, Any] = {}
        if completed is not None:
            params["status"] = "COMPLETED" if completed else "PENDING"
        rows = list(self.connection.pages(f"{_QUEUES}/{self.queue_id}/items", params))
        by_id = {str(row["id"]): row for row in rows}  # an item that moved between two pages comes twice
        return [
            QueueItem(item_id, str(row["objectId"]), row["objectType"], row.get("status") == "COMPLETED")
            for item_id, row in by_id.items()
        ]

    def frame(self) -> pd.DataFrame:
        """Give the items as a DataFrame: item_id, object_id, object_type, completed."""
        import pandas as pd

        columns = ["item_id", "object_id", "object_type", "completed"]
        return pd.DataFrame([[getattr(i, c) for c in columns] for i in self.items()], columns=columns)

    def worklist(self, traces: Traces | None = None) -> Traces:
        """Give the traces of what is still to be judged: of `traces`, or read from Langfuse by their ids.

        An observation brings its trace; a session all of its own, but only out of `traces`. Label them with
        `Annotator(queue.worklist(), to=queue)`.

        Raises `LabelError` when some items are not among the traces.
        """
        from .queue_traces import among, read

        pending = self.items(completed=False)
        return read(self.connection, pending) if traces is None else among(traces, pending, self.name)

    def add(self, traces: Traces, *, per_item: str = "trace") -> int:
        """Put traces, or with `per_item="span"` spans, into the queue: those that are not there; give how many.

        Langfuse takes one at a time, and on its smallest plan a hundred a minute. What broke off goes on when it is
        called again.
        """
        from .queue_traces import objects

        kind, ids = objects(traces, per_item)
        there = {item.object_id for item in self.items()}
        new = [object_id for object_id in ids if object_id not in there]
        for object_id in new:
            made_once(partial(self._add, kind, object_id), partial(self._has, object_id))
        return len(new)

    def _add(self, kind: ObjectType, object_id: str) -> bool:
        body = {"objectId": object_id, "objectType": kind}
        self._send("POST", f"{_QUEUES}/{self.queue_id}/items", body, f"add {object_id}", once=True)
        return True

    def _has(self, object_id: str) -> bool | None:
        return True if any(item.object_id == object_id for item in self.items()) else None

    def complete(self, items: Iterable[QueueItem], *, completed: bool = True) -> None:
        """Mark items as completed, or as pending again. Do it when their labels are confirmed; a panel does."""
        for item in items:
            path = f"{_QUEUES}/{self.queue_id}/items/{item.item_id}"
            self._send("PATCH", path, {"status": "COMPLETED" if completed else "PENDING"}, f"mark {item.object_id}")

    def _send(self, method: str, path: str, body: dict[str, Any], what: str, *, once: bool = False) -> None:
        deadline = None if once else time.monotonic() + _QUICKLY_S
        status, answer = self.connection.send(method, path, body, deadline=deadline, once=once)
        if status == _GONE and method == "PATCH":
            return  # somebody took it out of the queue
        if status >= 300:
            raise LabelError(f"Langfuse did not {what} in the queue {self.name!r}: {said(answer)} ({status})")


def queues(connection: Connection) -> list[AnnotationQueue]:
    """Read the annotation queues of a Langfuse project."""
    return [AnnotationQueue(connection, row) for row in connection.pages(_QUEUES)]


def queue(connection: Connection, name: str) -> AnnotationQueue:
    """Open an annotation queue by its name or id; raises `UnknownNameError` when there is none."""
    found = queues(connection)
    for each in found:
        if name in (each.name, each.queue_id):
            return each
    what = "annotation queue"
    raise unknown(what, name, [each.name for each in found])


def create_queue(
    connection: Connection,
    name: str,
    scores: Iterable[Score | str],
    traces: Traces | None = None,
    *,
    description: str = "",
    per_item: str = "trace",
) -> AnnotationQueue:
    """Make an annotation queue, and put `traces` into it, or with `per_item="span"` their spans.

    `scores` are score configs of the project, by name or as `score_configs` and `create_score_configs` give them.
    Langfuse lets them never be changed afterwards.

    Raises `LabelError` when one of the scores has no config in Langfuse, or when there is a queue of this name.
    """
    chosen = _with_configs(connection, list(scores))
    if any(each.name == name for each in queues(connection)):
        raise LabelError(f"There is an annotation queue {name!r} already; open it with queue(connection, {name!r}).")
    body = {"name": name, "description": description or None, "scoreConfigIds": [s.config_id for s in chosen]}

    def make() -> AnnotationQueue:
        status, answer = connection.send("POST", _QUEUES, body, once=True)
        if status >= 300 or not isinstance(answer, dict):
            raise LabelError(f"Langfuse did not make the queue {name!r}: {said(answer)} ({status})")
        return AnnotationQueue(connection, answer)

    made = made_once(make, lambda: next((each for each in queues(connection) if each.name == name), None))
    if traces is not None:
        made.add(traces, per_item=per_item)
    return made


def _with_configs(connection: Connection, scores: list[Score | str]) -> list[Score]:
    from .langfuse_configs import score_configs

    there = {score.name: score for score in score_configs(connection)} if scores else {}
    found = [s if isinstance(s, Score) and s.config_id else there.get(_name(s)) for s in scores]
    if lacking := [_name(score) for score, config in zip(scores, found, strict=True) if config is None]:
        raise LabelError(
            f"Scores without a config in Langfuse cannot be in a queue: {', '.join(lacking)}. Make them with "
            "create_score_configs(connection, scores)."
        )
    if not found:
        raise LabelError("A queue asks for at least one score.")
    return [score for score in found if score is not None]


def _name(score: Score | str) -> str:
    return score.name if isinstance(score, Score) else score
