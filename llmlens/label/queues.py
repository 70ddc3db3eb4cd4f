"""Annotation queues of Langfuse: worklists that a team shares, filled here or there, worked off in the notebook."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from llmlens.errors import LabelError, unknown

from .score import Score

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from llmlens.read.langfuse.connection import Connection
    from llmlens.traces import Traces

_QUEUES = "/api/public/annotation-queues"


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing to judge: a trace, an observation or a session, by its id."""

    item_id: str
    object_id: str
    object_type: Literal["TRACE", "OBSERVATION", "SESSION"]
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
        """Read the items, all of them or only those that are (not) completed."""
        params: dict[str, Any] = {}
        if completed is not None:
            params["status"] = "COMPLETED" if completed else "PENDING"
        rows = self.connection.pages(f"{_QUEUES}/{self.queue_id}/items", params)
        return [
            QueueItem(str(row["id"]), str(row["objectId"]), row["objectType"], row.get("status") == "COMPLETED")
            for row in rows
        ]

    def frame(self) -> pd.DataFrame:
        """Give the items as a DataFrame: item_id, object_id, object_type, completed."""
        import pandas as pd

        columns = ["item_id", "object_id", "object_type", "completed"]
        return pd.DataFrame([[getattr(i, c) for c in columns] for i in self.items()], columns=columns)

    def worklist(self, traces: Traces) -> Traces:
        """Select what is still to be judged among `traces`; an observation brings its trace, a session all of its own.

        Raises `LabelError` when some items are not among the traces: read them first, with
        `read_langfuse(trace_ids=[...])`.
        """
        wanted: dict[str, set[str]] = {"TRACE": set(), "OBSERVATION": set(), "SESSION": set()}
        for item in self.items(completed=False):
            wanted[item.object_type].add(item.object_id)
        spans = traces.table("spans")
        column = {"TRACE": spans.trace_id, "OBSERVATION": spans.span_id, "SESSION": spans.session_id}
        missing: list[str] = []
        selected: Traces | None = None
        for kind, ids in wanted.items():
            if not ids:
                continue
            name = column[kind].get_name()
            there = set(traces.fetch(spans.filter(column[kind].isin(sorted(ids))).select(name).distinct())[name])
            missing += sorted(ids - there)
            if there:
                chosen: dict[str, Any] = {name: sorted(there)}
                part = traces.where(**chosen)
                selected = part if selected is None else selected | part
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise LabelError(
                f"{len(missing)} items of the queue {self.name!r} are not among these traces: "
                f"{', '.join(missing[:3])}{more}. Read them with read_langfuse(trace_ids=[...]), or a wider window."
            )
        return traces.where(trace_id=[]) if selected is None else selected

    def add(self, traces: Traces) -> int:
        """Put traces into the queue, those that are not there yet; give how many were added."""
        there = {item.object_id for item in self.items()}
        new = [trace_id for trace_id in traces.trace_ids if trace_id not in there]
        for trace_id in new:
            body = {"objectId": trace_id, "objectType": "TRACE"}
            self._send("POST", f"{_QUEUES}/{self.queue_id}/items", body, f"add the trace {trace_id}")
        return len(new)

    def complete(self, items: Iterable[QueueItem]) -> None:
        """Mark items as completed; do it when their labels are confirmed."""
        for item in items:
            path = f"{_QUEUES}/{self.queue_id}/items/{item.item_id}"
            self._send("PATCH", path, {"status": "COMPLETED"}, f"complete the item {item.item_id}")

    def _send(self, method: str, path: str, body: dict[str, Any], what: str) -> None:
        status, answer = self.connection.send(method, path, body)
        if status >= 300:
            raise LabelError(f"Langfuse did not {what} of the queue {self.name!r}: status {status}, {answer!r}"[:500])


def queues(connection: Connection) -> list[AnnotationQueue]:
    """Read the annotation queues of a project."""
    return [AnnotationQueue(connection, row) for row in connection.pages(_QUEUES)]


def queue(connection: Connection, name: str) -> AnnotationQueue:
    """Open a queue by its name or id; raises `UnknownNameError` when there is none."""
    found = queues(connection)
    for each in found:
        if name in (each.name, each.queue_id):
            return each
    what = "annotation queue"
    raise unknown(what, name, [each.name for each in found])


def create_queue(
    connection: Connection, name: str, scores: Iterable[Score], traces: Traces | None = None, description: str = ""
) -> AnnotationQueue:
    """Make a queue, and put `traces` into it. Langfuse lets its scores never be changed afterwards.

    Raises `LabelError` when one of the scores has no config in Langfuse (see `LangfuseSink.create_configs`), or when
    there is a queue of this name.
    """
    chosen = list(scores)
    if lacking := [score.name for score in chosen if score.config_id is None]:
        raise LabelError(f"Scores without a config in Langfuse cannot be in a queue: {', '.join(lacking)}.")
    if any(each.name == name for each in queues(connection)):
        raise LabelError(f"There is an annotation queue {name!r} already; open it with queue(connection, {name!r}).")
    body = {"name": name, "description": description or None, "scoreConfigIds": [s.config_id for s in chosen]}
    status, answer = connection.send("POST", _QUEUES, body)
    if status >= 300 or not isinstance(answer, dict):
        raise LabelError(f"Langfuse did not make the queue {name!r}: status {status}, {answer!r}"[:500])
    made = AnnotationQueue(connection, answer)
    if traces is not None:
        made.add(traces)
    return made
