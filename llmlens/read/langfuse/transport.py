"""HTTP to a Langfuse server: what to try again, how long to wait, and what to say when it is no use.

httpx, whose proxies and certificates are those that people have set up, over connections that cost less; see direct.py.
orjson parses the bodies.
"""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import orjson

from llmlens.errors import LangfuseError, ServerError

from .direct import direct_transport
from .pause import Pause, bucket_of, seconds_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_TRIES = 6
_TRIES_OF_A_SIZE = 2  # then less is asked for, where that is possible
_PATIENCE_S = 600.0  # for a request that has no deadline of its own
_CONNECT_S = 10.0  # a server that is there takes a connection at once
_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 20.0
_REFUSED = 400
_UNAUTHORIZED = 401
_TOO_MANY = 429
#: The answer would be too large, or took too long: ask for less.
_TOO_MUCH = (413, 422, 504, 524)
_SERVER = 500
_KEYS = (
    "Are they of this server and region (base_url, LANGFUSE_BASE_URL), and of one project, a public (pk-lf-…) and a "
    "secret one (sk-lf-…)?"
)


class TooMuchError(LangfuseError):
    """The server could not give so much at once."""


class BusyError(TooMuchError):
    """The server failed again: less may help, but it may be down as well."""


class _Reply(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


class _Http(httpx.Client):
    """Closes its sockets when nobody uses it any more; Langfuse's own client may do so longer than a `Transport`."""

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):  # it was never made
            self.close()


class _Sizes(threading.local):
    """The bytes of the last answer, for each thread."""

    last = 0


class Transport:
    """Sends requests with the keys of a project, which nothing here ever shows; safe on any thread."""

    def __init__(
        self,
        base_url: str,
        auth: httpx.Auth | None,
        timeout: float,
        *,
        error: type[ServerError] = LangfuseError,
        keys: str = _KEYS,
    ) -> None:
        """Prepare; nothing is sent yet. What goes wrong is raised as an `error`; `keys` says which keys are needed."""
        self.base_url = base_url
        self._error = error
        self._keys = keys
        self.pause = Pause()
        self._sizes = _Sizes()
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=16)
        try:
            patience = httpx.Timeout(timeout, connect=min(timeout, _CONNECT_S))
            self.http = _Http(
                base_url=base_url, auth=auth, timeout=patience, limits=limits, transport=direct_transport()
            )
        except httpx.InvalidURL as problem:
            raise error(f"{base_url!r} is not an address: {problem}.") from None

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        deadline: float | None = None,
        smaller: bool = False,
    ) -> Any:
        """Read; gives the parsed JSON. `deadline` is of `time.monotonic()`.

        With `smaller`, what is too large or too slow raises `TooMuchError` at once, so that less can be asked for.
        Raises `LangfuseError` for every other answer than 200, at last.
        """
        status, answer = self._request("GET", path, params, None, deadline, smaller=smaller)
        if status >= 300:
            raise self._error(f"{self._where(path)} answered {status}: {said(answer)}")
        return answer

    def get_sized(self, path: str, params: Mapping[str, Any], *, deadline: float, smaller: bool) -> tuple[Any, int]:
        """Read as `get` does, and give the bytes that the answer had."""
        return self.get(path, params, deadline=deadline, smaller=smaller), self._sizes.last

    def status(
        self, path: str, params: Mapping[str, Any] | None = None, *, deadline: float | None = None
    ) -> tuple[int, Any]:
        """Read, whatever the status is."""
        return self._request("GET", path, params, None, deadline, smaller=False)

    def send(
        self, method: str, path: str, body: Any, *, deadline: float | None = None, once: bool = False
    ) -> tuple[int, Any]:
        """Write; gives the status and the parsed JSON, whatever they are, when trying again would not change them.

        A request may arrive twice: send with `once` what is not the same when it does, and look whether it is there
        before it is sent again. Raises `LangfuseError` when no answer came.
        """
        return self._request(method, path, None, body, deadline, smaller=False, tries=1 if once else _TRIES)

    def _request(
        self,
        method: str,
        path: str,
        params: Any,
        body: Any,
        deadline: float | None,
        *,
        smaller: bool,
        tries: int = _TRIES,
    ) -> tuple[int, Any]:
        deadline = time.monotonic() + _PATIENCE_S if deadline is None else deadline
        content = None if body is None else orjson.dumps(body)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        bucket = bucket_of(method, path)
        failure, wait = "", _FIRST_WAIT_S
        tried = 0
        while tried < tries:
            if not self.pause.keep(bucket, deadline):
                failure = f"it allows no more requests of this kind for {_duration(self.pause.left(bucket))} (429)"
                raise self._error(f"{self._where(path)}: the time for it was over: {failure}.")
            if time.monotonic() > deadline:
                raise self._error(f"{self._where(path)}: the time for it was over: {failure or 'it was too short'}.")
            reply, failure, slow = self._try(method, path, params, content, headers)
            if reply is not None and reply.status == _TOO_MANY:
                failure = "it allows no more requests for now (429)"
                self.pause.ask(bucket, seconds_of(reply.retry_after) or wait)
                continue  # waiting as it asked is not a failed try; the deadline ends it
            if smaller and reply is not None and reply.status in _TOO_MUCH:
                raise TooMuchError(f"{self._where(path)}: status {reply.status}")
            if smaller and slow:
                raise TooMuchError(f"{self._where(path)}: {failure}")
            busy = reply is not None and method == "GET" and reply.status in _TOO_MUCH
            if reply is not None and reply.status < _SERVER and not busy:
                answer, failure = _parsed(reply.body, refusal=reply.status >= _REFUSED)
                self._sizes.last = len(reply.body)
                if not failure:
                    self._check_keys(reply.status, answer)
                    return reply.status, answer
            elif reply is not None:
                failure = f"it answered {reply.status}: {said(_parsed(reply.body)[0])}"
            tried += 1
            if smaller and tried >= _TRIES_OF_A_SIZE and reply is not None and reply.status >= _SERVER:
                raise BusyError(f"{self._where(path)}: {failure}")
            if tried < tries:
                time.sleep(max(0.0, min(wait, deadline - time.monotonic())))
                wait = min(wait * 2, _LONGEST_WAIT_S)
        raise self._error(f"{self._where(path)} failed {tries} times. The last time: {failure}")

    def _try(
        self, method: str, path: str, params: Any, content: bytes | None, headers: dict[str, str]
    ) -> tuple[_Reply | None, str, bool]:
        """Send once: the response, or what failed and whether it took too long.

        Nothing of httpx's exceptions goes on: they hold the request, and with it the keys.
        """
        try:
            with self.http.stream(method, path, params=params, content=content, headers=headers) as response:
                body = b"".join(response.iter_bytes())  # `read` would keep it in the response; see direct.py
            return _Reply(response.status_code, response.headers.get("Retry-After"), body), "", False
        except httpx.ConnectTimeout:
            return None, "it cannot be reached (no answer): is the address right, is the network up?", False
        except httpx.TimeoutException:
            return None, "it did not answer in time", True
        except httpx.ConnectError as error:
            return None, f"it cannot be reached ({error}): is the address right, is the network up?", False
        except httpx.HTTPError as error:
            return None, f"the connection broke ({type(error).__name__})", False
        except httpx.InvalidURL as error:
            return None, f"the address is not one ({error})", False

    def _check_keys(self, status: int, answer: Any) -> None:
        if status == _UNAUTHORIZED:
            raise self._error(f"{self.base_url} does not know these keys. {self._keys} It said: {said(answer)}")

    def _where(self, path: str) -> str:
        return f"{self.base_url}{path}"

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    def __repr__(self) -> str:
        """Say where to."""
        return f"<Transport to {self.base_url}>"


def _parsed(content: bytes, *, refusal: bool = False) -> tuple[Any, str]:
    """Give the JSON, or what is wrong; a server that refuses may do so in plain words."""
    if not content.strip():
        return None, ""
    try:
        return orjson.loads(content), ""
    except orjson.JSONDecodeError:
        if content.lstrip()[:1] == b"<":
            return None, (
                "it sent a web page instead of JSON: is this the address of the server itself, or is there a proxy or "
                "a sign-in page in front of it?"
            )
        if refusal:
            return content.decode("utf-8", "replace"), ""
        return None, "its answer is not JSON, or was cut off"


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def page_of(answer: Any, path: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Give the rows of a page and what the server says of it; raises `LangfuseError` when it is no page."""
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise LangfuseError(f"{path}: expected a page of rows, with a list `data`; got {str(answer)[:100]!r}.")
    return rows, answer.get("meta") or {}


def said(answer: Any) -> str:
    """Take the sentence out of an answer that refuses; it may be nested, and a list."""
    if isinstance(answer, dict):
        parts = [said(answer[key]) for key in ("message", "error") if answer.get(key)]
        return ": ".join(dict.fromkeys(parts))[:500] or "nothing"
    if isinstance(answer, list) and answer:
        return said(answer[0])
    return str(answer)[:300] if answer else "nothing"
