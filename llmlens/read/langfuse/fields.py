"""The fields of a Langfuse observation or trace -> names of attributes.

A field that means what an attribute of Langfuse's own SDKs means gets the name of that attribute, so that it goes
through the same mapping; all others are `langfuse.api.<field>`. Nothing is dropped but what is not set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Fields that make up the raw span itself, and those that are taken apart.
OWN = frozenset({"id", "traceId", "parentObservationId", "name", "startTime", "endTime", "metadata"})

_OBSERVATION = {
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
    "model": "langfuse.observation.model.name",
    "providedModelName": "langfuse.observation.model.name",
    "modelParameters": "langfuse.observation.model.parameters",
    "level": "langfuse.observation.level",
    "statusMessage": "langfuse.observation.status_message",
    "completionStartTime": "langfuse.observation.completion_start_time",
    "promptName": "langfuse.observation.prompt.name",
    "promptVersion": "langfuse.observation.prompt.version",
    "traceName": "langfuse.trace.name",
    "sessionId": "langfuse.session.id",
    "userId": "langfuse.user.id",
    "tags": "langfuse.trace.tags",
    "traceTags": "langfuse.trace.tags",
    "environment": "langfuse.environment",
    "release": "langfuse.release",
    "version": "langfuse.version",
}
_TRACE = {
    "input": "langfuse.trace.input",
    "output": "langfuse.trace.output",
    "name": "langfuse.trace.name",
    "sessionId": "langfuse.session.id",
    "userId": "langfuse.user.id",
    "tags": "langfuse.trace.tags",
    "environment": "langfuse.environment",
    "release": "langfuse.release",
    "version": "langfuse.version",
}


class _Names(dict[str, str]):
    """Name of a field -> name of its attribute, also for fields that newer servers may have."""

    def __init__(self, known: Mapping[str, str], prefix: str) -> None:
        super().__init__(known)
        self._prefix = prefix

    def __missing__(self, field: str) -> str:
        return f"{self._prefix}{field}"


OBSERVATION: Mapping[str, str] = _Names(_OBSERVATION, "langfuse.api.")
TRACE: Mapping[str, str] = _Names(_TRACE, "langfuse.api.trace.")


def camel(name: str) -> str:
    """Spell a column of the blob export as the API does.

    >>> camel("provided_model_name")
    'providedModelName'
    """
    first, *more = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in more)


def api_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Spell the columns of a row as the API does; rows of the API come back as they are."""
    if "trace_id" in row or "project_id" in row or "start_time" in row:
        return {camel(name): value for name, value in row.items()}
    return row if isinstance(row, dict) else dict(row)
