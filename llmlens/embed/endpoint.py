"""`EndpointEncoder`: any server with OpenAI's `/v1/embeddings`. The only encoder that talks to a network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import numpy as np
import orjson

from llmlens.arguments import explains_arguments
from llmlens.errors import EmbeddingError

from .estimate import Estimate, estimate
from .requests import Requests, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .encoder import Vectors

_OPENAI = "https://api.openai.com/v1"
_HERE = ("localhost", "127.0.0.1", "::1")


class EndpointEncoder:
    """Vectors of a model behind an OpenAI-compatible endpoint; never shows its key, and cannot be pickled.

    Texts are sent to that server. Each is cut after `longest` characters; the default fits a limit of 8,192 tokens in
    any language.
    """

    @explains_arguments
    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dimensions: int | None = None,
        longest: int = 8_000,
        at_once: int = 32,
        timeout: float = 60.0,
        patience: float = 300.0,
    ) -> None:
        """Name the model; nothing is sent yet.

        What is not given comes from OPENAI_BASE_URL (else OpenAI itself) and OPENAI_API_KEY; servers that need no key
        get none. `dimensions` asks for shorter vectors, of models that can. `timeout` is of one request, `patience` of
        one batch with all its tries, in seconds. Raises `EmbeddingError` for an address that is none.
        """
        base = (base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI).rstrip("/")
        if "@" in base:  # and not shown: what is before it is a name and a password
            raise EmbeddingError("The address of the endpoint holds an @: give the key as api_key=.")
        if not base.startswith(("http://", "https://")):
            raise EmbeddingError(f"The address of an endpoint begins with https:// or http://; got {base!r}.")
        self.model = model
        self.dimensions = dimensions
        self.longest = longest
        self.at_once = at_once
        self._host = urlsplit(base).hostname or ""
        self._address = base.partition("?")[0]
        self._requests = Requests(base, api_key or os.environ.get("OPENAI_API_KEY"), timeout, patience)

    @property
    def name(self) -> str:
        """The server, the model and what changes its vectors."""
        size = f" dimensions={self.dimensions}" if self.dimensions else ""
        return f"endpoint {self._address} {self.model}{size} longest={self.longest}"

    @property
    def is_local(self) -> bool:
        """Whether the server is this machine, and nobody is paid."""
        return self._host in _HERE

    def estimate(self, texts: Sequence[str]) -> Estimate:
        """Say what embedding these texts would take and cost; nothing is sent."""
        provider = next((known for known in ("openai", "azure", "mistral", "voyage") if known in self._host), None)
        return estimate(self.model, provider, [min(len(text), self.longest) for text in texts])

    def encode(self, texts: list[str], /) -> Vectors:
        """Send texts and give their vectors, (number of texts, dimensions); of each batch of `at_once` a request.

        Raises `EmbeddingError` when the server does not give them.
        """
        cut = [text[: self.longest] for text in texts]
        found = [self._ask(cut[first : first + self.at_once]) for first in range(0, len(cut), self.at_once)]
        if len(sizes := {part.shape[1] for part in found}) > 1:
            raise EmbeddingError(f"{self.name}: its dimension changed half-way: {sizes}.")
        return np.concatenate(found) if found else np.zeros((0, self.dimensions or 0), dtype=np.float32)

    def _ask(self, texts: list[str]) -> Vectors:
        body: dict[str, Any] = {"model": self.model, "input": texts, "encoding_format": "float"}
        if self.dimensions:
            body["dimensions"] = self.dimensions
        answer = self._requests.post("/embeddings", orjson.dumps(_whole(body)))
        rows = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise EmbeddingError(f"{self.name}: expected a list `data` of embeddings; it said: {said(answer)}")
        if len(rows) != len(texts):
            raise EmbeddingError(f"{self.name}: {len(texts)} texts were sent and {len(rows)} vectors came back.")
        by_place = {row.get("index", place): row.get("embedding") for place, row in enumerate(rows)}
        return self._matrix([by_place.get(place) for place in range(len(texts))])

    def _matrix(self, rows: list[Any]) -> Vectors:
        sizes = {len(row) if isinstance(row, list) else None for row in rows}
        if len(sizes) > 1 or None in sizes or 0 in sizes:
            what = sorted("none" if size is None else str(size) for size in sizes)
            raise EmbeddingError(f"{self.name}: expected vectors of one size; got {', '.join(what)}.")
        try:
            vectors = np.array(rows, dtype=np.float32)  # null is NaN
        except (ValueError, TypeError):
            raise EmbeddingError(f"{self.name}: a vector holds something that is no number.") from None
        if not np.isfinite(vectors).all():
            broken = int((~np.isfinite(vectors)).any(axis=1).sum())
            raise EmbeddingError(f"{self.name}: {broken} of {len(vectors)} vectors hold NaN or infinity.")
        return vectors

    def __reduce__(self) -> NoReturn:
        """Refuse to be written anywhere."""
        raise TypeError("An EndpointEncoder holds a key and cannot be pickled: make one where it is needed.")

    def __repr__(self) -> str:
        """Say which model where; the key is not said."""
        return f"<EndpointEncoder, {self.model} at {self._address}>"


def _whole(body: dict[str, Any]) -> dict[str, Any]:
    """Replace halves of surrogate pairs, which no JSON can hold."""
    return {**body, "input": [text.encode(errors="replace").decode() for text in body["input"]]}
