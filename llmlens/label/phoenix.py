"""Labels -> annotations of spans in Arize Phoenix, each exactly once.

Phoenix keeps one annotation for each span, name and `identifier`, so the identifier is the id of the label.
"""

from __future__ import annotations

import os
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
_PUSH = "/v1/span_annotations?sync=true"


class PhoenixSink(Sink):
    """Sends labels of spans to a project of Phoenix; see `Sink`. Phoenix knows no labels of whole sessions."""

    def __init__(self, project: str, *, base_url: str | None = None, api_key: str | None = None) -> None:
        """Use a server; what is not given comes from PHOENIX_HOST (or this computer) and PHOENIX_API_KEY."""
        url = (base_url or os.environ.get("PHOENIX_HOST") or _LOCAL).rstrip("/")
        key = api_key or os.environ.get("PHOENIX_API_KEY")
        self.project = project
        self._transport = Transport(url, _Bearer(key) if key else None, 60.0, error=ServerError)
        self._annotations = f"/v1/projects/{quote(project, safe='')}/span_annotations"

    def __repr__(self) -> str:
        """Say where labels go."""
        return f"<labels to {self.name}>"

    @property
    def name(self) -> str:
        """The server and the project."""
        return f"{self._transport.base_url}/projects/{self.project}"

    def push(self, labels: Sequence[Label]) -> list[Result]:
        """Send labels; a label of a trace goes to Phoenix only with the span that it is about."""
        sendable = [label for label in labels if label.span_id is not None]
        status, answer = 200, None
        if sendable:
            body = {"data": [_annotation(label) for label in sendable]}
            status, answer = self._transport.send("POST", _PUSH, body)
        if status == 404 and len(sendable) > 1:  # one unknown span refuses them all
            return [result for label in labels for result in self.push([label])]
        return [_result(label, status, answer) for label in labels]

    def delete(self, labels: Sequence[Label]) -> list[Result]:
        """Delete annotations: by name, identifier and the very moment at which each was made, and nothing else."""
        results = []
        for label in labels:
            status, answer = 200, None
            for row in self._rows([label]):
                since = datetime.fromisoformat(row["created_at"])
                narrow = {
                    "name": label.name,
                    "identifier": label.score_id,
                    "start_time": since.isoformat(),
                    "end_time": (since + timedelta(milliseconds=1)).isoformat(),
                }
                status, answer = self._transport.send("DELETE", f"{self._annotations}?{urlencode(narrow)}", None)
            results.append(_result(label, status, answer))
        return results

    def read_back(self, labels: Sequence[Label]) -> dict[str, Stored]:
        """Read the annotations of the spans of these labels."""
        found = {}
        for row in self._rows(labels):
            result = row.get("result") or {}
            found[row["identifier"]] = Stored(row["identifier"], _value(row, result), result.get("explanation") or None)
        return found

    def _rows(self, labels: Sequence[Label]) -> Iterator[dict[str, Any]]:
        wanted = {label.score_id for label in labels}
        spans = sorted({label.span_id for label in labels if label.span_id is not None})
        params: dict[str, Any] = {"span_ids": spans, "limit": 1000}
        while spans:
            page = self._transport.get(self._annotations, params)
            yield from (row for row in page["data"] if row.get("identifier") in wanted)
            if not page.get("next_cursor"):
                return
            params["cursor"] = page["next_cursor"]


class _Bearer(httpx.Auth):
    """A key, sent and never shown."""

    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request


def _annotation(label: Label) -> dict[str, Any]:
    text = isinstance(label.value, str)
    result: dict[str, Any] = {"explanation": label.comment}
    if text:
        result["label"] = label.value
    else:
        result["score"] = float(label.value or 0)
        if isinstance(label.value, bool):
            result["label"] = str(label.value)
    return {
        "span_id": label.span_id,
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
    score_id = str(label.score_id)
    if label.span_id is None:
        what = "a session" if label.trace_id is None else "a whole trace"
        return Result(score_id, "rejected", f"Phoenix annotates spans; this is a label of {what}: use per_item='span'.")
    if status < 300:
        return Result(score_id, "accepted")
    if status == 404:
        return Result(score_id, "rejected", f"Phoenix does not know the span {label.span_id}: {said(answer)}")
    return Result(score_id, "failed" if status >= 500 else "rejected", f"Phoenix: {said(answer)} ({status})")
