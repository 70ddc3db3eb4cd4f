"""`Plot`: any plotly figure in a small widget; plotly.js itself travels once per page, never in a widget's state."""

from __future__ import annotations

import base64
import functools
import gzip
import importlib.resources
from typing import TYPE_CHECKING, Any

import traitlets

from llmlens import theme

from . import snapshot
from .base import View, css, esm, handles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import plotly.graph_objects as go

    from llmlens.traces import Traces

_MAX_ROWS = 30


@functools.cache
def plotly_js() -> dict[str, str]:
    """Give the plotly.js that comes with plotly, as `{"gzip": base64 text}`; 4.8 MB become 2.0 MB."""
    source = importlib.resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    return {"gzip": base64.b64encode(gzip.compress(source, 6, mtime=0)).decode("ascii")}


class PlotlyView(View):
    """A view that draws with plotly: it answers the one request for the library that a page makes."""

    @handles("plotly")
    def _plotly(self) -> dict[str, str]:
        return plotly_js()


class Plot(PlotlyView):
    """Show a plotly figure; clicks and lassos in it become `.points` and `.selection`.

    A point is known by its `ids` entry, else by its `customdata` (the first one of a list). `pick(points)` turns the
    ids of the chosen points into `Traces`; without it they are taken as trace ids of `source`. Texts of strangers
    must have gone through `theme.escape_label` before they became labels of the figure: plotly reads them as HTML.

    The figure is sent when the browser asks for it, and is not part of a saved notebook's widget state.
    """

    _esm = esm("plotly_host.js", "plot.js")
    _css = css("plot.css")

    height = traitlets.Int(420, min=160, help="height in pixels").tag(sync=True, option=True)

    def __init__(
        self,
        figure: go.Figure,
        source: Traces | View | None = None,
        *,
        pick: Callable[[list[str]], Traces | None] | None = None,
        **options: Any,
    ) -> None:
        """Show `figure` over the traces of `source`; the option is `height`."""
        import plotly.graph_objects as go

        if not isinstance(figure, go.Figure):
            raise TypeError(
                f"Plot shows a plotly Figure, but got {type(figure).__name__}. Measures give one with .plot()."
            )
        if source is None:
            from llmlens.traces import Traces

            source = Traces.from_frames({})
        if figure.layout.height:
            options.setdefault("height", max(160, int(figure.layout.height)))
        self.figure = figure
        self._pick = pick
        self._points: list[str] = []
        super().__init__(source, **options)

    @property
    def points(self) -> list[str]:
        """The ids of the points last chosen by click, box or lasso; empty when none is."""
        return list(self._points)

    def traces_changed(self) -> None:
        """Forget the chosen points: they were about the former traces."""
        self._points = []

    @handles("figure")
    def _figure(self) -> dict[str, Any]:
        return figure_spec(self.figure)

    @handles("points")
    def _choose(self, points: list[list[int]]) -> int:
        """Take the chosen points as [curve, index]; an empty list takes the choice back."""
        found = (self._id(curve, index) for curve, index in points)
        self._points = list(dict.fromkeys(point for point in found if point is not None))
        if not self._points:
            chosen = None
        elif self._pick is not None:
            chosen = self._pick(self.points)
        else:
            chosen = self.traces.where(trace_id=self._points)
        self.select(chosen)
        return len(self._points)

    def _id(self, curve: int, index: int) -> str | None:
        if not 0 <= curve < len(self.figure.data):
            return None
        trace = self.figure.data[curve]
        for values in (trace.ids, trace.customdata):
            if values is not None and 0 <= index < len(values):
                value = values[index]
                first = (
                    value[0] if not isinstance(value, str) and hasattr(value, "__getitem__") and len(value) else value
                )
                return str(first)
        return None

    def static_requests(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Keep the figure in a copy without a kernel."""
        return [("figure", {})]

    def __repr__(self) -> str:
        """Say in one line what is shown."""
        return f"<Plot {self._title()}>"

    def _title(self) -> str:
        return _title(self.figure)

    def snapshot(self) -> str:
        """Give what each series of the figure holds, as a script-free table."""
        return figure_snapshot(self.figure)


def figure_spec(figure: go.Figure) -> dict[str, Any]:
    """Give a figure as the browser takes it: `figure` (JSON text), and `templates` by theme unless it has its own."""
    from plotly.io.json import to_json_plotly

    spec = figure.to_plotly_json()
    layout = spec["layout"] = dict(spec.get("layout", {}))
    themed = _is_default(layout.get("template"))
    if themed:
        layout.pop("template", None)
    templates = {mode: theme.template_spec(mode) for mode in ("light", "dark")} if themed else None
    return {"figure": to_json_plotly(spec), "templates": templates}


def figure_snapshot(figure: go.Figure) -> str:
    """Give what each series of a figure holds, as a script-free table."""
    rows = [_series(i, trace) for i, trace in enumerate(figure.data[:_MAX_ROWS])]
    parts = [snapshot.table(("series", "type", "points", "from", "to", "least", "most"), rows, "llrllrr")]
    if len(figure.data) > _MAX_ROWS:
        parts.append(snapshot.note(f"{len(figure.data) - _MAX_ROWS} more series are not listed."))
    return snapshot.section(f"Plot {_title(figure)}", *parts)


def _title(figure: go.Figure) -> str:
    words = snapshot.visible(str(figure.layout.title.text or "")).strip()
    kinds = ", ".join(dict.fromkeys(str(trace.type) for trace in figure.data)) or "empty"
    return f"{words!r} ({kinds})" if words else kinds


def _is_default(template: Any) -> bool:
    """Say whether a figure's template is nobody's choice: plotly's default, ours, or none."""
    import plotly.io as pio

    if not template:
        return True
    default = pio.templates.default
    ours = [theme.figure_template(mode).to_plotly_json() for mode in ("light", "dark")]
    known = [pio.templates[default].to_plotly_json()] if default else []
    return template in [*ours, *known]


def _series(number: int, trace: Any) -> list[str]:
    along = _values(trace, "x", "labels", "theta")
    up = _values(trace, "y", "values", "r", "z")
    numbers = [float(v) for v in up if isinstance(v, (int, float)) and v == v]  # noqa: PLR0124  # NaN is not itself
    ends = [snapshot.text(along[0], 40), snapshot.text(along[-1], 40)] if along else ["", ""]
    span = [f"{min(numbers):.4g}", f"{max(numbers):.4g}"] if numbers else ["", ""]
    name = snapshot.text(trace.name or f"series {number + 1}", 60)
    return [name, snapshot.text(trace.type), f"{max(len(along), len(up)):,}", *ends, *span]


def _values(trace: Any, *names: str) -> Sequence[Any]:
    for name in names:
        values = getattr(trace, name, None)
        if values is not None and len(values):
            return values.tolist() if hasattr(values, "tolist") else list(values)
    return ()
