"""Requests to an endpoint: what to try again, how long to wait, and what to say when it is no use."""

from __future__ import annotations

import random
import time
import weakref
from typing import Any

import httpx
import orjson

from llmlens.errors import EmbeddingError

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
#: Worth trying again: too slow, conflict, too early, too many, and what the server is to blame for.
_AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_MEANING = {
    401: "it does not know this key: give api_key=, or set OPENAI_API_KEY",
    403: "this key may not use the model",
    404: "there is no such model or address: is base_url right (it ends in /v1 on most servers)?",
    413: "the batch is too large: give a smaller at_once=",
}


class Requests:
    """Sends requests with a key, which nothing here ever shows."""

    def __init__(self, base_url: str, key: str | None, timeout: float, patience: float) -> None:
        """Prepare; nothing is sent yet."""
        self._base_url = base_url
        self._key = key
        self._timeout = timeout
        self._patience = patience
        self._client = httpx.Client()
        weakref.finalize(self, self._client.close)

    def post(self, path: str, body: bytes) -> Any:
        """Send a body of JSON and give the parsed answer; tries again until the patience is over.

        Waits are drawn between 0 and a bound that doubles (full jitter), or as long as the server asks for. Raises
        `EmbeddingError`, at once for what trying again would not change.
        """
        base, question, query = self._base_url.partition("?")
        url = f"{base}{path}{question}{query}"
        deadline = time.monotonic() + self._patience
        bound, tries = _FIRST_WAIT_S, 0
        while True:
            tries += 1
            answer, failure, asked = self._try(url, body, deadline)
            if not failure:
                return answer
            wait = asked or random.uniform(0, bound)  # noqa: S311  # nothing is secret about it
            if time.monotonic() + wait >= deadline:
                tried = f"{base}{path} was tried {tries} x in {self._patience:g} s"
                raise EmbeddingError(f"{tried}. The last time: {failure}.")
            time.sleep(wait)
            bound = min(bound * 2, _LONGEST_WAIT_S)

    def _try(self, url: str, body: bytes, deadline: float) -> tuple[Any, str, float]:
        """Send once: the answer, or what failed and how long the server asked to wait.

        Nothing of httpx's exceptions goes on: they hold the request, and with it the key.
        """
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._key}"} if self._key else {})
        timeout = min(self._timeout, max(deadline - time.monotonic(), 0.01))
        try:
            with self._client.stream("POST", url, content=body, headers=headers, timeout=timeout) as response:
                parts = []
                for part in response.iter_bytes():
                    parts.append(part)
                    if time.monotonic() > deadline:
                        return None, "its answer came too slowly", 0.0
        except httpx.TimeoutException:
            return None, f"it did not answer within {timeout:.3g} s", 0.0
        except httpx.ConnectError:
            return None, "it cannot be reached: is the address right, does the server run?", 0.0
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return None, f"the connection broke ({type(error).__name__})", 0.0
        return self._judge(url, response, b"".join(parts))

    def _judge(self, url: str, response: httpx.Response, content: bytes) -> tuple[Any, str, float]:
        from llmlens.read.langfuse.pause import seconds_of

        status, is_page = response.status_code, content.lstrip()[:1] == b"<"
        try:
            answer, is_json = orjson.loads(content), True
        except orjson.JSONDecodeError:
            answer, is_json = content[:300].decode(errors="replace"), False
        told = f"it answered {status}: {self._hidden(said(answer))}"
        if is_page:
            told = f"it sent a web page ({status}): is there a proxy or a sign-in page in front of it?"
        if status in _AGAIN:
            return None, told, seconds_of(response.headers.get("Retry-After"))
        if status >= 300 or is_page:
            told = "; ".join(filter(None, (_MEANING.get(status), told)))
            raise EmbeddingError(f"{url.partition('?')[0]}: {told}.")
        return (answer, "", 0.0) if is_json else (None, "its answer is not JSON, or was cut off", 0.0)

    def _hidden(self, text: str) -> str:
        """Take the key out of what a server said."""
        return text.replace(self._key, "(the key)") if self._key else text

    def __repr__(self) -> str:
        """Say where to."""
        return f"<Requests to {self._base_url.partition('?')[0]}>"


def said(answer: Any) -> str:
    """Take the sentence out of an answer that refuses."""
    if isinstance(answer, dict):
        for key in ("error", "message", "detail"):
            if answer.get(key):
                return said(answer[key])
        return f"keys {', '.join(map(str, list(answer)[:10]))}" if answer else "nothing"
    return str(answer)[:300] if answer else "nothing"
