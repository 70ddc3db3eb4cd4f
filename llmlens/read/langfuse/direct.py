"""httpx's requests over `http.client`, which reads a body in one piece: a third of the CPU of httpx's own connections.

It knows no proxies; where there are some, httpx's own connections are used.
"""

from __future__ import annotations

import http.client
import selectors
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias
from urllib.request import getproxies

import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

_KEPT = 16  # connections, for the next requests
_KEPT_S = 5.0  # servers close theirs after a while; httpx's own are kept so long, too

#: Scheme, host and port.
_Origin: TypeAlias = tuple[str, str, int | None]


def direct_transport() -> Direct | None:
    """Give the connections for a client; None, which stands for httpx's own, where a proxy is set up for any of them.

    Whether there is one is found out as httpx does it.
    """
    return None if {"http", "https", "all"} & getproxies().keys() else Direct()


class Direct(httpx.BaseTransport):
    """Sends requests, and gives responses when they are there as a whole; safe on any thread.

    Certificates are verified as by httpx's own connections.
    """

    def __init__(self) -> None:
        """Prepare; nothing is connected yet."""
        self._lock = threading.Lock()
        self._idle: dict[_Origin, list[tuple[http.client.HTTPConnection, float]]] = {}
        self._closed = False

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises httpx's own exceptions."""
        origin = (request.url.scheme, request.url.raw_host.decode("ascii"), request.url.port)
        timeouts = request.extensions.get("timeout", {})
        connection = self._kept(origin) or self._connected(origin, timeouts.get("connect"))
        try:
            connection.sock.settimeout(timeouts.get("read"))
            response = _answer(connection, request)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise httpx.ReadTimeout("no answer in time") from None
            if isinstance(error, http.client.HTTPException):
                raise httpx.RemoteProtocolError(type(error).__name__) from None
            if isinstance(error, OSError):
                raise httpx.ReadError(type(error).__name__) from None
            if isinstance(error, ValueError):  # whose text may show a header, and a key with it
                raise httpx.LocalProtocolError("the request cannot be sent") from None
            raise
        self._keep(origin, connection)
        return response

    def _connected(self, origin: _Origin, timeout: float | None) -> http.client.HTTPConnection:
        scheme, host, port = origin
        if scheme == "https":
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port or http.client.HTTPS_PORT, timeout=timeout, context=self._tls
            )
        elif scheme == "http":
            made = http.client.HTTPConnection(host, port or http.client.HTTP_PORT, timeout=timeout)
        else:
            raise httpx.UnsupportedProtocol(f"it begins with {scheme!r}, not with http:// or https://")
        made.set_debuglevel(0)  # whatever is set for all: it would print the keys
        try:
            made.connect()
        except TimeoutError:
            made.close()
            raise httpx.ConnectTimeout("no answer") from None
        except (OSError, UnicodeError) as error:
            made.close()
            raise httpx.ConnectError(str(error)) from None
        return made

    def _kept(self, origin: _Origin) -> http.client.HTTPConnection | None:
        """Give a connection that still stands; those that do not are closed."""
        while True:
            with self._lock:
                idle = self._idle.get(origin)
                if not idle:
                    return None
                connection, since = idle.pop()
            if time.monotonic() - since < _KEPT_S and not _is_readable(connection):
                return connection
            connection.close()

    def _keep(self, origin: _Origin, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            idle = self._idle.setdefault(origin, [])
            if connection.sock is not None and not self._closed and len(idle) < _KEPT:
                idle.append((connection, time.monotonic()))
                return
        connection.close()

    def close(self) -> None:
        """Close what is kept; connections that are in use are closed after their request."""
        with self._lock:
            self._closed = True
            kept, self._idle = self._idle, {}
        for idle in kept.values():
            for connection, _ in idle:
                connection.close()


def _answer(connection: http.client.HTTPConnection, request: httpx.Request) -> httpx.Response:
    target = request.url.raw_path.decode("ascii")
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers.raw:
        connection.putheader(name, value)
    connection.endheaders(request.read() or None, encode_chunked="Transfer-Encoding" in request.headers)
    with connection.getresponse() as got:
        body = got.read()
        return httpx.Response(got.status, headers=got.getheaders(), stream=_Once(body), request=request)


class _Once(httpx.SyncByteStream):
    """A body that is given away: its response refers to itself, and would hold it until such cycles are collected."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        body, self._body = self._body, b""
        yield body


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    """Say whether something waits where no answer is due: a server has closed the connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))
