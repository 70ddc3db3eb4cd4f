"""A server with OpenAI's /v1/embeddings, on this machine."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Status, body (JSON unless it is bytes), headers
Reply = tuple[int, Any, dict[str, str]]


class Endpoint:
    """A server with OpenAI's /v1/embeddings: a vector is (length of the text, number of its vowels, 1)."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        #: What to say instead, for the next requests; None for what is right.
        self.replies: list[Callable[[dict[str, Any]], Reply] | None] = []
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # its name there
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                endpoint.bodies.append(body)
                endpoint.headers.append(dict(self.headers))
                reply = endpoint.replies.pop(0) if endpoint.replies else None
                status, answer, headers = (reply or right)(body)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(BrokenPipeError, ConnectionResetError):  # who asked went away
                    self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def right(body: dict[str, Any]) -> Reply:
    rows = [
        {"index": place, "embedding": [len(text), sum(letter in "aeiou" for letter in text), 1]}
        for place, text in enumerate(body["input"])
    ]
    return 200, {"data": rows[::-1]}, {}  # the order is not promised
