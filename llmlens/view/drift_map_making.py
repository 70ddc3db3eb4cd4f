"""The work behind a map, on a thread of its own: embed, a first picture, the map, clusters, what has drifted, trust."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from llmlens.errors import LlmlensError

from .drift_map_points import Points
from .drift_map_windows import AFTER, BEFORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from llmlens.compare.clusters.result import Clusters
    from llmlens.compare.drift.result import Drift
    from llmlens.embed.encoder import Encoder
    from llmlens.embed.projection import Projection
    from llmlens.embed.trust import Trust
    from llmlens.traces import Traces

    from .drift_map_windows import TwoWindows

logger = logging.getLogger(__name__)

_FEWEST = 10  # outputs; of fewer no picture can be trusted
_OUTPUTS = 4_000  # of a window that the drift table looks at
_TELL_EVERY_S = 0.2


@dataclass(frozen=True)
class Asked:
    """What a map is to be made of."""

    text: str
    by: tuple[str, ...]
    per: str
    encoder: Encoder | None
    seed: int


@dataclass
class Made:
    """What there is of a map by now; each part is set once, `places` twice. `problem` says why there is no picture."""

    points: Points | None = None
    places: NDArray[np.float32] | None = None
    layout: str = ""
    clusters: Clusters | None = None
    labels: NDArray[np.int64] | None = None
    drift: Drift | None = None
    trust: Trust | None = None
    problem: str = ""
    notes: list[str] = field(default_factory=list)


class Making:
    """Makes a map of traces; `tell(stage, share)` hears how far it is, on the thread that works."""

    def __init__(
        self, traces: Traces, windows: TwoWindows | None, asked: Asked, tell: Callable[[str, float | None], object]
    ) -> None:
        """Say what to make; `start` begins."""
        self.made = Made()
        self.windows = windows
        self._traces = traces
        self._asked = asked
        self._tell = tell
        self._told = 0.0
        self._cancel = threading.Event()
        self._picture = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="llmlens-map", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what was made stays."""
        self._cancel.set()

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._cancel.is_set()

    def wait(self, timeout: float | None = None, *, picture: bool = False) -> bool:
        """Wait until all is made, or the first picture is; say whether it is."""
        return (self._picture if picture else self._done).wait(timeout)

    def _run(self) -> None:
        try:
            self._make()
            stage = "done"
        except CancelledError:
            stage = "stopped"
        except LlmlensError as error:
            stage = self._failed(str(error))
        except Exception as error:
            logger.exception("the map could not be made")
            stage = self._failed(f"{type(error).__name__}: {error}"[:2000])
        self._picture.set()
        self._done.set()
        self._tell(stage, None)

    def _failed(self, words: str) -> str:
        """Keep what went wrong: as the problem, or beside the picture where there is one."""
        if self.made.points is None:
            self.made.problem = words
        else:
            self.made.notes.append(words)
        return "failed"

    def _make(self) -> None:
        made = self.made
        self._at("embedding")
        points = self._points()
        if made.problem:
            return
        from llmlens.embed.projection import Projection

        strata = points.window if self.windows else None
        found = Projection.stored(points.vectors, strata, seed=self._asked.seed)
        if found is None:
            made.places, made.layout = Projection.preview(points.vectors, self._asked.seed), "pca"
        else:
            self._place(found)
        made.points = points
        self._picture.set()
        if found is None:
            self._at("placing", 0.0)
            found = Projection.fit(
                points.vectors, strata, seed=self._asked.seed, progress=self._progress, cancel=self._cancel
            )
            self._place(found)
        self._at("clusters")
        self._find_clusters(points)
        self._at("trust")
        from llmlens.embed.trust import trust

        made.trust = trust(points.vectors, found.points, seed=self._asked.seed)
        if self.windows is not None:
            self._at("drift")
            made.drift = self._drift(points)

    def _place(self, found: Projection) -> None:
        self.made.places, self.made.layout = np.array(found.points), "umap"
        self.made.notes += found.notes

    def _at(self, stage: str, share: float | None = None) -> None:
        if self._cancel.is_set():
            raise CancelledError
        self._tell(stage, share)

    def _progress(self, share: float, _part: str) -> None:
        now = time.monotonic()
        if now - self._told > _TELL_EVERY_S:
            self._told = now
            self._tell("placing", share)

    # Parts ------------------------------------------------------------------------------------------------------

    def _points(self) -> Points:
        """Embed the outputs; sets `problem` where they make no picture."""
        from llmlens.embed.embedding import embed

        asked, made = self._asked, self.made
        found = embed(self._traces, asked.text, asked.encoder, by=list(asked.by), per=asked.per, progress=False)
        there = found.there
        rows = found.frame[there].reset_index(drop=True)
        window = np.zeros(len(rows), dtype=np.uint8)
        if self.windows is not None:
            window = self.windows.codes(rows["trace_id"].to_numpy(dtype=object).tolist())
            made.notes += self.windows.notes
        points = Points(rows, found.vectors[there], window)
        made.notes += found.notes
        made.problem = self._problem(points, len(found))
        return points

    def _problem(self, points: Points, n_texts: int) -> str:
        """Say why there can be no picture, or nothing."""
        what = f"{self._asked.text}s" if self._asked.per == "trace" else f"{self._asked.text}s of model calls"
        if not n_texts:
            other = "input" if self._asked.text == "output" else "output"
            return f"There are no {what} in these {len(self._traces):,} traces. text={other!r} shows the other side."
        if len(points) < _FEWEST:
            vectors = "" if len(points) == n_texts else f" with a vector, of {n_texts:,},"
            told = f"{len(points):,} {what}{vectors} are too few for a map: at least {_FEWEST} are needed."
            return " ".join([told, *self.made.notes])
        if self.windows is not None:
            for code, name in ((BEFORE, "before"), (AFTER, "after")):
                if not (points.window == code).any():
                    start = points.rows["start"]
                    label = self.windows.labels[code]
                    return (
                        f"The window {name} ({label}) has none of these {what}: they are from "
                        f"{start.min():%Y-%m-%d %H:%M} to {start.max():%Y-%m-%d %H:%M} UTC."
                    )
        if (points.rows["text"] == points.rows["text"].iloc[0]).all():
            return f"All {len(points):,} {what} are the same text: there is nothing to tell apart."
        if np.ptp(points.vectors, axis=0).max(initial=0) == 0:
            return f"All {len(points):,} {what} have the same vector: there is nothing to tell apart."
        return ""

    def _find_clusters(self, points: Points) -> None:
        from llmlens.compare.clusters.result import clusters_of
        from llmlens.compare.clusters.stored_groups import stored_groups

        seed, made = self._asked.seed, self.made
        made.labels = stored_groups(points.vectors, seed=seed)
        # Points in neither window are on the map, but in no share.
        inside = np.flatnonzero(points.window <= AFTER)
        slices = points.slices(self._asked.by)
        made.clusters = clusters_of(
            points.rows.iloc[inside].reset_index(drop=True), made.labels[inside], points.vectors[inside],
            points.window[inside] == AFTER, [slices[row] for row in inside], seed=seed,
        )  # fmt: skip

    def _drift(self, points: Points) -> Drift:
        from llmlens.compare.drift.drifting import drift_of
        from llmlens.compare.drift.windows import joined

        rows = points.rows.assign(place=np.arange(len(points)))
        old, new = (rows[points.window == code].reset_index(drop=True) for code in (BEFORE, AFTER))
        windows = joined(old, new, list(self._asked.by), limit=_OUTPUTS, seed=self._asked.seed)
        # Words are a view of the test already; an encoder's vectors are one more.
        vectors = None if self._asked.encoder is None else points.vectors[windows.rows["place"].to_numpy()]
        return drift_of(windows, seed=self._asked.seed, vectors=vectors)
