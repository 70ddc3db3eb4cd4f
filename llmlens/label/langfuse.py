"""Labels -> scores of a Langfuse project: human annotations, each exactly once.

Langfuse merges scores that agree in id, name and day of their timestamp, so these three are fixed when the label is
made. It answers 200 to scores that break their config and drops them later: labels are checked against the config
before they are sent, and count as confirmed only when they were read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LabelError
from llmlens.read.langfuse.transport import said

from .score import LabelValue, Score
from .sink import Result, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmlens.read.langfuse.connection import Connection

    from .event import Event

_INGESTION = "/api/public/ingestion"
_SCORES = "/api/public/scores"
_CONFIGS = "/api/public/score-configs"
#: A request's body may have a mebibyte; the rest is room for what goes around the labels.
_MAX_BYTES = 900_000
_GONE = (404, 405, 410)
_TOO_LARGE = 413
_MULTI_STATUS = 207


class LangfuseSink:
    """Sends labels to the project of a connection; see `Sink`."""

    batch = 100  # what one call of v3/scores can give back

    def __init__(self, connection: Connection) -> None:
        """Use a connection, see `llmlens.langfuse`; nothing is asked of the server yet."""
        self.connection = connection
        self._configs: dict[str, Score] | None = None

    def __repr__(self) -> str:
        """Say where labels go."""
        return f"<labels to {self.name}>"

    @property
    def name(self) -> str:
        """The server and the project."""
        return f"{self.connection.base_url}/project/{self.connection.server.project_id}"

    # Score configs ----------------------------------------------------------------------------------------------

    def configs(self) -> list[Score]:
        """Read the score configs of the project, archived ones too."""
        found = [Score.from_langfuse(config) for config in self.connection.score_configs()]
        self._configs = {score.name: score for score in found if not score.archived}
        return found

    def create_configs(self, scores: Iterable[Score]) -> list[Score]:
        """Make a config in Langfuse for each score that has none there, and give all of them as they are there.

        Raises `LabelError` when there is one of the same name that asks for something else: Langfuse lets no config be
        changed or deleted, so the score must take another name.
        """
        known = self._by_name(fresh=True)
        made = []
        for score in scores:
            if score.data_type == "correction":
                made.append(score)  # corrections have no config
                continue
            there = known.get(score.name)
            if there is None:
                status, body = self.connection.send("POST", _CONFIGS, score.to_langfuse())
                if status >= 300 or not isinstance(body, dict):
                    raise LabelError(f"Langfuse did not make the score config {score.name!r}: {status}, {said(body)}")
                there = Score.from_langfuse(body)
            elif _asks(there) != _asks(score):
                raise LabelError(
                    f"Langfuse has a score config {score.name!r} that takes {there.described()}; yours takes "
                    f"{score.described()}. Use the one that is there (configs()), or give yours another name."
                )
            made.append(there)
        self._configs = {**known, **{s.name: s for s in made if s.data_type != "correction"}}
        return made

    def _by_name(self, *, fresh: bool = False) -> dict[str, Score]:
        if self._configs is None or fresh:
            self.configs()
        return self._configs or {}

    # Writing ----------------------------------------------------------------------------------------------------

    def push(self, events: Sequence[Event]) -> list[Result]:
        """Send labels; those that Langfuse would silently drop are rejected here, with the reason."""
        results: dict[str, Result] = {}
        bodies: dict[str, dict[str, Any]] = {}
        by_id = {event.score_id: event for event in events}
        for event in events:
            try:
                bodies[event.score_id] = self._body(event)
            except LabelError as error:
                results[event.score_id] = Result(event.score_id, "rejected", str(error))
        for group in _groups(bodies.values()):
            sent = self._ingest(group, by_id)
            if sent is None:
                sent = self._post(group)
            results |= {result.score_id: result for result in sent}
        return [results[event.score_id] for event in events]

    def _body(self, event: Event) -> dict[str, Any]:
        """Write a label as Langfuse takes it; raises `LabelError` for what it would drop."""
        score = self._checked(event)
        subject = {"traceId": event.trace_id, "observationId": event.span_id}
        if event.trace_id is None:
            subject = {"sessionId": event.session_id}
        value: LabelValue | None = event.value
        if event.data_type == "boolean":
            value = 1 if event.value else 0  # a JSON true is refused
        body = {
            "id": event.score_id,
            **{key: given for key, given in subject.items() if given is not None},
            "name": event.name,
            "value": value,
            "dataType": event.data_type.upper(),
            "source": "ANNOTATION",
            "metadata": {"annotator": event.author, "tool": "llmlens"},
            "timestamp": _iso(event),
        }
        if score is not None:
            body["configId"] = score.config_id
        if event.queue_id is not None:
            body["queueId"] = event.queue_id
        if event.comment is not None or event.at != event.score_at:
            body["comment"] = event.comment or ""  # what an update leaves out stays as it was
        return body

    def _checked(self, event: Event) -> Score | None:
        if event.data_type == "correction":
            return None
        score = self._by_name().get(event.name) or self._by_name(fresh=True).get(event.name)
        if score is None:
            raise LabelError(
                f"Langfuse has no active score config {event.name!r}, and takes human annotations only with one. "
                "Make it there, or let create_configs([...]) of the sink make it."
            )
        if score.data_type != event.data_type:
            raise LabelError(f"Langfuse's score config {event.name!r} takes {score.described()}, not {event.value!r}.")
        score.check(event.value)
        return score

    def _ingest(self, group: list[dict[str, Any]], events: Mapping[str, Event]) -> list[Result] | None:
        """Send by the batch route, which answers for each label; None when the server has it no more."""
        batch = [
            {
                "id": events[body["id"]].event_id,
                "type": "score-create",
                "timestamp": body["timestamp"],
                "body": {key: value for key, value in body.items() if key != "timestamp"},
            }
            for body in group
        ]
        status, answer = self.connection.send("POST", _INGESTION, {"batch": batch})
        if status in _GONE:
            return None
        if status == _TOO_LARGE and len(group) > 1:
            half = len(group) // 2
            return [*(self._ingest(group[:half], events) or []), *(self._ingest(group[half:], events) or [])]
        if status != _MULTI_STATUS or not isinstance(answer, dict):
            return [_refused(body["id"], status, answer) for body in group]
        score_of = {entry["id"]: entry["body"]["id"] for entry in batch}
        results = {i: Result(i, "failed", "Langfuse's answer does not mention it") for i in score_of.values()}
        for success in answer.get("successes") or ():
            if (score_id := score_of.get(success.get("id"))) is not None:
                results[score_id] = Result(score_id, "accepted")
        for failure in answer.get("errors") or ():
            if (score_id := score_of.get(failure.get("id"))) is not None:
                results[score_id] = _refused(score_id, int(failure.get("status") or 400), failure)
        return list(results.values())

    def _post(self, group: list[dict[str, Any]]) -> list[Result]:
        """Send as a list. The answer counts the labels that were refused and does not name them: halve to find them."""
        status, answer = self.connection.send("POST", _SCORES, group)
        whole = isinstance(answer, dict) and not answer.get("rejected") and not answer.get("errors")
        if status < 300 and whole:
            return [Result(body["id"], "accepted") for body in group]
        if len(group) > 1 and (status in (_MULTI_STATUS, 400, _TOO_LARGE)):
            half = len(group) // 2
            return [*self._post(group[:half]), *self._post(group[half:])]
        return [_refused(body["id"], 400 if status == _MULTI_STATUS else status, answer) for body in group]

    def delete(self, events: Sequence[Event]) -> list[Result]:
        """Delete scores; Langfuse does it some seconds later."""
        results = []
        for event in events:
            status, answer = self.connection.send("DELETE", f"{_SCORES}/{event.score_id}", None)
            gone = status < 300 or status == 404
            results.append(Result(event.score_id, "accepted") if gone else _refused(event.score_id, status, answer))
        return results

    # Reading back -----------------------------------------------------------------------------------------------

    def read_back(self, events: Sequence[Event]) -> dict[str, Stored]:
        """Read the scores of these ids."""
        found: dict[str, Stored] = {}
        ids = [event.score_id for event in events]
        v3 = self.connection.server.has_v3_scores
        for at in range(0, len(ids), self.batch):
            asked = ",".join(ids[at : at + self.batch])
            if v3:
                params = {"id": asked, "fields": "details", "limit": self.batch}
                rows = self.connection.get("/api/public/v3/scores", params)["data"]
            else:  # by default it leaves out scores whose trace is not there
                params = {"scoreIds": asked, "fields": "score", "limit": self.batch}
                rows = self.connection.get("/api/public/v2/scores", params)["data"]
            for row in rows:
                found[row["id"]] = Stored(row["id"], _value(row), row.get("comment") or None)
        return found


def _groups(bodies: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Cut a list of bodies so that each part fits into one request."""
    group: list[dict[str, Any]] = []
    size = 0
    for body in bodies:
        length = len(orjson.dumps(body)) + 200
        if group and size + length > _MAX_BYTES:
            yield group
            group, size = [], 0
        group.append(body)
        size += length
    if group:
        yield group


def _refused(score_id: str, status: int, answer: Any) -> Result:
    transient = status == 429 or status >= 500
    return Result(score_id, "failed" if transient else "rejected", f"Langfuse: {said(answer)} ({status})")


def _value(row: Mapping[str, Any]) -> LabelValue | None:
    """Read the value of a score of v3, or of v2, which keeps words apart and writes yes and no as 1 and 0."""
    value: LabelValue | None = row.get("value")
    if row.get("dataType") == "BOOLEAN":
        return None if value is None else bool(value)
    if row.get("stringValue") is not None:
        return str(row["stringValue"])
    return float(value) if isinstance(value, int | float) else value


def _iso(event: Event) -> str:
    return event.score_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _asks(score: Score) -> tuple[Any, ...]:
    labels = tuple(label for label, _ in score.categories) if score.data_type == "categorical" else ()
    return (score.data_type, score.minimum, score.maximum, labels)
