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

from .score import LabelValue, Score
from .sink import Label, Result, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmlens.read.langfuse.connection import Connection


_INGESTION = "/api/public/ingestion"
_SCORES = "/api/public/scores"
_CONFIGS = "/api/public/score-configs"
#: A request's body may have a mebibyte; the rest is room for what goes around the labels.
_MAX_BYTES = 900_000
#: A config may be archived while labels are made.
_CONFIGS_HOLD_S = 300.0
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
        self._read_at = 0.0

    def __repr__(self) -> str:
        """Say where labels go."""
        return f"<labels to {self.connection.base_url}>"

    @property
    def name(self) -> str:
        """The server and the project."""
        return f"{self.connection.base_url}/project/{self.connection.server.project_id}"

    # Score configs ----------------------------------------------------------------------------------------------

    def configs(self) -> list[Score]:
        """Read the score configs of the project, archived ones too."""
        found = [Score.from_langfuse(config) for config in self.connection.score_configs()]
        self._configs = {score.name: score for score in found if not score.archived}
        self._read_at = time.monotonic()
        return found

    def create_configs(self, scores: Iterable[Score]) -> list[Score]:
        """Make a config in Langfuse for each score that has none there, and give all of them as they are there.

        Raises `LabelError` when there is one of the same name that asks for something else: Langfuse lets no config be
        changed or deleted, so the score must take another name.
        """
        self.configs()
        known = self._by_name()
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

    def _by_name(self, needed: Iterable[str] = ()) -> dict[str, Score]:
        """Give the active configs; they are read again when a needed one is not known, and now and then."""
        known = self._configs
        if known is None or not set(needed) <= set(known) or time.monotonic() - self._read_at > _CONFIGS_HOLD_S:
            self.configs()
        return self._configs or {}

    # Writing ----------------------------------------------------------------------------------------------------

    def push(self, labels: Sequence[Label]) -> list[Result]:
        """Send labels; those that Langfuse would silently drop are rejected here, with the reason."""
        results: dict[str, Result] = {}
        bodies: dict[str, dict[str, Any]] = {}
        by_id = {label.score_id: label for label in labels}
        known = self._by_name(label.name for label in labels if label.data_type != "correction")
        for label in labels:
            try:
                bodies[label.score_id] = _body(label, _config_of(label, known))
            except LabelError as error:
                results[label.score_id] = Result(label.score_id, "rejected", str(error))
        for group in _groups(bodies.values()):
            sent = self._ingest(group, by_id)
            if sent is None:
                sent = self._post(group)
            results |= {result.score_id: result for result in sent}
        return [results[label.score_id] for label in labels]

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
            return [*(self._ingest(group[:half], labels) or []), *(self._ingest(group[half:], labels) or [])]
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


def _config_of(label: Label, known: Mapping[str, Score]) -> Score | None:
    """Give the config of a label; raises `LabelError` where Langfuse would drop the label without a word."""
    if label.data_type == "correction":
        return None
    score = known.get(label.name)
    if score is None:
        raise LabelError(
            f"Langfuse has no active score config {label.name!r}, and takes human annotations only with one. "
            "Make it there, or let create_configs([...]) of the sink make it."
        )
    if score.data_type != label.data_type:
        raise LabelError(f"Langfuse's score config {label.name!r} takes {score.described()}, not {label.value!r}.")
    score.check(label.value)
    return score


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


def _asks(score: Score) -> tuple[Any, ...]:
    labels = tuple(label for label, _ in score.categories) if score.data_type == "categorical" else ()
    return (score.data_type, score.minimum, score.maximum, labels)
