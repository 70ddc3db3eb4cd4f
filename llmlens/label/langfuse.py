"""Labels -> scores of a Langfuse project: human annotations, each exactly once.

Langfuse merges scores that agree in id, name and day of their timestamp, so these three are fixed when the label is
made. It answers 200 to scores that break their config and drops them later: labels are checked against the config
before they are sent, and count as confirmed only when they were read back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LabelError
from llmlens.read.langfuse.transport import said

from .langfuse_configs import ScoreConfigs
from .sink import Label, Result, Sink, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmlens.read.langfuse.connection import Connection

    from .score import LabelValue, Score


_INGESTION = "/api/public/ingestion"
_SCORES = "/api/public/scores"
_PROJECT = "/project/"
#: A request's body may have a mebibyte; the rest is room for what goes around the labels.
_MAX_BYTES = 900_000
#: Whoever opens a panel does not wait longer to hear of missing configs.
_QUICKLY_S = 5.0
_GONE = (404, 405, 410)
_TOO_LARGE = 413
_MULTI_STATUS = 207


class LangfuseSink(Sink):
    """Sends labels to the project of a connection; see `Sink`."""

    batch = 100  # what one call of v3/scores can give back

    def __init__(self, connection: Connection) -> None:
        """Use a connection, see `llmlens.langfuse`; nothing is asked of the server yet."""
        self.connection = connection
        self._configs = ScoreConfigs(connection)

    def __repr__(self) -> str:
        """Say where labels go."""
        return f"<labels to {self.connection.base_url}>"

    @property
    def name(self) -> str:
        """The server and the project."""
        return f"{self.connection.base_url}{_PROJECT}{self._project}"

    @property
    def _project(self) -> str:
        return self.connection.server.project_id

    def configs(self) -> list[Score]:
        """Read the score configs of the project, archived ones too, in the order in which they were made."""
        return self._configs.read()[::-1]

    def create_configs(self, scores: Iterable[Score]) -> list[Score]:
        """Make the configs that are not there; see `create_score_configs`."""
        return self._configs.create(scores)

    def check_scores(self, scores: Sequence[Score]) -> None:
        """Raise `LabelError` for scores without a config; `LangfuseError` when that is not known within seconds."""
        self._configs.check(scores, time.monotonic() + _QUICKLY_S)

    def check_store(self, others: Sequence[str]) -> None:
        """Keep the labels of one project out of another."""
        foreign = [other for other in others if _PROJECT in other and other.partition(_PROJECT)[2] != self._project]
        if foreign:
            raise LabelError(
                f"The labels of this store went to {foreign[0]}, and this is another project ({self.name}). Give each "
                "project a store of its own, for example store=llmlens.labels('other-labels.sqlite')."
            )

    # Writing ----------------------------------------------------------------------------------------------------

    def push(self, labels: Sequence[Label]) -> list[Result]:
        """Send labels; those that Langfuse would silently drop are rejected here, with the reason."""
        results: dict[str, Result] = {}
        bodies: dict[str, dict[str, Any]] = {}
        by_id = {label.score_id: label for label in labels}
        self._configs.needed(labels)
        for label in labels:
            try:
                bodies[label.score_id] = _body(label, self._configs.of(label))
            except LabelError as error:
                results[label.score_id] = Result(label.score_id, "rejected", str(error))
        for group in _groups(bodies.values()):
            results |= {result.score_id: result for result in self._send(group, by_id)}
        return [results[label.score_id] for label in labels]

    def _send(self, group: list[dict[str, Any]], labels: Mapping[str, Label]) -> list[Result]:
        sent = self._ingest(group, labels)
        return self._post(group) if sent is None else sent

    def _ingest(self, group: list[dict[str, Any]], labels: Mapping[str, Label]) -> list[Result] | None:
        """Send by the batch route, which answers for each label; None when the server has it no more."""
        batch = [
            {
                "id": labels[body["id"]].event_id,
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
            return [*self._send(group[:half], labels), *self._send(group[half:], labels)]
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

    def delete(self, labels: Sequence[Label]) -> list[Result]:
        """Delete scores; Langfuse does it some seconds later."""
        results = []
        for label in labels:
            status, answer = self.connection.send("DELETE", f"{_SCORES}/{label.score_id}", None)
            gone = status < 300 or status == 404
            results.append(Result(label.score_id, "accepted") if gone else _refused(label.score_id, status, answer))
        return results

    # Reading back -----------------------------------------------------------------------------------------------

    def read_back(self, labels: Sequence[Label]) -> dict[str, Stored]:
        """Read the scores of these ids."""
        found: dict[str, Stored] = {}
        ids = [label.score_id for label in labels]
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


def _body(label: Label, score: Score | None) -> dict[str, Any]:
    """Write a label as Langfuse takes it."""
    subject = {"traceId": label.trace_id, "observationId": label.span_id}
    if label.trace_id is None:
        subject = {"sessionId": label.session_id}
    value: LabelValue | None = label.value
    if label.data_type == "boolean":
        value = 1 if label.value else 0  # a JSON true is refused
    body = {
        "id": label.score_id,
        **{key: given for key, given in subject.items() if given is not None},
        "name": label.name,
        "value": value,
        "dataType": label.data_type.upper(),
        "source": "ANNOTATION",
        "metadata": {"annotator": label.author, "tool": "llmlens"},
        "comment": label.comment or "",  # what an update leaves out stays as it was
        "timestamp": _iso(label),
    }
    if score is not None:
        body["configId"] = score.config_id
    if label.queue_id is not None:
        body["queueId"] = label.queue_id
    return body


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


def _iso(label: Label) -> str:
    return label.score_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
