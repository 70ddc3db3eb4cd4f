"""Labels -> annotations of spans, traces and sessions in Arize Phoenix, each exactly once.

Phoenix keeps one annotation for each subject, name and `identifier`, so the identifier is the id of the label. What is
said of Phoenix here was observed on version 20.26.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import httpx

from llmlens.errors import ServerError
from llmlens.read.langfuse.transport import Transport, said

from .sink import Label, Result, Sink, Stored

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .score import LabelValue

_LOCAL = "http://localhost:6006"
_ENDPOINTS = ("PHOENIX_ENDPOINT", "PHOENIX_COLLECTOR_ENDPOINT", "PHOENIX_BASE_URL")
_KEY_HINT = "Is PHOENIX_API_KEY, or api_key=, a key of this server?"
_ROWS = 1000
_SECOND = timedelta(seconds=1)
_NOT_FOUND = (404, 405)


@dataclass(frozen=True)
class Subject:
    """A sort of thing that Phoenix annotates, and which field of a label names it."""

    noun: str
    field: str
    at_once: int  # ids that fit into an address

    @property
    def route(self) -> str:
        """The name of its routes."""
        return f"{self.noun}_annotations"

    def id_of(self, label: Label) -> str:
        """Give the id of what a label is about."""
        return str(getattr(label, self.field))


_SPAN, _TRACE = Subject("span", "span_id", 100), Subject("trace", "trace_id", 50)
_SESSION = Subject("session", "session_id", 10)


def subject_of(label: Label) -> Subject:
    """Tell what a label is about."""
    if label.span_id is not None:
        return _SPAN
    return _TRACE if label.trace_id is not None else _SESSION


class PhoenixSink(Sink):
    """Sends labels to a project of Phoenix; see `Sink`. What they are about must be there already."""

    def __init__(self, project: str, *, base_url: str | None = None, api_key: str | None = None) -> None:
        """Use a server; what is not given comes from Phoenix's own variables: PHOENIX_ENDPOINT and PHOENIX_API_KEY.

        PHOENIX_COLLECTOR_ENDPOINT and PHOENIX_BASE_URL, its older names, are read too; else it is on this computer.
        """
        said_so = next(filter(None, map(os.environ.get, _ENDPOINTS)), _LOCAL)
        url = (base_url or said_so).rstrip("/").removesuffix("/v1/traces")
        if not url.startswith(("http://", "https://")):
            raise ServerError(f"The address of Phoenix begins with http:// or https://; got {url!r}.")
        key = api_key or os.environ.get("PHOENIX_API_KEY")
        self.project = project
        self._transport = Transport(url, _Bearer(key) if key else None, 60.0, error=ServerError, keys=_KEY_HINT)
        self._deletes_one: bool | None = None

    def __repr__(self) -> str:
        """Say where labels go."""
        return f"<labels to {self.name}>"

    @property
    def name(self) -> str:
        """The server and the project."""
        return f"{self._transport.base_url}/projects/{self.project}"

    def _path(self, subject: Subject) -> str:
        return f"/v1/projects/{quote(self.project, safe='')}/{subject.route}"

    def push(self, labels: Sequence[Label]) -> list[Result]:
        """Send labels; one that Phoenix does not know the subject of is rejected."""
        found: dict[str, Result] = {}
        for subject in (_SPAN, _TRACE, _SESSION):
            found |= self._push(subject, [label for label in labels if subject_of(label) is subject])
        return [found[label.score_id] for label in labels]

    def _push(self, subject: Subject, labels: list[Label]) -> dict[str, Result]:
        if not labels:
            return {}
        body = {"data": [_annotation(subject, label) for label in labels]}
        # Without `sync` it answers 200 and drops what it does not know.
        status, answer = self._transport.send("POST", f"/v1/{subject.route}?sync=true", body)
        if status >= 400 and status < 500 and len(labels) > 1:  # one that is refused refuses them all
            half = len(labels) // 2
            return self._push(subject, labels[:half]) | self._push(subject, labels[half:])
        return {label.score_id: _result(label, status, answer) for label in labels}

    def delete(self, labels: Sequence[Label]) -> list[Result]:
        """Delete annotations, by name, identifier and the time at which each was made."""
        if not self._can_delete_one():
            reason = "This Phoenix cannot delete one annotation alone: delete it on its page."
            return [Result(label.score_id, "rejected", reason) for label in labels]
        results = []
        for label in labels:
            subject = subject_of(label)
            status, answer = 200, None
            for row in self._rows(subject, [label]):
                made = datetime.fromisoformat(row["created_at"])
                since, until = made - _SECOND, made + _SECOND  # on SQLite, the very second is not within itself
                narrow = {"name": label.name, "identifier": label.score_id}
                narrow |= {"start_time": since.isoformat(), "end_time": until.isoformat()}
                path = f"{self._path(subject)}?{urlencode(narrow)}"
                status, answer = self._transport.send("DELETE", path, None)
            results.append(_result(label, status, answer))
        return results

    def _can_delete_one(self) -> bool:
        """Whether a deletion can name an identifier: one that ignored it would delete what others said."""
        if self._deletes_one is None:
            routes = (self._transport.get("/openapi.json") or {}).get("paths") or {}
            known = routes.get("/v1/projects/{project_identifier}/span_annotations", {}).get("delete", {})
            self._deletes_one = any(each.get("name") == "identifier" for each in known.get("parameters", ()))
        return self._deletes_one

    def read_back(self, labels: Sequence[Label]) -> dict[str, Stored]:
        """Read the annotations of these labels."""
        found = {}
        for subject in (_SPAN, _TRACE, _SESSION):
            for row in self._rows(subject, [label for label in labels if subject_of(label) is subject]):
                result = row.get("result") or {}
                text = result.get("explanation") or None
                found[row["identifier"]] = Stored(row["identifier"], _value(row, result), text)
        return found

    def _rows(self, subject: Subject, labels: Sequence[Label]) -> Iterator[dict[str, Any]]:
        for at in range(0, len(labels), subject.at_once):
            some = labels[at : at + subject.at_once]
            wanted = [label.score_id for label in some]
            ids = sorted({subject.id_of(label) for label in some})
            params: dict[str, Any] = {f"{subject.field}s": ids, "identifier": wanted, "limit": _ROWS}
            while True:
                status, page = self._transport.status(self._path(subject), params)
                if status in _NOT_FOUND:  # none of the subjects is there
                    break
                if status >= 300 or not isinstance(page, dict):
                    raise ServerError(f"{self.name} did not give its annotations: {said(page)} ({status})")
                yield from (row for row in page["data"] if row.get("identifier") in wanted)
                if not page.get("next_cursor"):
                    break
                params["cursor"] = page["next_cursor"]


class _Bearer(httpx.Auth):
    """A key, sent and never shown."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


def _annotation(subject: Subject, label: Label) -> dict[str, Any]:
    text = isinstance(label.value, str)
    result: dict[str, Any] = {"explanation": label.comment}
    if text:
        result["label"] = label.value
    else:
        result["score"] = float(label.value or 0)
        if isinstance(label.value, bool):
            result["label"] = str(label.value)
    return {
        subject.field: subject.id_of(label),
        "name": label.name,
        "annotator_kind": "HUMAN",
        "identifier": label.score_id,
        "result": {key: value for key, value in result.items() if value is not None},
        "metadata": {"annotator": label.author, "tool": "llmlens", "data_type": label.data_type},
    }


def _value(row: dict[str, Any], result: dict[str, Any]) -> LabelValue | None:
    kind = (row.get("metadata") or {}).get("data_type")
    if kind == "boolean":
        return bool(result.get("score"))
    value: LabelValue | None = result.get("score") if result.get("score") is not None else result.get("label")
    return value


def _result(label: Label, status: int, answer: Any) -> Result:
    if status < 300:
        return Result(label.score_id, "accepted")
    subject = subject_of(label)
    if status in _NOT_FOUND:
        what = f"the {subject.noun} {subject.id_of(label)}, or no annotations of {subject.noun}s"
        return Result(label.score_id, "rejected", f"Phoenix does not know {what}: {said(answer)}")
    return Result(label.score_id, "failed" if status >= 500 else "rejected", f"Phoenix: {said(answer)} ({status})")
