from __future__ import annotations

import base64
import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens import theme
from llmlens.errors import UnknownNameError
from llmlens.schema import KINDS
from llmlens.traces import Traces
from llmlens.view.plot import Plot, plotly_js

START = pd.Timestamp("2026-11-02", tz="UTC")


def traces(*trace_ids: str) -> Traces:
    rows = [
        {"trace_id": t, "span_id": f"s-{t}", "kind": "llm", "model": "gpt-4o", "start": START, "depth": 0}
        for t in trace_ids
    ]
    return Traces.from_frames({"spans": pd.DataFrame(rows)})


def scatter(**options: Any) -> go.Figure:
    return go.Figure(go.Scatter(x=[1, 2, 3], y=[3.0, 1.0, 2.0], mode="markers", **options))


def figure_of(plot: Plot) -> dict[str, Any]:
    return dict(json.loads(plot.answer("figure")["figure"]))


def test_neither_figure_nor_library_is_part_of_the_widget_state() -> None:
    plot = Plot(scatter(name="a sentinel of a prompt"))
    state = json.dumps({key: value for key, value in plot.get_state().items() if not key.startswith("_")}, default=str)
    assert "sentinel" not in state
    assert len(str(plot.get_state())) < 60_000


def test_the_library_travels_compressed_and_is_the_one_of_the_wheel() -> None:
    source = gzip.decompress(base64.b64decode(Plot(scatter()).answer("plotly")["gzip"]))
    assert source.lstrip().startswith(b"/**\n* plotly.js v")
    assert plotly_js() is plotly_js()


def test_points_become_the_selection_by_their_first_customdata() -> None:
    plot = Plot(scatter(customdata=[["a", 1], ["b", 2], ["c", 3]]), traces("a", "b", "c"))
    seen: list[list[str]] = []
    plot.on_selection(lambda chosen: seen.append(chosen.trace_ids))
    assert plot.answer("points", points=[[0, 2], [0, 0], [0, 2]]) == 2
    assert plot.points == ["c", "a"]
    assert sorted(plot.selection.trace_ids) == ["a", "c"]
    assert [sorted(ids) for ids in seen] == [["a", "c"]]


def test_ids_go_before_customdata_and_plain_texts_are_taken_whole() -> None:
    plot = Plot(scatter(ids=["a", "b", "c"], customdata=["x", "y", "z"]), traces("a", "b"))
    plot.answer("points", points=[[0, 1]])
    assert plot.points == ["b"]
    plot = Plot(scatter(customdata=["abc", "b", "c"]), traces("abc"))
    plot.answer("points", points=[[0, 0]])
    assert plot.points == ["abc"]


def test_no_points_take_the_selection_back() -> None:
    plot = Plot(scatter(ids=["a", "b", "c"]), traces("a", "b"))
    plot.answer("points", points=[[0, 0]])
    assert len(plot.selection) == 1
    plot.answer("points", points=[])
    assert plot.points == []
    assert len(plot.selection) == 2


@pytest.mark.parametrize("points", [[[5, 0]], [[0, 99]], [[-1, 0]], [[0, -1]]])
def test_points_that_do_not_exist_select_nothing(points: list[list[int]]) -> None:
    plot = Plot(scatter(ids=["a", "b", "c"]), traces("a", "b"))
    assert plot.answer("points", points=points) == 0
    assert len(plot.selection) == 2


def test_pick_says_which_traces_a_point_stands_for() -> None:
    shown = traces("a", "b")
    plot = Plot(scatter(ids=["monday", "tuesday", "x"]), shown, pick=lambda days: shown.trace({"monday": "a"}[days[0]]))
    plot.answer("points", points=[[0, 0]])
    assert plot.selection.trace_ids == ["a"]


def test_a_figure_without_a_template_of_its_own_follows_the_theme() -> None:
    plot = Plot(scatter())
    assert "template" not in figure_of(plot)["layout"]
    assert set(plot.answer("figure")["templates"]) == {"light", "dark"}
    ours = scatter().update_layout(template=theme.figure_template("dark"))
    assert "template" not in figure_of(Plot(ours))["layout"]


def test_a_template_that_the_user_chose_stays() -> None:
    plot = Plot(scatter().update_layout(template="seaborn"))
    assert plot.answer("figure")["templates"] is None
    assert figure_of(plot)["layout"]["template"]["layout"]["plot_bgcolor"] == "rgb(234,234,242)"


def test_showing_a_figure_leaves_it_as_it_was() -> None:
    figure = scatter()
    before = figure.to_json()
    Plot(figure).answer("figure")
    assert figure.to_json() == before


def test_what_is_no_figure_and_an_unknown_option_are_refused() -> None:
    with pytest.raises(TypeError, match=r"shows a plotly Figure, but got dict"):
        Plot({"data": []})
    with pytest.raises(UnknownNameError, match=r"'hight'.*Did you mean 'height'"):
        Plot(scatter(), hight=3)


def test_the_height_of_the_figure_is_the_height_of_the_widget() -> None:
    assert Plot(scatter().update_layout(height=300)).height == 300
    assert Plot(scatter().update_layout(height=300), height=500).height == 500


def test_the_snapshot_lists_series_without_scripts_and_without_html_of_strangers() -> None:
    figure = scatter(name="<img src=x onerror=alert(1)>").update_layout(title="a <b>title</b>")
    page = Plot(figure).snapshot()
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<b>title" not in page
    bundle = Plot(figure)._repr_mimebundle_()
    assert bundle is not None
    assert bundle[0]["text/html"] == page


def test_a_figure_without_data_has_a_snapshot_too() -> None:
    assert "empty" in Plot(go.Figure()).snapshot()


def test_a_copy_without_a_kernel_keeps_the_figure() -> None:
    (reply,) = Plot(scatter()).static_replies()
    assert reply["kind"] == "figure"
    assert "figure" in reply["result"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<b>x</b>", "&#60;b&#62;x&#60;/b&#62;"),
        ("a &lt; b", "a &#38;lt; b"),
        ("%{y} $x^2$", "&#37;&#123;y&#125; &#36;x^2&#36;"),
        ("a\u202eb\x00c\nd", "a b c d"),
        ("broken \ud800!", "broken !"),
        (None, "None"),
    ],
)
def test_strangers_texts_lose_their_meaning_as_labels(text: object, label: str) -> None:
    assert theme.escape_label(text) == label


@given(st.text())
def test_a_label_reads_as_the_text_it_was_made_of(text: str) -> None:
    label = theme.escape_label(text, limit=10_000)
    assert not set("<>$%{}") & set(label)
    assert html.unescape(label) == " ".join(theme._INVISIBLE.sub(" ", text).split())


def test_a_long_label_is_cut_with_a_mark() -> None:
    assert theme.escape_label("x" * 500, limit=10) == "x" * 9 + "…"


def test_templates_are_valid_for_plotly_and_differ_by_mode() -> None:
    light, dark = theme.figure_template("light"), theme.figure_template("dark")
    assert light.layout.font.color != dark.layout.font.color
    with pytest.raises(UnknownNameError, match=r"no theme 'drak'.*'dark'"):
        theme.figure_template("drak")


def test_a_kind_of_span_has_one_colour_in_plots_and_in_the_explorer() -> None:
    css = (Path(theme.__file__).parent / "view" / "span_parts.css").read_text("utf-8")
    assert dict(re.findall(r'\[data-kind="(\w+)"\] \{ --k: (#\w+)', css)) == theme.KIND_COLORS
    assert set(theme.KIND_COLORS) == set(KINDS)
