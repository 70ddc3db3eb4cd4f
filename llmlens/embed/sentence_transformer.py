"""`SentenceTransformerEncoder`: the models of sentence-transformers, on this machine; the extra `embeddings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .local_model import extra, identity, model_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .encoder import Vectors


class SentenceTransformerEncoder:
    """Vectors of length 1 of a sentence-transformers model: a folder, or the name of one that was downloaded before.

    Most models look at the first 256 or 512 tokens of a text only.
    """

    def __init__(self, model: str, *, device: str | None = None, at_once: int = 64, download: bool = False) -> None:
        """Name the model; it is loaded at the first use. Nothing is fetched from a network without `download=True`.

        `device` is one of torch's ("cpu", "cuda", "mps"), by default a GPU where there is one. `at_once` texts are one
        batch: more of them are faster on a GPU, as far as its memory goes.
        """
        self.model = model
        self.at_once = at_once
        self._device = device
        self._download = download
        self._loaded: Any = None

    @property
    def name(self) -> str:
        """The model."""
        return f"sentence-transformers {identity(self.model)}"

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Give (number of texts, dimensions). Raises `EmbeddingError` when the package or the model is not there."""
        if self._loaded is None:
            library = extra("sentence_transformers", "embeddings")
            folder = model_folder(self.model, "sentence-transformers", download=self._download)
            self._loaded = library.SentenceTransformer(folder, device=self._device, local_files_only=True)
        vectors = self._loaded.encode(
            list(texts), batch_size=self.at_once, normalize_embeddings=True, convert_to_numpy=True,
            show_progress_bar=False,
        )  # fmt: skip
        return np.asarray(vectors, dtype=np.float32)

    def __repr__(self) -> str:
        """Say which it is."""
        return f"<SentenceTransformerEncoder, {self.model}>"
