"""The routes: which of them a version and a mode have, and what answers them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from . import legacy, observations, resources, scores, writing
from .errors import Refusal, bad_request, not_found
from .params import paged
from .state import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .params import Params
    from .state import State

_GONE = re.compile(
    r"/(traces|observations|sessions|scores|v2/scores|metrics|datasets/[^/]+/runs|dataset-run-items)(/.*)?"
)
_WITH_V4 = re.compile(r"/(v2/observations|v2/metrics|experiments|experiment-items)")
_WITH_V3_SCORES = (3, 179)
_WITH_V2_SCORES = (3, 53)


class Request(NamedTuple):
    """What a route is asked."""

    state: State
    params: Params
    body: Any
    ids: tuple[str, ...]

    @property
    def fields(self) -> dict[str, Any]:
        """The body as an object."""
        if not isinstance(self.body, dict):
            raise bad_request("Invalid input: expected object")
        return self.body


def answer(state: State, method: str, path: str, params: Params, body: Any) -> tuple[int, Any]:
    """Answer a request on a path below /api/public."""
    _refuse_what_is_not_there(state, method, path)
    methods = [(allowed, match, reply) for allowed, match, reply in _matches(path)]
    for allowed, match, reply in methods:
        if allowed == method:
            replied = reply(Request(state, params, body, match.groups()))
            return replied if isinstance(replied, tuple) else (200, replied)
    if methods:
        raise Refusal(405, "Method not allowed", error="MethodNotAllowedError")
    raise not_found(f"no route {path}")


def _matches(path: str) -> list[tuple[str, re.Match[str], Callable[[Request], Any]]]:
    found = []
    for route, reply in _ROUTES.items():
        method, pattern = route.split()
        if match := re.fullmatch(pattern.replace("*", "([^/]+)"), path):
            found.append((method, match, reply))
    return found


def _refuse_what_is_not_there(state: State, method: str, path: str) -> None:
    if state.mode == "events_only" and method == "GET" and _GONE.fullmatch(path):
        raise not_found(
            f"GET /api/public{path} is not available on deployments running in Langfuse v4 events_only mode. "
            "Please use the v2 observations and v3 scores endpoints instead."
        )
    if state.mode == "v3" and _WITH_V4.fullmatch(path):
        raise not_found(f"GET /api/public{path} is only available in a Langfuse v4 write mode.")
    if path == "/v3/scores" and state.number < _WITH_V3_SCORES:
        raise not_found(f"no route {path}")
    if path == "/v2/scores" and state.number < _WITH_V2_SCORES:
        raise not_found(f"no route {path}")


_ROUTES: dict[str, Callable[[Request], Any]] = {
    "GET /health": lambda r: {"status": "OK", "version": r.state.version},
    "GET /projects": lambda _: {"data": [PROJECT]},
    "GET /models": lambda r: paged(r.state.models, r.params),
    "GET /score-configs": lambda r: paged(r.state.configs, r.params),
    "POST /score-configs": lambda r: resources.new_config(r.state, r.fields),
    "GET /score-configs/*": lambda r: resources.find(r.state.configs, r.ids[0], "Score config"),
    "PATCH /score-configs/*": lambda r: resources.change_config(r.state, r.ids[0], r.fields),
    "GET /comments": lambda r: resources.comments(r.state, r.params),
    "POST /comments": lambda r: resources.new_comment(r.state, r.fields),
    "GET /comments/*": lambda r: resources.find(r.state.comments, r.ids[0], "Comment"),
    "GET /annotation-queues": lambda r: paged(r.state.queues, r.params),
    "POST /annotation-queues": lambda r: resources.new_queue(r.state, r.fields),
    "GET /annotation-queues/*": lambda r: resources.find(r.state.queues, r.ids[0], "Annotation queue"),
    "GET /annotation-queues/*/items": lambda r: resources.items(r.state, r.ids[0], r.params),
    "POST /annotation-queues/*/items": lambda r: resources.new_item(r.state, r.ids[0], r.fields),
    "GET /annotation-queues/*/items/*": lambda r: resources.item(r.state, *r.ids),
    "PATCH /annotation-queues/*/items/*": lambda r: resources.change_item(r.state, r.ids[0], r.ids[1], r.fields),
    "DELETE /annotation-queues/*/items/*": lambda r: resources.delete_item(r.state, *r.ids),
    "GET /v2/observations": lambda r: observations.cursor_page(r.state, r.params),
    "GET /observations": lambda r: legacy.observations(r.state, r.params),
    "GET /observations/*": lambda r: legacy.observation(r.state, r.ids[0]),
    "GET /traces": lambda r: legacy.traces(r.state, r.params),
    "GET /traces/*": lambda r: legacy.trace(r.state, r.ids[0]),
    "GET /sessions": lambda r: legacy.sessions(r.state, r.params),
    "GET /sessions/*": lambda r: legacy.session(r.state, r.ids[0]),
    "GET /v2/scores": lambda r: legacy.scores(r.state, r.params),
    "GET /v3/scores": lambda r: scores.cursor_page(r.state, r.params),
    "POST /scores": lambda r: writing.post(r.state, r.body),
    "DELETE /scores/*": lambda r: writing.delete(r.state, r.ids[0]),
    "POST /ingestion": lambda r: writing.ingest(r.state, r.body),
}
