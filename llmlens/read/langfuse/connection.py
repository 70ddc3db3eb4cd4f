"""`Connection`: one project of one Langfuse server; what it can do is found out when it is first needed."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import httpx

from llmlens.arguments import explains_arguments
from llmlens.errors import LangfuseError

from .transport import Transport, page_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from langfuse.api import LangfuseAPI

_CLOUD = "https://cloud.langfuse.com"
_PAGE = 100
_V3_SCORES = (3, 179)


@dataclass(frozen=True)
class Server:
    """What a server turned out to be."""

    version: str
    number: tuple[int, ...]
    project_id: str
    project_name: str
    has_v2_observations: bool

    @property
    def has_v3_scores(self) -> bool:
        """Whether scores are read by v3, which names what they are about, or by v2."""
        return self.number >= _V3_SCORES or not self.number

    def __str__(self) -> str:
        """Say it in words."""
        route = "v2/observations" if self.has_v2_observations else "v1's observations and traces"
        scores = "v3/scores" if self.has_v3_scores else "v2/scores"
        version = self.version or "of an unknown version"
        return f"Langfuse {version}, project {self.project_name!r}, read by {route} and {scores}"


class Connection:
    """A connection to a project; made by `llmlens.langfuse`. It never shows its keys, and cannot be pickled."""

    def __init__(self, base_url: str, public_key: str, secret_key: str, *, timeout: float = 60.0) -> None:
        """Prepare; nothing is sent before something is asked."""
        self.base_url = base_url.rstrip("/")
        self._keys = (public_key, secret_key)
        self._timeout = timeout
        self.transport = Transport(self.base_url, httpx.BasicAuth(public_key, secret_key), timeout)
        self._server: Server | None = None
        self._client: LangfuseAPI | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Say where to; the keys are not said."""
        project = f", project {self._server.project_name!r}" if self._server else ""
        return f"<Langfuse at {self.base_url}{project}>"

    def __reduce__(self) -> NoReturn:
        """Refuse to be written anywhere."""
        raise TypeError("A connection to Langfuse holds keys and cannot be pickled: make one where it is needed.")

    @property
    def server(self) -> Server:
        """What the server is; raises `LangfuseError` when it cannot be reached or does not know the keys."""
        with self._lock:
            if self._server is None:
                self._server = self._find_out()
            return self._server

    def _find_out(self) -> Server:
        version = str((self.get("/api/public/health") or {}).get("version") or "")
        projects = (self.get("/api/public/projects") or {}).get("data") or []
        if not projects:
            raise LangfuseError(f"{self.base_url}: these keys belong to no project.")
        params = {"limit": 1, "fields": "core"}
        v2, _ = self.transport.status("/api/public/v2/observations", params)
        project = projects[0]
        return Server(version, _number(version), str(project["id"]), str(project.get("name") or ""), v2 != 404)

    @property
    def client(self) -> LangfuseAPI:
        """Langfuse's own client of its API, without tracing, for what llmlens does not wrap."""
        if self._client is None:
            from langfuse.api import LangfuseAPI

            public, secret = self._keys
            self._client = LangfuseAPI(
                base_url=self.base_url, username=public, password=secret, timeout=self._timeout,
                httpx_client=self.transport.http,
            )  # fmt: skip
        return self._client

    def get(self, path: str, params: Mapping[str, Any] | None = None, *, deadline: float | None = None) -> Any:
        """Read a path of the API; see `Transport.get`."""
        return self.transport.get(path, params, deadline=deadline)

    def send(
        self, method: str, path: str, body: Any, *, deadline: float | None = None, once: bool = False
    ) -> tuple[int, Any]:
        """Write to a path of the API; see `Transport.send`."""
        return self.transport.send(method, path, body, deadline=deadline, once=once)

    def pages(
        self, path: str, params: Mapping[str, Any] | None = None, *, deadline: float | None = None
    ) -> Iterator[dict[str, Any]]:
        """Read all rows of a path that has numbered pages; `deadline` is of `time.monotonic()`."""
        page, last = 1, 1
        while page <= last:
            asked = {**(params or {}), "page": page, "limit": _PAGE}
            rows, meta = page_of(self.get(path, asked, deadline=deadline), path)
            yield from rows
            last = int(meta.get("totalPages") or 0)
            page += 1

    def close(self) -> None:
        """Close what is open."""
        self.transport.close()

    def score_configs(self) -> list[dict[str, Any]]:
        """Read the score configs of the project, archived ones too."""
        return list(self.pages("/api/public/score-configs"))

    def comments(self, object_type: str | None = None, object_id: str | None = None) -> list[dict[str, Any]]:
        """Read comments: all, or those on one TRACE, OBSERVATION, SESSION or PROMPT."""
        about = {"objectType": object_type and object_type.upper(), "objectId": object_id}
        return list(self.pages("/api/public/comments", {key: value for key, value in about.items() if value}))

    def models(self) -> list[dict[str, Any]]:
        """Read the models that the project knows the prices of, Langfuse's own and the project's."""
        return list(self.pages("/api/public/models"))

    def trace_url(self, trace_id: str, span_id: str | None = None) -> str:
        """Give the address of a trace in Langfuse's own pages."""
        url = f"{self.base_url}/project/{self.server.project_id}/traces/{trace_id}"
        return f"{url}?observation={span_id}" if span_id else url


@explains_arguments
def langfuse(
    *,
    base_url: str | None = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    timeout: float = 60.0,
) -> Connection:
    """Connect to a project of Langfuse; the keys are of one project.

    What is not given comes from LANGFUSE_BASE_URL (or LANGFUSE_HOST; else the European cloud), LANGFUSE_PUBLIC_KEY and
    LANGFUSE_SECRET_KEY. `timeout` is of one request, in seconds. Nothing is sent before it is used.

    Raises `LangfuseError` when a key is missing.
    """
    base = base_url or os.environ.get("LANGFUSE_BASE_URL") or os.environ.get("LANGFUSE_HOST") or _CLOUD
    public = public_key or os.environ.get("LANGFUSE_PUBLIC_KEY")
    secret = secret_key or os.environ.get("LANGFUSE_SECRET_KEY")
    if not public or not secret:
        lacking = " and ".join(
            name for name, key in (("LANGFUSE_PUBLIC_KEY", public), ("LANGFUSE_SECRET_KEY", secret)) if not key
        )
        how = f"set {lacking}, or give public_key= and secret_key="
        raise LangfuseError(f"Langfuse needs the keys of a project: {how}.")
    if "@" in base:  # and not shown: what is before it is a name and a password
        raise LangfuseError("The address of Langfuse holds an @: give the keys as public_key= and secret_key=.")
    if not base.startswith(("http://", "https://")):
        raise LangfuseError(f"The address of Langfuse begins with https:// or http://; got {base!r}.")
    return Connection(base, public, secret, timeout=timeout)


def _number(version: str) -> tuple[int, ...]:
    parts = version.lstrip("v").split("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())
