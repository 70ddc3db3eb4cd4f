"""HTTP: authentication, rate limits, faults, and JSON."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import orjson

from .errors import Refusal
from .faults import Fault, Faults
from .limits import Limits
from .routes import route
from .state import State

if TYPE_CHECKING:
    from types import TracebackType

_HTML = b"<!doctype html><title>Sign in</title><p>Please sign in to the company network."


class LangfuseServer:
    """A server on 127.0.0.1 in threads of this process; `state` is what it holds, `faults` what goes wrong."""

    public_key = "pk-lf-test"
    secret_key = "sk-lf-test-0123456789"  # noqa: S105  # of nothing

    def __init__(
        self,
        version: str = "4.16.0",
        mode: str = "events_only",
        *,
        rate_limits: dict[str, int] | None = None,
        window_s: float = 60.0,
        seed: int = 0,
        eventual_s: float = 0.0,
    ) -> None:
        """Prepare a server; `mode` is events_only, dual or v3."""
        self.state = State(version, mode, eventual_s=eventual_s)
        self.limits = Limits(rate_limits or {}, window_s)
        self.faults = Faults(seed)
        self.requests: list[str] = []
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.stand_in = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> LangfuseServer:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    stand_in: LangfuseServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Be silent."""

    def _handle(self) -> None:
        stand_in = self.server.stand_in
        parts = urlsplit(self.path)
        request = f"{self.command} {parts.path}"
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length) if length else b""
        stand_in.requests.append(f"{self.command} {self.path}")
        fault = stand_in.faults.choose(request)
        if fault is not None and not self._before(fault):
            return
        try:
            status, body, headers = self._answer(stand_in, parts.path, parts.query, content)
        except Refusal as refusal:
            status, body, headers = refusal.status, orjson.dumps(refusal.body), refusal.headers
        if fault is not None and fault.kind == "after":
            self._cut()
            return
        self._send(status, body, headers, cut=fault is not None and fault.kind == "truncated")

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle  # noqa: N815

    def _answer(self, stand_in: LangfuseServer, path: str, query: str, content: bytes) -> tuple[int, bytes, dict[str, str]]:
        if path != "/api/public/health":
            self._authenticate(stand_in)
        stand_in.limits.take(self.command, path)
        params = {key: values for key, values in parse_qs(query, keep_blank_values=True).items()}
        try:
            body = orjson.loads(content) if content else None
        except orjson.JSONDecodeError:
            raise Refusal(400, {"message": "Invalid JSON"}) from None
        status, answer = route(stand_in.state, self.command, path, params, body)
        return status, answer if isinstance(answer, bytes) else orjson.dumps(answer), {}

    def _authenticate(self, stand_in: LangfuseServer) -> None:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        expected = f"{stand_in.public_key}:{stand_in.secret_key}".encode()
        with contextlib.suppress(ValueError):
            if scheme == "Basic" and base64.b64decode(given) == expected:
                return
        message = "Invalid credentials. Confirm that you've configured the correct host."
        raise Refusal(401, {"error": "UnauthorizedError", "message": message})

    def _before(self, fault: Fault) -> bool:
        """Let a fault happen; False when the request is over with it."""
        if fault.kind == "before":
            self._cut()
        elif fault.kind == "html":
            self._send(200, _HTML, {"Content-Type": "text/html"})
        elif fault.kind.isdigit():
            said = {"message": "Request timed out", "error": "Request timed out"} if fault.kind == "422" else {}
            wait = {"Retry-After": f"{fault.seconds:g}"} if fault.kind == "429" else {}
            self._send(int(fault.kind), orjson.dumps(said or {"message": f"fault {fault.kind}"}), wait)
        else:
            if fault.kind == "slow":
                time.sleep(fault.seconds)
            return True
        return False

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._cut()
