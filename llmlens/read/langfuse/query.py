"""What of a project is asked for: the filters of `read_langfuse`, as the API takes them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.errors import LangfuseError

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDS_AT_ONCE = 100  # as many fit into an address


@dataclass(frozen=True)
class Query:
    """The filters; None asks for everything. `texts` is whether inputs and outputs come too."""

    environments: tuple[str, ...] = ()
    name: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    tags: tuple[str, ...] = ()
    trace_ids: tuple[str, ...] | None = None
    filter: tuple[dict[str, Any], ...] = field(default=())
    texts: bool = True

    def v2(self) -> dict[str, Any]:
        """Give the parameters of v2/observations."""
        groups = "core,basic,time,model,usage,prompt,metrics,trace_context,metadata"
        # Without the texts, metadata is cut to 200 characters unless some of it is asked for by name.
        params: dict[str, Any] = {"fields": f"{groups},io"} if self.texts else {"fields": groups, "expandMetadata": "_"}
        params |= {"userId": self.user_id, "sessionId": self.session_id}
        if self.environments:
            params["environment"] = [*self.environments]
        filters = [*self.filter]
        if self.name is not None:
            filters.append(_any_of("stringOptions", "traceName", [self.name]))
        if self.tags:
            filters.append({"type": "arrayOptions", "column": "tags", "operator": "all of", "value": [*self.tags]})
        if self.trace_ids is not None:
            filters.append(_any_of("stringOptions", "traceId", [*self.trace_ids]))
        if filters:
            params["filter"] = orjson.dumps(filters).decode()
        return {key: value for key, value in params.items() if value is not None}

    def v1(self) -> dict[str, Any]:
        """Give the parameters of v1's observations; raises `LangfuseError` for filters that it does not have."""
        if self.filter:
            raise LangfuseError("filter= needs a server with v2 observations; this one has only v1. Leave it out.")
        return {"environment": [*self.environments]} if self.environments else {}

    def v1_traces(self) -> dict[str, Any]:
        """Give the parameters of v1's traces."""
        params = {"environment": [*self.environments] or None, "name": self.name, "userId": self.user_id,
                  "sessionId": self.session_id, "tags": [*self.tags] or None}  # fmt: skip
        return {key: value for key, value in params.items() if value is not None}

    @property
    def by_trace(self) -> bool:
        """Whether filters are of traces, so that in v1, which joins nothing, their observations are picked here."""
        return any(v is not None for v in (self.name, self.user_id, self.session_id)) or bool(self.tags)

    def in_chunks(self) -> Iterator[Query]:
        """Give queries with as many ids of traces as one request can name."""
        if self.trace_ids is None:
            yield self
            return
        ids = list(dict.fromkeys(self.trace_ids))
        for at in range(0, len(ids), _IDS_AT_ONCE):
            yield replace(self, trace_ids=tuple(ids[at : at + _IDS_AT_ONCE]))

    def named(self) -> dict[str, Any]:
        """Give what was asked for, to tell one cache from another."""
        return {
            "environment": list(self.environments), "name": self.name, "user_id": self.user_id,
            "session_id": self.session_id, "tags": list(self.tags), "filter": list(self.filter), "texts": self.texts,
        }  # fmt: skip


def _any_of(kind: str, column: str, values: list[str]) -> dict[str, Any]:
    return {"type": kind, "column": column, "operator": "any of", "value": values}
