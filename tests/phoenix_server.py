"""A stand-in for Arize Phoenix, on loopback: its annotations, as they were observed on version 20.26.1 (SQLite)."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

_NOUNS = ("span", "trace", "session")
_RESERVED = "The name 'note' is reserved for trace and span notes. Use POST /v1/trace_notes instead."
_UNBOUNDED = "Delete is unbounded. Set delete_all=true to acknowledge, or supply both start_time and end_time."


class PhoenixServer:
    """Phoenix with one project, "default", and what is `known` in it; refusals are in plain words, as there."""

    api_key = "phoenix-key"

    def __init__(self, *, deletes_by_identifier: bool = True) -> None:
        self.known = {"span": {"s1", "s2"}, "trace": {"t1", "t2"}, "session": {"c1"}}
        self.rows: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self.down = False
        self.page = 10_000
        self._lock = threading.Lock()
        parameters = ["name", "start_time", "end_time", *(["identifier"] if deletes_by_identifier else [])]
        route = {"delete": {"parameters": [{"name": name} for name in parameters]}}
        self.openapi = {"paths": {"/v1/projects/{project_identifier}/span_annotations": route}}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, params: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Answer a request."""
        if self.down:
            return 503, "down"
        if path == "/openapi.json":
            return 200, self.openapi
        noun = next((noun for noun in _NOUNS if path.endswith(f"{noun}_annotations")), None)
        if noun is None:
            return 404, "Not Found"
        with self._lock:
            if method == "POST":
                return self._write(noun, body["data"])
            if "/projects/default/" not in path:
                return 404, "Project with name nope not found"
            return self._read(noun, params) if method == "GET" else self._delete(noun, params)

    def _write(self, noun: str, rows: list[dict[str, Any]]) -> tuple[int, Any]:
        if any(row["name"] == "note" for row in rows):
            return 400, _RESERVED
        missing = [row[f"{noun}_id"] for row in rows if row[f"{noun}_id"] not in self.known[noun]]
        if missing:
            return 404, f"{noun.title()}s with IDs {', '.join(missing)} do not exist."
        now = datetime.now(UTC).replace(microsecond=0).isoformat()
        for row in rows:
            key = (noun, row[f"{noun}_id"], row["name"], row["identifier"])
            blank = dict.fromkeys(("label", "score", "explanation"))
            created = self.rows.get(key, {}).get("created_at", now)
            self.rows[key] = {**row, "result": {**blank, **row["result"]}, "created_at": created, "updated_at": now}
        return 200, {"data": [{"id": "U3BhbkFubm90YXRpb246MQ=="} for _ in rows]}

    def _read(self, noun: str, params: dict[str, list[str]]) -> tuple[int, Any]:
        ids = params.get(f"{noun}_ids")
        if ids is not None and not set(ids) & self.known[noun]:
            return 404, f"None of the supplied {noun}_ids exist in this project"
        found = [
            row
            for (kind, subject, _, identifier), row in self.rows.items()
            if kind == noun
            and (ids is None or subject in ids)
            and ("identifier" not in params or identifier in params["identifier"])
        ]
        at = int(params.get("cursor", ["0"])[0])
        most = min(int(params["limit"][0]), self.page)
        after = str(at + most) if len(found) > at + most else None
        return 200, {"data": found[at : at + most], "next_cursor": after}

    def _delete(self, noun: str, params: dict[str, list[str]]) -> tuple[int, Any]:
        if "start_time" not in params or "end_time" not in params:
            return 422, _UNBOUNDED
        since, until = (datetime.fromisoformat(params[name][0]) for name in ("start_time", "end_time"))
        tick = timedelta(microseconds=1)  # a time without parts of a second sorts before the same with ".000000"
        for key, row in list(self.rows.items()):
            fits = key[0] == noun and key[2] in params.get("name", [key[2]])
            fits = fits and key[3] in params.get("identifier", [key[3]])
            if fits and since <= datetime.fromisoformat(row["created_at"]) - tick < until:
                del self.rows[key]
        return 204, None


def _handler(server: PhoenixServer) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            """Be quiet."""

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            server.requests.append((self.command, self.path))
            if self.headers.get("Authorization") != f"Bearer {server.api_key}":
                status, answer = 401, "Invalid token"
            else:
                status, answer = server.answer(self.command, parts.path, parse_qs(parts.query), body)
            text = answer if isinstance(answer, str) else "" if answer is None else json.dumps(answer)
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815  # the names that http.server calls

    return Handler
