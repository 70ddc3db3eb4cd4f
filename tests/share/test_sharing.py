"""`ll.share`: what goes into a file and what does not, what cannot be shared, and what is left when it fails."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

import llmlens as ll
from llmlens.errors import ShareError, UnknownArgumentError, UnknownNameError
from tests.share.sample import (
    MAIL,
    SECRET,
    code,
    data,
    everything,
    models,
    notebook,
    parts,
    replies,
    shown,
    small_traces,
    stream,
    words,
)

if TYPE_CHECKING:
    from pathlib import Path


def shared(path: Path, **options: Any) -> str:
    return ll.share(path, **options).read_text("utf-8")


def body(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


# What a page is ------------------------------------------------------------------------------------------------------


def test_a_notebook_becomes_one_page_beside_it(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "incident-4711.ipynb", [words("# What went wrong\n\nAll of *it*."), code("print(1)", stream("1\n"))]
    )
    out = ll.share(path)
    assert out == tmp_path / "incident-4711.html"
    page = out.read_text("utf-8")
    assert "<h1>What went wrong</h1>" in page
    assert page.count("What went wrong") == 2  # the title and the head, not the cell again
    assert "All of <em>it</em>." in page
    assert '<pre class="stdout">1\n</pre>' in page
    assert sorted(each.name for each in tmp_path.iterdir()) == ["incident-4711.html", "incident-4711.ipynb"]


def test_the_same_notebook_gives_the_same_bytes(tmp_path: Path) -> None:
    traces = small_traces()
    views = [ll.CostTreemap(traces), ll.TraceExplorer(traces)]
    path = notebook(tmp_path / "n.ipynb", [words("# a"), *(code("v", shown(view)) for view in views)])
    first = ll.share(path, tmp_path / "1.html").read_bytes()
    assert ll.share(path, tmp_path / "2.html").read_bytes() == first


def test_a_page_reaches_nothing_and_runs_only_its_own_scripts(tmp_path: Path) -> None:
    page = shared(notebook(tmp_path / "n.ipynb", [code("1", stream("x"))]))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src &#x27;none&#x27;" in policy[1]
    assert "unsafe-inline" not in policy[1].split("style-src")[0]
    assert "unsafe-eval" not in policy[1]
    assert len(re.findall(r"<script>", page)) == 2
    assert "http://" not in re.sub(r"http://www.w3.org/\S+", "", page)


@pytest.mark.parametrize(
    ("how", "seen"), [("fold", '<details class="code">'), ("show", '<details class="code" open>'), ("hide", None)]
)
def test_code_is_folded_shown_or_left_out(tmp_path: Path, how: str, seen: str | None) -> None:
    page = body(shared(notebook(tmp_path / "n.ipynb", [code("# How many?\nprint(41 + 1)", stream("42"))]), code=how))
    assert "42" in page
    if seen is None:
        assert "41" not in page
    else:
        assert seen in page
        assert ">How many?<" in page


def test_headings_make_the_contents(tmp_path: Path) -> None:
    page = shared(notebook(tmp_path / "n.ipynb", [words("# T\n## One & two\n\n### Deeper"), words("## One & two")]))
    contents = page[page.index('class="contents"') : page.index("</details>")]
    assert re.findall(r'level(\d)"><a href="#(s\d)">([^<]*)<', contents) == [
        ("2", "s1", "One &amp; two"), ("3", "s2", "Deeper"), ("2", "s3", "One &amp; two"),
    ]  # fmt: skip
    assert 'id="s3"' in body(page)


def test_tags_that_other_exporters_know_hide_parts_of_cells(tmp_path: Path) -> None:
    cells = [
        code("gone = 1", stream("gone"), tags=["remove-cell"]),
        code("hidden_input()", stream("its output"), tags=["remove_input"]),
        code("its_input()", stream("hidden output"), tags=["remove-output"]),
    ]
    page = body(shared(notebook(tmp_path / "n.ipynb", cells)))
    assert "gone" not in page
    assert "hidden_" not in page
    assert "hidden output" not in page
    assert "its output" in page
    assert "its_input" in page


# Outputs -------------------------------------------------------------------------------------------------------------


def test_an_output_is_shown_in_its_best_form(tmp_path: Path) -> None:
    outputs = [
        data(text__html="<table class='dataframe'><tr><td>7</td></tr></table>", text__plain="seven"),
        data(text__markdown="**strong**"),
        data(image__png="iVBORw0KGgo=\n", text__plain="<Figure>"),
        data(**{"image__svg+xml": "<svg onload='x()'><text>t</text></svg>"}),
        data(text__latex="$x^2$", text__plain="x**2"),
        data(application__json={"a": [1]}),
        data(**{"application__vnd.vegalite.v5+json": {"mark": "bar"}, "text__plain": "alt.Chart(...)"}),
        data(application__javascript="alert(1)"),
    ]
    page = body(shared(notebook(tmp_path / "n.ipynb", [code("x", *outputs)])))
    assert '<table class="dataframe">' in page
    assert "seven" not in page
    assert "<strong>strong</strong>" in page
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in page
    assert 'src="data:image/svg+xml;base64,' in page
    assert "onload" not in page
    assert "$x^2$" in page
    assert "&quot;a&quot;" in page
    assert "alt.Chart(...)" in page
    assert "vegalite" in page
    assert "alert" not in page
    assert "application/javascript was left out" in page


def test_what_programs_print_for_terminals_is_text(tmp_path: Path) -> None:
    page = body(
        shared(notebook(tmp_path / "n.ipynb", [code("x", stream("\x1b[31mred\x1b[0m <b>\n"), stream("10%\r100%\n"))]))
    )
    assert '<pre class="stdout">red &lt;b&gt;\n100%\n</pre>' in page


def test_an_error_is_shown_as_one_and_its_cell_is_marked(tmp_path: Path) -> None:
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no <data>",
        "traceback": ["\x1b[0;31mValueError\x1b[0m", "line 2"],
    }
    page = body(shared(notebook(tmp_path / "n.ipynb", [code("boom()", error)])))
    assert "ValueError: no &lt;data&gt;" in page
    assert "line 2" in page
    assert ">failed<" in page


def test_a_notebook_that_was_never_run_says_so(tmp_path: Path) -> None:
    page = body(shared(notebook(tmp_path / "n.ipynb", [code("1 + 1", count=None)])))
    assert ">not run<" in page


def test_an_empty_notebook_is_a_page(tmp_path: Path) -> None:
    assert "has no cells" in shared(notebook(tmp_path / "n.ipynb", []))


def test_scripts_of_outputs_and_of_words_do_not_get_through(tmp_path: Path) -> None:
    evil = (
        "<script>hit()</script><img src=x onerror=hit()><iframe src='http://evil.example'></iframe>"
        "<a href='javascript:hit()'>a</a>"
    )
    cells = [words(evil + "\n\n[b](javascript:hit())"), code("x", data(text__html=evil), data(text__markdown=evil))]
    page = body(shared(notebook(tmp_path / "n.ipynb", cells)))
    for trace in ("<script", "onerror", "<iframe", "javascript:", "evil.example"):
        assert trace not in page.replace("text/javascript", "")


# Widgets -------------------------------------------------------------------------------------------------------------


def test_living_views_stay_live_with_what_they_can_answer(tmp_path: Path) -> None:
    traces = small_traces()
    treemap, explorer = ll.CostTreemap(traces), ll.TraceExplorer(traces)
    page = shared(notebook(tmp_path / "n.ipynb", [code("t", shown(treemap)), code("e", shown(explorer))]))
    live = models(page)
    assert [live[name]["name"] for name in live] == ["CostTreemap", "TraceExplorer"]
    assert any(key.startswith("page ") for key in replies(page, live["w2"]))
    assert sum(key.startswith("span ") for key in replies(page, live["w2"])) == 3
    assert "$6.00" in body(page)  # the picture without scripts


def test_modules_and_plotly_are_in_a_page_once(tmp_path: Path) -> None:
    import plotly.graph_objects as go

    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))
    plots = [ll.Plot(figure), ll.Plot(figure)]
    outputs = [
        *map(shown, plots),
        shown(plots[0]),
        data(**{"application__vnd.plotly.v1+json": figure.to_plotly_json()}),
    ]
    page = shared(notebook(tmp_path / "n.ipynb", [code("p", *outputs)]))
    assert len(models(page)) == 3
    assert page.count('data-model="w1"') == 2
    texts = list(parts(page).values())
    assert len(texts) == len(set(texts))
    assert len({model["esm"] for model in models(page).values()}) == 1


def test_plotly_is_left_out_where_nothing_is_drawn(tmp_path: Path) -> None:
    page = shared(notebook(tmp_path / "n.ipynb", [code("e", shown(ll.TraceExplorer(small_traces())))]))
    assert len(page) < 400_000


def test_figures_that_draw_with_webgl_may_compile_their_drawings(tmp_path: Path) -> None:
    import plotly.graph_objects as go

    figure = go.Figure(go.Scattergl(x=[1, 2], y=[3, 4])).to_plotly_json()
    page = shared(notebook(tmp_path / "n.ipynb", [code("p", data(**{"application__vnd.plotly.v1+json": figure}))]))
    assert "unsafe-eval" in page[: page.index("<style>")]


def test_a_figure_that_plotly_does_not_know_is_still_drawn(tmp_path: Path) -> None:
    figure = {"data": [{"type": "of next year", "x": [1]}], "layout": {"height": 300}}
    page = shared(notebook(tmp_path / "n.ipynb", [code("p", data(**{"application__vnd.plotly.v1+json": figure}))]))
    assert models(page)["w1"]["state"]["height"] == 300


def test_an_explorer_follows_a_treemap_without_a_kernel(tmp_path: Path) -> None:
    treemap = ll.CostTreemap(small_traces(), path=["feature"])
    explorer = ll.TraceExplorer(treemap)
    page = shared(notebook(tmp_path / "n.ipynb", [code("t", shown(treemap)), code("e", shown(explorer))]))
    follows = models(page)["w2"]["follows"]
    assert (follows["source"], follows["trait"]) == ("w1", "path_selected")
    (listing,) = (reply for key, reply in replies(page, models(page)["w2"]).items() if key.startswith("page "))
    order = listing["columns"]["trace_id"]
    selections = {tuple(value): steps for value, steps in json.loads(parts(page)[follows["selections"]])}
    assert order == ["c" * 32, "b" * 32, "a" * 32]
    assert selections == {("refunds",): [0, 2], ("search",): [1]}


def test_an_explorer_whose_other_view_is_not_shown_lists_what_is_selected(tmp_path: Path) -> None:
    treemap = ll.CostTreemap(small_traces(), path=["feature"])
    explorer = ll.TraceExplorer(treemap)
    treemap.select("search")
    page = shared(notebook(tmp_path / "n.ipynb", [code("e", shown(explorer))]))
    assert models(page)["w1"]["follows"]["source"] is None
    assert models(page)["w1"]["follows"]["rows"] == [1]


@pytest.mark.parametrize(
    ("texts", "first", "whole"), [("shown", True, False), ("all", True, True), ("none", False, False)]
)
def test_texts_are_those_shown_all_or_none(tmp_path: Path, texts: str, first: bool, whole: bool) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("e", shown(ll.TraceExplorer(small_traces())))])
    said = everything(ll.share(path, texts=texts))
    assert ("plain question" in said) is first
    assert ("x" * 30_000 in said) is whole


def test_a_saved_file_shows_pictures_and_says_how_to_make_them_live(tmp_path: Path) -> None:
    view = {
        "application/vnd.jupyter.widget-view+json": {"model_id": "of a kernel that is gone"},
        "text/html": "<b>picture</b>",
    }
    output = {"output_type": "display_data", "data": {**view, "text/plain": "a view"}, "metadata": {}}
    page = shared(notebook(tmp_path / "n.ipynb", [code("v", output)]))
    assert "<b>picture</b>" in page
    assert "read-only picture" in page
    assert models(page) == {}


def test_stock_widgets_say_their_values(tmp_path: Path) -> None:
    import ipywidgets as w

    box = w.VBox(
        [
            w.IntSlider(value=3, description="days"), w.HTML("<i>words</i><script>x</script>"),
            w.Checkbox(value=True, description="errors"),
            w.Dropdown(options=["a", "b"], value="b", description="which"), ll.CostTreemap(small_traces()),
        ]
    )  # fmt: skip
    page = shared(notebook(tmp_path / "n.ipynb", [code("w", shown(box))]))
    html = body(page)
    for said in ("days</span> 3", "<i>words</i>", "errors</span> yes", "which</span> b"):
        assert said in html
    assert "<script>x" not in html
    assert [model["name"] for model in models(page).values()] == ["CostTreemap"]


def test_stock_widgets_of_a_file_say_what_it_remembers_and_foreign_code_of_a_file_is_not_run(tmp_path: Path) -> None:
    state = {
        "s": {"model_module": "@jupyter-widgets/controls", "model_name": "LabelModel", "state": {"value": "kept"}},
        "f": {"model_module": "anywidget", "model_name": "AnyModel", "state": {"_esm": "hit()"}},
    }
    shows = [
        {
            "output_type": "display_data",
            "data": {"application/vnd.jupyter.widget-view+json": {"model_id": m}},
            "metadata": {},
        }
        for m in "sf"
    ]
    saved = {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": state}}
    path = notebook(tmp_path / "n.ipynb", [code("w", *shows)], widgets=saved)
    page = everything(ll.share(path))
    assert "kept" in page
    assert "hit()" not in page


def test_other_peoples_widgets_that_live_come_with_their_code_and_buffers(tmp_path: Path) -> None:
    import anywidget
    import traitlets

    class Other(anywidget.AnyWidget):
        _esm = "export default {render() {}}"
        raw = traitlets.Bytes(b"\x00\xff").tag(sync=True)
        n = traitlets.Int(5).tag(sync=True)

    page = shared(notebook(tmp_path / "n.ipynb", [code("o", shown(Other()))]))
    (model,) = models(page).values()
    assert model["state"]["n"] == 5
    assert model["buffers"] == [{"data": "AP8=", "path": ["raw"]}]
    assert parts(page)[model["esm"]] == "export default {render() {}}"


# Redaction -----------------------------------------------------------------------------------------------------------


def test_secrets_and_people_leave_in_no_part_of_a_page(tmp_path: Path) -> None:
    import plotly.graph_objects as go

    both = f"{MAIL} {SECRET}"
    figure = go.Figure(go.Bar(x=[both], y=[1]), layout={"title": {"text": both}})
    error = {"output_type": "error", "ename": "E", "evalue": both, "traceback": [both]}
    cells = [
        words(f"# Of {both}\n\n{both}"),
        code(
            f"key = '{SECRET}'  # {MAIL}",
            stream(both),
            error,
            data(text__html=f"<b title='{both}'>{both}</b>", text__plain=both),
        ),
        code("x", data(**{"application__vnd.plotly.v1+json": figure.to_plotly_json()}), shown(ll.Plot(figure))),
        code("e", shown(ll.TraceExplorer(small_traces())), note=both),
    ]
    path = notebook(tmp_path / "n.ipynb", cells, author=both)
    for suffix in (".html", ".md"):
        said = everything(ll.share(path, tmp_path / f"out{suffix}"))
        assert MAIL not in said
        assert SECRET not in said
    said = ll.share(path, tmp_path / "out.ipynb").read_text("utf-8")
    assert MAIL not in said
    assert SECRET not in said
    assert SECRET in everything(ll.share(path, tmp_path / "raw.html", redact=False))


def test_the_head_says_what_was_redacted(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("x", stream(MAIL))])
    assert re.search(r"<dt>Redacted</dt><dd>[^<]*1 EMAIL", shared(path))
    assert "redact=False" in shared(path, redact=False)
    assert "found none" in shared(notebook(tmp_path / "m.ipynb", [code("x")]))


def test_a_redactor_of_ones_own_is_used(tmp_path: Path) -> None:
    from llmlens.redaction import Redactor

    path = notebook(tmp_path / "n.ipynb", [code("x", stream(f"Projekt Falke, {MAIL}"))])
    page = shared(path, redact=Redactor(words=["Falke"], keep=["EMAIL"]))
    assert "Falke" not in page
    assert MAIL in page
    with pytest.raises(ShareError, match="redact= is True, False or a Redactor; got str"):
        ll.share(path, redact="yes")  # type: ignore[arg-type]


def test_a_secret_that_was_printed_in_two_pieces_is_seen(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("x", stream(f"key {SECRET[:20]}"), stream(f"{SECRET[20:]}\n"))])
    assert SECRET[20:] not in shared(path)


# Sizes ---------------------------------------------------------------------------------------------------------------


def test_a_long_output_is_cut_with_a_mark(tmp_path: Path) -> None:
    page = shared(notebook(tmp_path / "n.ipynb", [code("x", stream("y" * 1_000_000))]))
    assert page.count("y" * 200_000 + " … [800,000 more characters left out]") == 1
    assert len(page) < 300_000


def test_above_the_limit_texts_are_shortened_and_the_page_says_so(tmp_path: Path) -> None:
    cells = [code("x", stream("".join(f"{n:08}" for n in range(15_000)))) for _ in range(8)]
    path = notebook(tmp_path / "n.ipynb", cells)
    whole, short = shared(path), shared(path, max_mb=0.3)
    assert "more characters left out" not in whole
    assert len(short.encode()) <= 300_000
    assert "To stay below 0.3 MB, 8 texts were cut to 20,000 characters" in short
    assert short.count("[100,000 more characters left out]") == 8


def test_large_pictures_are_left_out_last_and_by_name(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("x", data(image__png="A" * 400_000))])
    page = shared(path, max_mb=0.2)
    assert "image/png of 0.4 MB left out" in page
    assert "1 large outputs were left out" in page


def test_what_cannot_be_made_small_enough_is_not_written(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("x", stream("1"))])
    with pytest.raises(ShareError, match=r"would be 0\.\d MB and max_mb is 0\.001"):
        ll.share(path, max_mb=0.001)
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


# Bad input -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no json", "is no notebook: it is not JSON"),
        ("[1, 2]", "JSON without `nbformat`"),
        ('{"nbformat": 9, "cells": []}', "notebook format 9"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "odd"}]}', "no valid notebook"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_what_is_no_notebook_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(text, "utf-8")
    with pytest.raises(ShareError, match=re.escape(why)):
        ll.share(path)
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


def test_a_notebook_of_an_older_format_is_brought_up_to_date(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["An old heading"], "metadata": {}},
        {"cell_type": "code", "input": ["print(1)\n", "2"], "prompt_number": 3, "language": "python", "metadata": {},
         "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["of format 3"]},
                     {"output_type": "pyout", "prompt_number": 3, "text": ["2"], "html": ["<b>two</b>"],
                      "metadata": {}}]},
    ]  # fmt: skip
    path = tmp_path / "old.ipynb"
    path.write_text(
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "old"}, "worksheets": [{"cells": cells}]})
    )
    page = shared(path)
    for said in ("An old heading", "of format 3", "<b>two</b>"):
        assert said in page
    assert shared(path) == page


def test_a_path_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("open('ran', 'w').close()")])
    for out, why in (
        (tmp_path / "nowhere" / "a.html", "There is no folder"),
        (path, "is the notebook itself"),
        (tmp_path, "There is no kind of file to share"),
        (tmp_path / "a.docx", "There is no kind of file to share: '.docx'"),
    ):
        with pytest.raises((ShareError, UnknownNameError), match=re.escape(why)):
            ll.share(path, out, execute=True)
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("1")])
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(ShareError, match="cannot be written: not allowed"):
        ll.share(path, closed / "a.html")


def test_a_file_that_is_there_stays_when_sharing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("1")])
    (tmp_path / "n.html").write_text("the former one")
    monkeypatch.setattr("llmlens.share.formats.fitted", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ll.share(path)
    assert (tmp_path / "n.html").read_text() == "the former one"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["n.html", "n.ipynb"]


def test_arguments_that_do_not_exist_are_explained(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("1")])
    with pytest.raises(UnknownArgumentError, match="Did you mean 'execute'"):
        ll.share(path, excute=True)  # type: ignore[call-arg]
    with pytest.raises(UnknownNameError, match="Did you mean 'fold'"):
        ll.share(path, code="folded")
    with pytest.raises(UnknownNameError, match="There is no texts= 'some'"):
        ll.share(path, texts="some")
    with pytest.raises(ShareError, match="add execute=True"):
        ll.share(path, parameters={"n": 1})
    with pytest.raises(ShareError, match="There is no notebook"):
        ll.share(tmp_path / "missing.ipynb")
    with pytest.raises(ShareError, match="is a folder"):
        ll.share(tmp_path)
    with pytest.raises(ShareError, match="works in a notebook of JupyterLab or VS Code"):
        ll.share()


def test_a_notebook_in_memory_is_shared_where_it_is_said(tmp_path: Path) -> None:
    made = json.loads(notebook(tmp_path / "n.ipynb", [words("# In memory")]).read_text())
    assert "In memory" in ll.share(made, tmp_path / "out.html").read_text("utf-8")
    with pytest.raises(ShareError, match="Say where to write"):
        ll.share(made)
