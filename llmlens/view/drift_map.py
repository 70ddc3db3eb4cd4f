"""`DriftMap`: a point an output, near each other what reads alike; what is lassoed becomes the selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets

from llmlens import theme
from llmlens.compare.selections import check_seed
from llmlens.embed.encoder import Encoder
from llmlens.errors import EmbeddingError, SelectionError, unknown
from llmlens.texts import TEXTS, UNITS, group_columns

from . import wire
from .base import View, css, esm, handles
from .drift_map_colours import OWN, check_colour, colour_of, offered_columns, offered_scores
from .drift_map_density import density_difference, extent
from .drift_map_facts import facts
from .drift_map_making import Asked, Made, Making
from .drift_map_snapshot import map_snapshot
from .drift_map_windows import two_windows
from .plot import PlotlyView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmlens.compare.clusters.result import Clusters
    from llmlens.compare.drift.result import Drift
    from llmlens.embed.trust import Trust
    from llmlens.traces import Traces

    from .drift_map_points import Points

#: How long showing a notebook's cell waits for the picture that its copy without scripts has.
_SNAPSHOT_WAIT_S = 3.0
_PICTURES = {"": 0, "pca": 1, "umap": 2}
#: Colours that a copy without a kernel can be switched to.
_STATIC_COLOURS = 8


class DriftMap(PlotlyView):
    """Show outputs as points, two windows over each other; lasso some and look at them, press `?` for the keys.

    `before` and `after` are each a date (the traces until it, since it), a pair (since, until), conditions of
    `Traces.where` as a dict, or traces; with one of them, the other is the rest. Without both, the points are coloured
    by `color`: "window", "cluster", "day", a column of spans, or the name of a score ("score.kind" where there is a
    column of that name).

    A point is the answer of a trace (`per="span"`: of a model call) or with `text="input"` the question, as vectors by
    `encoder` (by its words without one). A first picture (principal components) is there at once; the map (UMAP)
    follows from a thread, and then stays. Beside it are the numbers of the full space: `.drift` (in slices of `by`, or
    of the feature), `.clusters`, and `.trust` in the picture. `.selection` are the traces of the lassoed points, which
    `TraceExplorer(map)`, `CostTreemap(map)` and `explain(map)` take. The same traces and `seed` give the same map.

    Raises `SelectionError` or `UnknownNameError` for windows, columns and colours that cannot be understood. Data that
    makes no map (no texts, an empty window) is no error: the widget says what is missing.
    """

    _esm = esm(
        "plotly_host.js", "drift_map_points.js", "drift_map_plane.js", "drift_map_lasso.js", "drift_map_dots.js",
        "drift_map_density.js", "drift_map_names.js", "drift_map_stage.js",
        "drift_map_panel.js", "drift_map_days.js", "drift_map_head.js", "drift_map_state.js", "drift_map_places.js",
        "drift_map_progress.js", "drift_map_tip.js", "drift_map_choice.js", "drift_map_keys.js", "drift_map.js",
    )  # fmt: skip
    _css = css("plot.css", "drift_map.css")

    height = traitlets.Int(640, min=160, help="height in pixels").tag(sync=True, option=True)
    color = traitlets.Unicode("", help="what points are coloured by").tag(sync=True, option=True)
    progress = traitlets.Dict(help="how far the map is: stage, share, and numbers of what can be asked for").tag(
        sync=True
    )
    chosen = traitlets.Int(0, help="grows when Python has selected traces").tag(sync=True)

    def __init__(
        self,
        source: Traces | View,
        before: Any = None,
        after: Any = None,
        *,
        text: str = "output",
        by: str | Iterable[str] | None = None,
        per: str = "trace",
        encoder: Encoder | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        """Show the outputs of `source`; options are `color` and `height`."""
        for argument, value, known in (("text", text, TEXTS), ("per", per, UNITS)):
            if value not in known:
                what = f"{argument}:"
                raise unknown(what, str(value), known)
        check_seed(seed)
        if encoder is not None and not isinstance(encoder, Encoder):
            raise EmbeddingError(f"An encoder has a name and encode(texts); got {encoder!r}.")
        columns = tuple(group_columns("feature" if by is None else by))
        self._asked = Asked(text, columns, per, encoder, seed)
        self._before, self._after = before, after
        self._making: Making | None = None
        if options.get("color") is None:
            options["color"] = "cluster" if before is None and after is None else "window"
        super().__init__(source, **options)
        try:
            self._make()
        except Exception:
            self.close()
            raise

    # The work ---------------------------------------------------------------------------------------------------

    def _make(self) -> None:
        """Begin to make the map of the traces, and forget the former one."""
        if self._making is not None:
            self._making.stop()
        windows = two_windows(self.traces, self._before, self._after)
        if windows is None and self.color == "window":
            raise SelectionError('color="window" needs windows: give before= or after=.')
        making: Making | None = None

        def tell(stage: str, share: float | None) -> None:
            if making is not None and making is self._making:
                self.progress = _progress(stage, share, making.made)

        making = self._making = Making(self.traces, windows, self._asked, tell)
        self.progress = _progress("embedding", None, making.made)
        making.start()

    def traces_changed(self) -> None:
        """Make the map of other traces."""
        self._make()

    def close(self) -> None:
        """Stop the work and close the widget."""
        making = getattr(self, "_making", None)
        if making is not None:
            making.stop()
        super().close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the map is made, at most `timeout` seconds; say whether it is."""
        return self._work.wait(timeout)

    @property
    def _work(self) -> Making:
        if self._making is None:
            raise SelectionError("This map is closed.")
        return self._making

    @property
    def _points(self) -> Points:
        made = self._work.made
        if made.points is None or made.places is None:
            raise SelectionError(made.problem or "The map is not made yet.")
        return made.points

    @property
    def drift(self) -> Drift | None:
        """Whether outputs have changed, given what was asked; None without windows or a map. Waits for it."""
        self.wait()
        return self._work.made.drift

    @property
    def clusters(self) -> Clusters | None:
        """The groups of outputs, which grew and which shrank; None where there is no map. Waits for it."""
        self.wait()
        return self._work.made.clusters

    @property
    def trust(self) -> Trust | None:
        """How far the picture can be trusted; None where there is no map. Waits for it."""
        self.wait()
        return self._work.made.trust

    # Selecting --------------------------------------------------------------------------------------------------

    def select(self, traces: Traces | None) -> None:
        """Make `traces` the selection (None: nothing is), and show which points they are."""
        super().select(traces)
        self.chosen += 1

    def select_cluster(self, cluster: int | str) -> None:
        """Select the traces of a cluster, by its number or its name; raises `UnknownNameError` when there is none."""
        found = self.clusters
        if found is None:
            raise SelectionError(self._work.made.problem or "There are no clusters.")
        self.select(self.traces.where(trace_id=found.trace_ids(cluster)))

    @traitlets.validate("color")
    def _check_color(self, proposal: Any) -> str:
        return check_colour(self.traces, proposal["value"]) if proposal["value"] else ""

    # Requests ---------------------------------------------------------------------------------------------------

    @handles("map")
    def _map(self) -> dict[str, Any]:
        points, made, windows = self._points, self._work.made, self._work.windows
        days, of_day = points.days
        return {
            "n": len(points),
            "window": None if windows is None else wire.packed(points.window),
            "windows": None if windows is None else list(windows.labels),
            "days": days,
            "day": wire.packed(of_day),
            "unit": {"trace": "trace", "span": "call"}[self._asked.per],
            "text": self._asked.text,
            "looks": {
                mode: {"colors": theme.COLORWAY[mode], "scale": theme.SEQUENTIAL[mode], **theme.template_spec(mode)}
                for mode in theme.COLORWAY
            },
            "places": _places(made, points),
        }

    @handles("places")
    def _moved(self) -> dict[str, Any]:
        return _places(self._work.made, self._points)

    @handles("facts")
    def _facts(self) -> dict[str, Any]:
        made = self._work.made
        labels = None if made.labels is None else wire.packed(made.labels.astype(np.int16))
        return {**facts(made, compared=self._work.windows is not None), "cluster": labels}

    @handles("colours")
    def _colours(self) -> list[str]:
        """Name what points can be coloured by."""
        own = ["cluster", "day"] if self._work.windows is None else ["window", "cluster", "day"]
        names = [*own, *offered_columns(self.traces), *offered_scores(self.traces)]
        return names if not self.color or self.color in names else [*names, self.color]

    @handles("colour")
    def _colour(self, name: str) -> dict[str, Any]:
        """Give the colours of the points by a column or score; the browser knows windows, clusters and days itself."""
        return colour_of(self.traces, self._points, check_colour(self.traces, str(name)), self._asked.per)

    @handles("says")
    def _says(self, rows: list[int]) -> list[dict[str, Any]]:
        return self._points.says(int(row) for row in rows[:50])

    @handles("choose")
    def _choose(self, rows: list[int]) -> int:
        """Select the traces of these points; none selects all."""
        points = self._points
        numbers = np.array([row for row in rows if 0 <= row < len(points)], dtype=np.int64)
        ids = list(dict.fromkeys(points.trace_ids[numbers]))
        super().select(self.traces.where(trace_id=ids) if ids else None)
        return len(ids)

    @handles("chosen")
    def _chosen(self) -> dict[str, str] | None:
        """Give the points that Python has selected; None when nothing is."""
        selected = self._selected
        return None if selected is None else wire.packed(self._points.of_traces(selected.trace_ids))

    @handles("stop")
    def _stop(self) -> None:
        self._work.stop()

    @handles("go")
    def _go(self) -> None:
        """Go on after a stop: what was embedded is in the cache."""
        if self._work.is_stopped:
            self._make()
            self.revision += 1

    # Representations --------------------------------------------------------------------------------------------

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Keep the picture, its numbers and the most useful colours in a copy without a kernel; no texts."""
        if self._work.made.points is None:
            return
        yield from (("map", {}), ("facts", {}), ("colours", {}))
        for name in [name for name in self._colours() if name not in OWN][:_STATIC_COLOURS]:
            yield "colour", {"name": name}

    def __repr__(self) -> str:
        """Say in one line what is shown."""
        windows = self._making.windows if self._making is not None else None
        two = "" if windows is None else f": {windows.labels[0]} | {windows.labels[1]}"
        return f"<DriftMap of {self.n_traces:,} traces{two}>"

    def snapshot(self) -> str:
        """Give the picture as coloured cells, and its numbers, as script-free HTML."""
        self._work.wait(_SNAPSHOT_WAIT_S, picture=True)
        return map_snapshot(repr(self).strip("<>"), self._work)


def _progress(stage: str, share: float | None, made: Made) -> dict[str, Any]:
    known = sum(part is not None for part in (made.clusters, made.trust, made.drift)) + len(made.notes)
    picture = _PICTURES[made.layout] if made.points is not None else 0
    # The places of names move with the picture.
    return {"stage": stage, "share": share, "picture": picture, "facts": 100 * picture + known, "problem": made.problem}


def _places(made: Made, points: Points) -> dict[str, Any]:
    places = made.places
    assert places is not None  # noqa: S101  # there are points
    return {
        "layout": made.layout,
        "x": wire.packed(places[:, 0].astype(np.float32)),
        "y": wire.packed(places[:, 1].astype(np.float32)),
        "extent": list(extent(places)),
        "density": density_difference(places, points.window),
    }
