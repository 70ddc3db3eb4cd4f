"""HTTP: authentication, limits, faults, and JSON in and out."""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from .errors import Refusal
from .params import Params
from .routes import answer

if TYPE_CHECKING:
    from .faults import Fault
    from .server import LangfuseServer

    Answer = tuple[int, bytes, dict[str, str]]

_ROOT = "/api/public"
_PROXY_PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in to the company network."
_LARGEST = {"/ingestion": 4_500_000}
_LARGEST_ELSEWHERE = 1_048_576


class HttpServer(ThreadingHTTPServer):
    """A thread for each connection, on loopback."""

    daemon_threads = True
    block_on_close = False  # a client may keep its connections
    request_queue_size = 128

    def __init__(self, port: int, langfuse: LangfuseServer) -> None:
        self.langfuse = langfuse
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; every other error was answered."""


class Handler(BaseHTTPRequestHandler):
    """A connection."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together

    def log_message(self, format: str, *args: Any) -> None:
        """Be silent."""

    def _handle(self) -> None:
        langfuse = self.server.langfuse
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        with langfuse.at_work():
            fault = langfuse.faults.choose(f"{self.command} {path}")
            if fault is not None and fault.kind == "slow":
                langfuse.closing.wait(fault.seconds)
            instead = None if fault is None else _instead(fault)
            status, body, headers = instead or self._answered(path, content)
        kind = None if fault is None else fault.kind
        cut = kind in ("before", "after")
        # Noted before it is sent, so that who has the answer finds it noted.
        langfuse.log(self.command, self.path, content, 0 if cut else status, kind)
        if cut:
            self._cut()
        else:
            self._send(status, body, headers, whole=kind != "truncated")

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _handle  # noqa: N815  # their names there

    def _answered(self, path: str, content: bytes) -> Answer:
        try:
            status, said = self._answer(path, content)
            body = said if isinstance(said, bytes) else orjson.dumps(said)
        except Refusal as refusal:
            return refusal.status, orjson.dumps(refusal.body), refusal.headers
        except Exception as error:  # noqa: BLE001  # the stand-in itself is wrong: its owner raises it at the end
            self.server.langfuse.errors.append(error)
            return 500, orjson.dumps({"message": f"the stand-in failed: {error!r}"}), {}
        return status, body, {}

    def _answer(self, path: str, content: bytes) -> tuple[int, Any]:
        langfuse = self.server.langfuse
        if path != f"{_ROOT}/health":
            self._authenticate(langfuse)
        langfuse.limits.take(f"{self.command} {path}")
        if not path.startswith(_ROOT):
            raise Refusal(404, "Not Found")
        path = path.removeprefix(_ROOT)
        if len(content) > _LARGEST.get(path, _LARGEST_ELSEWHERE):
            raise Refusal(413, "Body exceeded 1mb limit" if path not in _LARGEST else "Body exceeded 4.5mb limit")
        try:
            body = orjson.loads(content) if content else None
        except orjson.JSONDecodeError:
            raise Refusal(400, "Invalid JSON") from None
        params = Params(parse_qs(urlsplit(self.path).query, keep_blank_values=True))
        return answer(langfuse.state, self.command, path, params, body)

    def _authenticate(self, langfuse: LangfuseServer) -> None:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        with contextlib.suppress(binascii.Error):
            if scheme == "Basic" and base64.b64decode(given) == f"{langfuse.public_key}:{langfuse.secret_key}".encode():
                return
        raise Refusal(401, "Invalid credentials. Confirm that you've configured the correct host.")

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, whole: bool = True) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if whole else body[: len(body) // 2])
        if not whole:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)


def _instead(fault: Fault) -> Answer | None:
    """Give what a fault answers in the place of the server; None when the server is asked."""
    if fault.kind == "before":
        return 0, b"", {}
    if fault.kind == "html":
        return 200, _PROXY_PAGE, {"Content-Type": "text/html"}
    if not fault.kind.isdigit():
        return None
    timed_out = {"message": "Request timed out", "error": "Request timed out"}
    said = timed_out if fault.kind == "422" else {"message": f"a fault: {fault.kind}"}
    wait = {"Retry-After": f"{fault.seconds:g}"} if fault.kind == "429" else {}
    return int(fault.kind), orjson.dumps(said), wait
