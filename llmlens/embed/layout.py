"""The layout itself: umap-learn on the CPU, cuML where a GPU and it are there."""

from __future__ import annotations

from concurrent.futures import CancelledError
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from .fuzzy import fuzzy_graph

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from .encoder import Vectors
    from .neighbours import Neighbours

_MIN_DIST = 0.1
_EPOCHS, _EPOCHS_OF_MANY, _MANY = 500, 200, 5_000


class _Epochs(int):
    """A number of epochs that notices each one: umap-learn turns it into a float for each epoch's step length.

    Its own progress bar would be a widget in the cell that happens to run, and could not be stopped.
    """

    seen = 0
    progress: Callable[[float], object] | None = None
    cancel: threading.Event | None = None

    def __float__(self) -> float:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError("The projection was cancelled.")
        self.seen += 1
        if self.progress is not None:
            self.progress(min(self.seen / int(self), 1.0))
        return float(int(self))


def on_cpu(
    neighbours: Neighbours,
    begin: Vectors,
    seed: int,
    *,
    epochs: int | None = None,
    progress: Callable[[float], object] | None = None,
    cancel: threading.Event | None = None,
) -> Vectors:
    """Lay out a graph of neighbours, beginning with the points `begin`; gives (points, 2).

    One thread, so that the same seed gives the same points. Raises `CancelledError` when `cancel` is set meanwhile.
    """
    from umap.umap_ import simplicial_set_embedding

    a, b = _curve()
    count = _Epochs(epochs or (_EPOCHS if len(begin) <= _MANY else _EPOCHS_OF_MANY))
    count.progress, count.cancel = progress, cancel
    random = np.random.RandomState(seed)
    # Points on one spot would never part, and a line could not be scaled.
    begin = begin + random.normal(scale=1e-3, size=begin.shape).astype(np.float32)
    points, _ = simplicial_set_embedding(
        data=None, graph=fuzzy_graph(neighbours), n_components=2, initial_alpha=1.0, a=a, b=b, gamma=1.0,
        negative_sample_rate=5, n_epochs=count, init=begin, random_state=random, metric="euclidean", metric_kwds={},
        densmap=False, densmap_kwds={}, output_dens=False, parallel=False, tqdm_kwds={"disable": True},
    )  # fmt: skip
    return np.asarray(points, dtype=np.float32)


def on_gpu(vectors: Vectors, k: int, seed: int) -> Vectors:
    """Lay out vectors by cuML's UMAP; gives (points, 2)."""
    from cuml.manifold import UMAP

    model = UMAP(
        n_neighbors=k + 1, n_components=2, min_dist=_MIN_DIST, metric="cosine", random_state=seed, output_type="numpy"
    )
    return np.asarray(model.fit_transform(vectors), dtype=np.float32)


@cache
def has_gpu() -> bool:
    """Say whether cuML is installed and finds a GPU."""
    if find_spec("cuml") is None or find_spec("cupy") is None:
        return False
    import cupy

    try:
        return int(cupy.cuda.runtime.getDeviceCount()) > 0
    except cupy.cuda.runtime.CUDARuntimeError:  # there is no driver
        return False


@cache
def _curve() -> tuple[Any, Any]:
    """Give the curve of distances on the map for `min_dist`."""
    from umap.umap_ import find_ab_params

    a, b = find_ab_params(1.0, _MIN_DIST)
    return a, b
