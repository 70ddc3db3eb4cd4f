"""`StaticModelEncoder`: model2vec's static models, quick on a CPU; the extra `model2vec`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .local_model import extra, identity, model_folder
from .neighbours import unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .encoder import Vectors


class StaticModelEncoder:
    """Vectors of length 1 of a model2vec model: a folder, or the name of one that was downloaded before.

    A text is the mean of its tokens' vectors, over its first 512 tokens in most models.
    """

    def __init__(self, model: str, *, at_once: int = 1_000, download: bool = False) -> None:
        """Name the model; it is loaded at the first use. Nothing is fetched from a network without `download=True`."""
        self.model = model
        self.at_once = at_once
        self._download = download
        self._loaded: Any = None

    @property
    def name(self) -> str:
        """The model."""
        return f"model2vec {identity(self.model)}"

    def encode(self, texts: Sequence[str], /) -> Vectors:
        """Give (number of texts, dimensions). Raises `EmbeddingError` when the package or the model is not there."""
        if self._loaded is None:
            library = extra("model2vec", "model2vec")
            folder = model_folder(self.model, "minishlab", download=self._download)
            self._loaded = library.StaticModel.from_pretrained(folder)
        return unit(np.asarray(self._loaded.encode(list(texts)), dtype=np.float32))

    def __repr__(self) -> str:
        """Say which it is."""
        return f"<StaticModelEncoder, {self.model}>"
