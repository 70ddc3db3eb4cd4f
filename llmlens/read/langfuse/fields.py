"""The fields of a Langfuse observation or trace -> names of attributes.

A field that means what an attribute of Langfuse's own SDKs means gets the name of that attribute, so that it goes
through the same mapping; all others are together in `langfuse.api`. Nothing is dropped but what is not set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The attribute that holds the address of the trace in the pages of its server.
URL = "langfuse.api.url"

#: Fields of an observation -> attributes; those of the raw span itself have none.
OBSERVATION: Mapping[str, str] = {
    **dict.fromkeys(("id", "traceId", "parentObservationId", "name", "startTime", "endTime", "metadata"), ""),
    "type": "langfuse.api.type",
    "updatedAt": "langfuse.api.updatedAt",
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

#: Fields of a trace -> attributes; its observations and scores are read by themselves, and its sums made of them.
TRACE: Mapping[str, str] = {
    **dict.fromkeys(("id", "timestamp", "metadata", "observations", "scores", "corrections"), ""),
    "updatedAt": "langfuse.api.updatedAt",
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


def add_fields(attributes: dict[str, Any], row: Mapping[str, Any], names: Mapping[str, str], rest: str) -> None:
    """Add the fields that are set, under their names; those that have none go together into the attribute `rest`."""
    others = {}
    for field, value in row.items():
        if value or value == 0:  # "", null, [] and {} say that nothing was set
            name = names.get(field)
            if name is None:
                others[field] = value
            elif name:
                attributes[name] = value
    if others:
        attributes[rest] = others


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
