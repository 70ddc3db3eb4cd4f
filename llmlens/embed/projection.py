"""`Projection`: vectors -> a map in two dimensions that stays as it is when new ones are placed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import EmbeddingError

from .fuzzy import memberships
from .layout import has_gpu, on_cpu, on_gpu
from .map_input import MapInput, matrix_of
from .neighbours import nearest
from .picture import first_picture, usable
from .stored_map import stored_map
from .warm_up import warm_up

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .cache import Cache
    from .encoder import Vectors

_NEIGHBOURS = 14  # and the point itself: UMAP's 15
_FEWEST = 10  # different vectors; the neighbours of fewer say nothing
_PLACED_BY = 5
_SAME = 1e-6  # of float32, 1 - cosine
#: Shares of the time, about: neighbours, layout, placing.
_PARTS = {"neighbours": (0.0, 0.2), "layout": (0.2, 0.9), "placing": (0.9, 1.0)}


class Projection:
    """A map of vectors: UMAP (McInnes, Healy & Melville 2018) on their exact neighbours by cosine.

    `points` is (rows, 2), NaN where a row is no vector; `notes` says how it was made. The same vectors, strata and seed
    give the same points. Equal vectors are one point.
    """

    def __init__(self, points: Vectors, anchors: Vectors, places: Vectors, notes: tuple[str, ...]) -> None:
        """Hold a map; `fit` makes one. `anchors` are the vectors at `places` by which others are placed."""
        points.flags.writeable = False
        self.points = points
        self.notes = notes
        self._anchors = anchors
        self._places = places

    @staticmethod
    def preview(vectors: Vectors, seed: int = 0) -> Vectors:
        """Give a first picture at once, two principal components; `fit` begins there, so that points move once."""
        return first_picture(matrix_of(vectors), seed)

    @classmethod
    def fit(
        cls,
        vectors: Vectors,
        strata: Sequence[object] | NDArray[np.generic] | None = None,
        *,
        seed: int = 0,
        limit: int = 20_000,
        progress: Callable[[float, str], object] | None = None,
        cancel: threading.Event | None = None,
        cache: bool | Cache = True,
    ) -> Projection:
        """Make a map of (rows, dimensions).

        Beyond `limit` rows it is made of a sample that keeps the shares of `strata` (a label a row, such as its
        window), and the others are placed by their neighbours in it. `progress` is told the share done and at what it
        is. Setting `cancel` ends it with `concurrent.futures.CancelledError`. A map that was made before comes from the
        cache.

        Raises `EmbeddingError` for what is no matrix, or strata of another length.
        """
        asked = MapInput.of(vectors, strata, limit, seed)
        store = stored_map(cache, asked.known, asked.chosen, seed)
        placed = store.get()
        if placed is None:
            placed = _placed(asked.known, asked.chosen, seed, _Steps(progress, cancel))
            store.put(placed)
        return cls._of(asked, placed)

    @classmethod
    def stored(
        cls,
        vectors: Vectors,
        strata: Sequence[object] | NDArray[np.generic] | None = None,
        *,
        seed: int = 0,
        limit: int = 20_000,
        cache: bool | Cache = True,
    ) -> Projection | None:
        """Give the map that `fit` would give, at once, where it was made before; None where it was not."""
        asked = MapInput.of(vectors, strata, limit, seed)
        placed = stored_map(cache, asked.known, asked.chosen, seed).get()
        return None if placed is None else cls._of(asked, placed)

    @classmethod
    def _of(cls, asked: MapInput, placed: Vectors) -> Projection:
        points = np.full((asked.count, 2), np.nan, dtype=np.float32)
        points[asked.there] = placed
        return cls(points, asked.anchors, placed[asked.chosen], (_how(asked.anchors), *asked.notes()))

    def transform(self, vectors: Vectors) -> Vectors:
        """Place new vectors by their neighbours on the map, which stays as it is; gives (rows, 2).

        A point is at the mean of its five nearest by their membership, where a vector of the map is equal, there.
        Each is placed for itself: what else is placed makes no difference. Raises `EmbeddingError` for vectors of
        another size.
        """
        rows = matrix_of(vectors)
        if rows.shape[1] != self._anchors.shape[1]:
            raise EmbeddingError(
                f"This map is of vectors with {self._anchors.shape[1]} dimensions; got {rows.shape[1]}. Embed both "
                "with the same encoder."
            )
        points = np.full((len(rows), 2), np.nan, dtype=np.float32)
        there = usable(rows)
        points[there] = _place(rows[there], self._anchors, self._places)
        return points


class _Steps:
    """Tells how far it is, over all parts, and stops when asked to."""

    def __init__(self, progress: Callable[[float, str], object] | None, cancel: threading.Event | None) -> None:
        self.progress = progress
        self.cancel = cancel

    def of(self, part: str) -> Callable[[float], None]:
        from concurrent.futures import CancelledError

        first, last = _PARTS[part]

        def tell(share: float) -> None:
            if self.cancel is not None and self.cancel.is_set():
                raise CancelledError("The projection was cancelled.")
            if self.progress is not None:
                self.progress(first + share * (last - first), part)

        return tell


def _too_few(vectors: Vectors) -> bool:
    return len(vectors) < _FEWEST or vectors.shape[1] < 2


def _how(vectors: Vectors) -> str:
    """Say what lays out these vectors."""
    if _too_few(vectors):
        return f"Principal components: {len(vectors)} different vectors are too few for UMAP."
    return f"UMAP of {len(vectors):,} vectors, by {'cuML on the GPU' if has_gpu() else 'umap-learn'}."


def _placed(vectors: Vectors, chosen: NDArray[np.int64], seed: int, tell: _Steps) -> Vectors:
    """Lay out the chosen vectors, and place the others among them."""
    begin = first_picture(vectors, seed)
    anchors = vectors[chosen]
    if _too_few(anchors):
        places = begin[chosen]
    elif has_gpu():
        places = on_gpu(anchors, min(_NEIGHBOURS, len(anchors) - 1), seed)
    else:
        compiling = warm_up()
        neighbours = nearest(anchors, _NEIGHBOURS, progress=tell.of("neighbours"))
        compiling.join()  # two threads that import umap-learn at once can meet half of it
        places = on_cpu(neighbours, begin[chosen], seed, progress=tell.of("layout"), cancel=tell.cancel)
    points = np.empty_like(begin)
    others = np.setdiff1d(np.arange(len(vectors)), chosen, assume_unique=True)
    points[chosen] = places
    points[others] = _place(vectors[others], anchors, places, tell.of("placing"))
    return points


def _place(
    vectors: Vectors, anchors: Vectors, places: Vectors, progress: Callable[[float], object] | None = None
) -> Vectors:
    """Give each vector the mean place of its nearest anchors by their membership."""
    if not len(anchors):
        return np.zeros((len(vectors), 2), dtype=np.float32)
    found = nearest(anchors, _PLACED_BY, vectors, progress=progress)
    weights = memberships(found.distances)
    same = found.distances < _SAME
    weights = np.where(same[:, :1], same, weights)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("ij,ijk->ik", weights, places[found.indices]), dtype=np.float32)
