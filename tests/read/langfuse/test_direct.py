"""Connections without a proxy: used again, given up when they no longer stand, and silent about what they send."""

from __future__ import annotations

import gzip
import http.client
import socket
import ssl
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from llmlens.read.langfuse.direct import Direct, direct_transport
from llmlens.read.langfuse.transport import Transport
from llmlens.read.load import without_gc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class Scripted:
    """A server on loopback that gives each request the next of its answers; after `closes` of them it hangs up."""

    def __init__(self, *answers: bytes | None, closes: int = 100) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.hung_up = threading.Event()
        self._answers, self._closes = list(answers), closes
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while self._answers:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                for _ in range(self._closes):
                    if not self._answers or not self._answered(client):
                        break
            self.hung_up.set()

    def _answered(self, client: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            more = client.recv(65536)
            if not more:
                return False
            request += more
        head, _, body = request.partition(b"\r\n\r\n")
        sent = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
        while sent and len(body) < int(sent[0]):
            body += client.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        answer = self._answers.pop(0)
        if answer is None:  # it says nothing, and waits for the client to go
            return bool(client.recv(1))
        client.sendall(answer)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.clear()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Give a client that connects directly."""
    with httpx.Client(transport=Direct(), auth=("pk-public", "sk-secret"), timeout=30) as made:
        yield made


def test_a_connection_is_used_again(client: httpx.Client) -> None:
    with Scripted(OK, OK, OK) as server:
        assert [client.get(f"{server.url}/a?x=1 2").text for _ in range(3)] == ["ok"] * 3
        assert server.connections == 1
        assert server.requests[0].startswith(b"GET /a?x=1%202 HTTP/1.1\r\nHost: 127.0.0.1:")
        client.close()


def test_a_body_is_sent_as_it_is(client: httpx.Client) -> None:
    with Scripted(OK) as server:
        assert client.post(server.url, json={"a": "é"}).status_code == 200
        assert server.requests[0].endswith(b'\r\n\r\n{"a":"\xc3\xa9"}')
        client.close()


def test_a_connection_that_the_server_has_closed_is_not_used_again(client: httpx.Client) -> None:
    with Scripted(OK, OK, closes=1) as server:
        assert client.get(server.url).text == "ok"
        assert server.hung_up.wait(30)
        assert client.get(server.url).text == "ok"
        assert server.connections == 2


def test_a_connection_that_the_server_says_it_closes_is_closed(client: httpx.Client) -> None:
    with Scripted(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), OK) as server:
        assert client.get(server.url).text == "ok"
        assert client.get(server.url).text == "ok"
        assert server.connections == 2
        client.close()


def test_a_body_in_chunks_comes_whole(client: httpx.Client) -> None:
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with Scripted(chunks, OK) as server:
        assert client.get(server.url).text == "abcde"
        assert client.get(server.url).text == "ok"
        assert server.connections == 1
        client.close()


def test_a_packed_body_is_unpacked(client: httpx.Client) -> None:
    body = gzip.compress(b"text" * 1000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with Scripted(head + body) as server:
        assert client.get(server.url).text == "text" * 1000
        assert b"gzip" in server.requests[0]
        client.close()


@pytest.mark.parametrize("packed", [False, True])
def test_no_answer_is_held_once_it_is_read(packed: bool) -> None:
    body = b'{"a": "' + b"text" * 1_000_000 + b'"}'
    sent, encoding = (gzip.compress(body), "gzip") if packed else (body, "identity")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(sent)}\r\n\r\n".encode()
    with Scripted(*[head + sent] * 5) as server, without_gc():
        transport = Transport(server.url, None, 30)
        tracemalloc.start()
        try:
            for _ in range(5):
                assert len(transport.get("/")["a"]) == 4_000_000
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            transport.close()
    assert held < len(body)


def test_a_redirect_is_not_followed(client: httpx.Client) -> None:
    with Scripted(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n") as server:
        assert client.get(server.url).status_code == 302
        client.close()


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", OK[:-1], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na"],
    ids=["none", "nonsense", "cut", "cut chunk"],
)
def test_an_answer_that_is_none_or_is_cut_is_an_error(answer: bytes, client: httpx.Client) -> None:
    with Scripted(answer, closes=1) as server, pytest.raises(httpx.RemoteProtocolError):
        client.get(server.url)


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_asked(client: httpx.Client) -> None:
    with Scripted(None) as server, pytest.raises(httpx.ReadTimeout):
        client.get(server.url, timeout=0.05)


def test_what_cannot_be_reached_is_said(client: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(httpx.ConnectError, match="refused"):
        client.get(f"http://127.0.0.1:{port}")
    with pytest.raises(httpx.ConnectError):
        client.get(f"http://{'a' * 70}.localhost")


def test_a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for(client: httpx.Client) -> None:
    with Scripted(OK) as server, pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
        client.get(server.url.replace("http:", "https:"), timeout=0.1)
    assert not server.requests


def test_certificates_are_verified() -> None:
    context = Direct()._tls
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_other_schemes_are_refused(client: httpx.Client) -> None:
    with pytest.raises(httpx.UnsupportedProtocol, match="ftp"):
        client.get("ftp://127.0.0.1/")


def test_a_header_that_cannot_be_sent_is_not_shown(client: httpx.Client) -> None:
    with Scripted(OK) as server, pytest.raises(httpx.LocalProtocolError) as raised:
        client.get(server.url, headers={"X-Key": "sk-secret\n"})
    assert "sk-secret" not in str(raised.value)


def test_nothing_is_printed_where_others_debug_http(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with Scripted(OK) as server:
        assert client.get(server.url).text == "ok"
        client.close()
    assert capsys.readouterr().out == ""


def test_what_is_in_use_while_all_is_closed_is_closed_after_it() -> None:
    transport = Direct()
    with Scripted(OK, OK) as server:
        transport.close()
        assert transport.handle_request(httpx.Request("GET", server.url)).read() == b"ok"
        assert transport.handle_request(httpx.Request("GET", server.url)).read() == b"ok"
        assert server.connections == 2


@pytest.mark.parametrize(
    ("name", "direct"), [("http_proxy", False), ("HTTPS_PROXY", False), ("ALL_PROXY", False), ("NO_PROXY", True)]
)
def test_a_proxy_is_left_to_httpx(name: str, direct: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in PROXIES:
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.upper(), raising=False)
    monkeypatch.setenv(name, "127.0.0.1")
    found: Any = direct_transport()
    assert isinstance(found, Direct) is direct
