"""What the items of an annotation queue are about, as traces; and what of traces goes into a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LabelError, SelectionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmlens.read.langfuse.connection import Connection
    from llmlens.traces import Traces

    from .annotation_queues import ObjectType, QueueItem

_OBSERVATIONS = "/api/public/v2/observations"
_IDS_AT_ONCE = 100  # as many fit into an address
_NAMED = 3


def objects(traces: Traces, per_item: str) -> tuple[ObjectType, list[str]]:
    """Give what goes into a queue: the traces, or the spans, by id."""
    if per_item == "trace":
        return "TRACE", list(traces.trace_ids)
    if per_item != "span":
        raise SelectionError(f'per_item= is what one item is about, "trace" or "span"; got {per_item!r}.')
    return "OBSERVATION", list(dict.fromkeys(traces.spans["span_id"]))


def among(traces: Traces, items: Iterable[QueueItem], queue: str) -> Traces:
    """Select the traces of items; raises `LabelError` when some are not there."""
    wanted: dict[str, set[str]] = {"TRACE": set(), "OBSERVATION": set(), "SESSION": set()}
    for item in items:
        wanted[item.object_type].add(item.object_id)
    columns = {"TRACE": "trace_id", "OBSERVATION": "span_id", "SESSION": "session_id"}
    missing: list[str] = []
    selected: Traces | None = None
    for kind, ids in wanted.items():
        name = columns[kind]
        there = _there(traces, name, ids)
        missing += sorted(ids - there)
        if there:
            chosen: dict[str, Any] = {name: sorted(there)}
            part = traces.where(**chosen)
            selected = part if selected is None else selected | part
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise LabelError(
            f"{len(missing)} items of the queue {queue!r} are not among these traces: "
            f"{', '.join(missing[:_NAMED])}{more}. Read them with worklist(), or a wider window."
        )
    return traces.where(trace_id=[]) if selected is None else selected


def _there(traces: Traces, column: str, ids: set[str]) -> set[str]:
    if not ids:
        return set()
    spans = traces.table("spans")
    return set(traces.fetch(spans.filter(spans[column].isin(sorted(ids))).select(column).distinct())[column])


def read(connection: Connection, items: Iterable[QueueItem]) -> Traces:
    """Read the traces of items from the server, whenever they were; sessions are left out."""
    from llmlens.read import read_langfuse

    by_kind: dict[str, list[str]] = {"TRACE": [], "OBSERVATION": [], "SESSION": []}
    for item in items:
        by_kind[item.object_type].append(item.object_id)
    ids = dict.fromkeys([*by_kind["TRACE"], *_traces_of(connection, by_kind["OBSERVATION"])])
    return read_langfuse(trace_ids=list(ids), connection=connection, progress=False)


def _traces_of(connection: Connection, span_ids: list[str]) -> Iterator[str]:
    """Find the traces of observations; those that are gone have none."""
    if not connection.server.has_v2_observations:
        for span_id in span_ids:
            status, row = connection.transport.status(f"/api/public/observations/{span_id}")
            if status < 300 and isinstance(row, dict):
                yield str(row["traceId"])
        return
    for at in range(0, len(span_ids), _IDS_AT_ONCE):
        some = span_ids[at : at + _IDS_AT_ONCE]
        condition = {"type": "stringOptions", "column": "id", "operator": "any of", "value": some}
        params: dict[str, Any] = {"fields": "core", "limit": 1000, "filter": orjson.dumps([condition]).decode()}
        while True:
            page = connection.get(_OBSERVATIONS, params)
            yield from (str(row["traceId"]) for row in page["data"])
            if not (cursor := (page.get("meta") or {}).get("cursor")):
                break
            params = {**params, "cursor": cursor}
