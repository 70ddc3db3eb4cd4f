"""`Encoder`: what turns texts into vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@runtime_checkable
class Encoder(Protocol):
    """Turns texts into vectors; any object with these two will do.

    `name` says which model it is and with which settings: two encoders with one name give one text the same vector,
    and the cache relies on it.
    """

    @property
    def name(self) -> str:
        """The model and its settings."""
        ...

    def encode(self, texts: list[str], /) -> Vectors:
        """Give an array of float32, (number of texts, dimensions)."""
        ...
