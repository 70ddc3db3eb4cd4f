"""Texts through an encoder: each different one once, what is known from the cache, the rest in batches that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llmlens.errors import EmbeddingError
from llmlens.progress_line import ProgressLine

from .cache import Cache, text_key
from .encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .encoder import Vectors

#: Texts a batch, where the encoder has no `at_once` of its own.
_AT_ONCE = 256


def embed_texts(
    texts: Sequence[str | None],
    encoder: Encoder,
    *,
    cache: bool | Cache = True,
    progress: bool = True,
    allow: Callable[[list[str]], object] | None = None,
) -> Vectors:
    """Give a vector a text, (number of texts, dimensions); NaN where there is no text.

    A text that is None or blank is none; an encoder may also give NaN for a text that it has no vector for.

    Each batch is in the cache before the next one begins, so that whatever ends this (an interrupt, an error), the same
    call goes on where it ended. `allow` is told the texts that are not known, before any of them is encoded; it raises
    to refuse. With `cache=False` nothing is read or kept.

    Raises `EmbeddingError` for what is no text, for an encoder that fails, and for one that gives something else than
    it should.
    """
    if not isinstance(encoder, Encoder):
        raise EmbeddingError(f"An encoder has a name and encode(texts); got {encoder!r}.")
    keys = [_key(text, place) for place, text in enumerate(texts)]
    different = {key: text for key, text in zip(keys, texts, strict=True) if key is not None and text is not None}
    store = Cache() if cache is True else cache or None
    found: dict[bytes, Any] = store.get(encoder.name, list(different)) if store else {}
    unknown = [key for key in different if key not in found]
    if unknown and allow is not None:
        allow([different[key] for key in unknown])
    size = int(getattr(encoder, "at_once", _AT_ONCE))
    # A model pads every text of a batch to the longest. The longest come first: what will not fit is known at once.
    unknown.sort(key=lambda key: len(different[key]), reverse=True)
    line = ProgressLine(f"{len(unknown):,} texts to embed", shown=progress and len(unknown) > size)
    for first in range(0, len(unknown), size):
        batch = unknown[first : first + size]
        try:
            vectors = _encode(encoder, [different[key] for key in batch])
            _check_size(encoder.name, [*found.values()][:1], vectors)
        except EmbeddingError as error:
            kept = "are in the cache: the same call goes on there" if store else "are lost: there is no cache"
            raise EmbeddingError(f"{error} {len(found):,} of {len(different):,} texts {kept}.") from error.__cause__
        if store:
            whole = np.flatnonzero(np.isfinite(vectors).all(axis=1))
            store.put(encoder.name, [batch[place] for place in whole], vectors[whole])
        found.update(zip(batch, vectors, strict=True))
        line.show(lambda: f"{len(found):,} of {len(different):,} texts embedded")
    line.end(f"{len(different):,} texts embedded")
    return _rows(encoder.name, keys, found)


def _key(text: object, place: int) -> bytes | None:
    if text is not None and not isinstance(text, str):
        raise EmbeddingError(f"Expected texts, or None for none; got {text!r} in place {place}.")
    return text_key(text) if text and not text.isspace() else None


def _encode(encoder: Encoder, texts: list[str]) -> Vectors:
    vectors = np.asarray(encoder.encode(texts), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts):
        raise EmbeddingError(
            f"{encoder.name}: expected an array of ({len(texts)}, dimensions) for {len(texts)} texts; "
            f"got one of {vectors.shape}."
        )
    return vectors


def _check_size(name: str, *parts: Iterable[Vectors]) -> None:
    sizes = list(dict.fromkeys(len(vector) for part in parts for vector in part))
    if len(sizes) > 1:
        raise EmbeddingError(
            f"{name}: its vectors had {sizes[0]} dimensions and now have {sizes[1]}: the model behind this name was "
            "changed, and the two cannot be compared. Forget the old ones, and embed all again: "
            f"llmlens.embed.Cache().clear({name!r})."
        )


def _rows(name: str, keys: list[bytes | None], found: dict[bytes, Any]) -> Vectors:
    _check_size(name, found.values())
    dimensions = len(next(iter(found.values()))) if found else 0
    vectors = np.full((len(keys), dimensions), np.nan, dtype=np.float32)
    for place, key in enumerate(keys):
        if key is not None:
            vectors[place] = found[key]
    return vectors
