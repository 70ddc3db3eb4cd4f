"""The small parts of sharing: HTML that only shows, terminals, styles, lengths, the running notebook, the command."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens import cli
from llmlens.errors import ShareError
from llmlens.share import running
from llmlens.share.lengths import Scissors
from llmlens.share.markdown import Headings, as_html
from llmlens.share.notebook_file import read_notebook
from llmlens.share.packing import Parts, as_json, in_script
from llmlens.share.page_command import read_parameters
from llmlens.share.redacting import _value
from llmlens.share.sanitising import sanitised
from llmlens.share.source_code import as_html as marked
from llmlens.share.source_code import first_line
from llmlens.share.styles import gather_styles
from llmlens.share.terminal import plain
from tests.share.sample import code, notebook, parts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("<p>a <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("<script>x</script><style>y</style><svg><text>t</text></svg>z", "z"),
        ('<td colspan="2" onclick="x" style="color:red">a</td>', "a"),
        ('<div style="position:fixed;color:red">a</div>', '<div style="color:red">a</div>'),
        ('<b style="font-weight:600;gap:1px">a</b>', '<b style="font-weight:600;gap:1px">a</b>'),
        ('<div style="background:url(http://evil.example)">a</div>', "<div>a</div>"),
        ('<div style="background:\\75rl(//evil.example)">a</div>', "<div>a</div>"),
        ('<a href="https://example.org">a</a>', '<a href="https://example.org" rel="noopener noreferrer">a</a>'),
        ('<a href="data:text/html,x">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="/etc">b</a>', '<a rel="noopener noreferrer">b</a>'),
        ('<img src="http://evil.example/1.png" alt="x">', ""),
        ('<img src="data:text/html;base64,xx">', ""),
        ('<img src="data:image/png;base64,aa" alt="x">', '<img src="data:image/png;base64,aa" alt="x">'),
        ('<table class="dataframe head" id="models">', '<table class="dataframe"></table>'),
        ('<form id="x"><input name="y"><button>b</button></form>', "b"),
        ("<math><mtext><table><mglyph><style><img src=x onerror=y>", ""),
    ],
)  # fmt: skip
def test_html_keeps_what_only_shows(given_: str, kept: str) -> None:
    assert sanitised(given_) == kept


@given(st.text(alphabet="<>/\"'= &;scriptonerrorimgsvg!-", max_size=80))
def test_sanitised_html_stays_as_it_is(text: str) -> None:
    once = sanitised(text)
    assert sanitised(once) == once
    assert not re.search(r"<(?:script|svg|style|iframe)|<[^>]* on\w+=", once)


@pytest.mark.parametrize(
    ("printed", "left"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"), ("\x1b]8;;http://evil.example\x07link\x1b]8;;\x1b\\", "link"),
        ("1%\r2%\r3%\n", "3%\n"), ("dos\r\nlines\r\n", "dos\r\nlines\r\n"), ("ab\x08\x08c", "c"),
        ("\x1b(Bplain", "plain"),
    ],
)  # fmt: skip
def test_a_terminal_leaves_text(printed: str, left: str) -> None:
    assert plain(printed) == left


def test_styles_that_repeat_become_classes_and_text_stays_text() -> None:
    html = '<td style="color:red">a</td><td style="color:red">b</td><p>&lt;td style="color:red"&gt;</p>'
    made, css = gather_styles(html)
    assert made == '<td class="i1">a</td><td class="i1">b</td><p>&lt;td style="color:red"&gt;</p>'
    assert css == "\n#page .i1 { color:red }"


@pytest.mark.parametrize("style", ["color:red/*", "color:red}", "font-family:'x", "width:calc(1px", "a:b;</style>"])
def test_a_style_that_could_run_on_stays_where_it_is(style: str) -> None:
    html = f'<td style="{style}">a</td>'
    assert gather_styles(html) == (html, "")


def test_a_text_is_cut_with_a_mark_and_cut_again_without_losing_count() -> None:
    long, short = Scissors(100), Scissors(10)
    once = long.text("x" * 150)
    assert once == "x" * 100 + " … [50 more characters left out]"
    assert short.text(once) == "x" * 10 + " … [140 more characters left out]"
    assert (short.texts, short.characters) == (1, 90)
    assert short.text("0123456789") == "0123456789"


def test_packed_numbers_are_neither_cut_nor_redacted() -> None:
    packed = {"type": "f4", "bytes": "A" * 500}
    array = {"dtype": "f8", "bdata": "B" * 500}
    value = {"x": packed, "y": [array, "text" * 100]}
    cut = Scissors(10).value(value)
    assert cut["x"] == packed
    assert cut["y"][0] == array
    assert cut["y"][1].startswith("texttextte …")

    class Blanks:
        def text(self, text: str, where: str = "") -> str:
            return f"{where}-"[:0] + "-" * bool(text)

        def value(self, value: Any, where: str = "") -> Any:
            return json.loads(re.sub(r'"(?:[^"]*)"(?=[,\]}])', f'"-{where[:0]}"', json.dumps(value)))

        def html(self, html: str, where: str = "") -> str:
            return html + where[:0]

    assert _value(value, Blanks(), "views") == {"x": packed, "y": [array, "-"]}


def test_parts_are_packed_once_and_open_again() -> None:
    made = Parts()
    text = "<&,." + "".join(map(chr, range(32, 1000))) * 3
    assert (made.add(text), made.add("b"), made.add(text)) == ("p1", "p2", "p1")
    html = made.html()
    assert "<script" not in html.replace('<script type="text/plain"', "").replace("</script>", "")
    assert parts(html) == {"p1": text, "p2": "b"}


def test_json_in_a_script_cannot_end_it() -> None:
    value = {"a": "</script><!--<script>\u2028"}
    written = in_script(value)
    assert "<" not in written
    assert json.loads(written) == value
    assert as_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'


def test_words_become_html_with_anchors_and_formulas_stay() -> None:
    headings = Headings()
    html = as_html("## A *b*\n\n| a | b |\n|---|---|\n| 1 | $x_1$ |\n\n<script>x</script>", headings)
    assert '<h2 id="s1">A <em>b</em></h2>' in html
    assert "<td>1</td>" in html
    assert "$x_1$" in html
    assert "<script" not in html
    assert [(heading.level, heading.text) for heading in headings.found] == [(2, "A b")]


def test_code_is_marked_and_escaped() -> None:
    assert '<span class="kn">import</span>' in marked("import os")
    assert "&lt;b&gt;" in marked("'<b>'")
    assert marked("a < b", "no such language") == "a &lt; b"
    assert first_line("\n  # How many?\nx = 1") == "How many?"
    assert first_line("x" * 200) == "x" * 89 + "…"


# The running notebook ------------------------------------------------------------------------------------------------


def test_runs_after_the_last_save_are_counted(tmp_path: Path) -> None:
    made = read_notebook(
        notebook(tmp_path / "n.ipynb", [code("a", count=2), code("b", count=5), code("c", count=None)])
    )
    assert running.unsaved(made, 5) == 0
    assert running.unsaved(made, 8) == 3
    assert running.unsaved(made, 0) == 0


@pytest.mark.parametrize("saves", [True, False])
def test_the_running_notebook_is_found_saved_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, saves: bool
) -> None:
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "the one that saves"}}
    asking = code("ll.share()", {"output_type": "display_data", "data": widget, "metadata": {}}, count=None)
    path = notebook(tmp_path / "n.ipynb", [code("1", count=1), asking])
    shell = SimpleNamespace(user_ns={"In": ["", "1", "2", "ll.share()"]})
    monkeypatch.setattr(running, "_shell", lambda: shell)
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    monkeypatch.setattr(running, "save_notebook", lambda _: "the one that saves" if saves else None)
    found, made, said = running.running_notebook()
    assert found == path
    assert bool(made.cells[1].outputs) is not saves
    assert made.cells[1].execution_count == 3
    assert re.fullmatch(r"The notebook as it was saved at \d\d:\d\d:\d\d; 1 cell was run since\. Save it.*", said[0])


def test_the_notebook_of_vs_code_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("1", count=1)])
    monkeypatch.setattr(
        running, "_shell", lambda: SimpleNamespace(user_ns={"__vsc_ipynb_file__": str(path), "In": ["", "1"]})
    )
    monkeypatch.setattr(running, "save_notebook", lambda _: None)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    assert running.running_notebook()[0] == path


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_shares_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("print(1)")])
    out = tmp_path / "out.html"
    assert cli.main(["share", str(path), "-o", str(out), "--title", "Mine", "--code", "show", "--texts", "none"]) == 0
    assert "<h1>Mine</h1>" in out.read_text("utf-8")
    assert capsys.readouterr().out.startswith(f"{out} (0.")


def test_the_command_explains_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["share", str(tmp_path / "missing.ipynb")]) == 1
    assert "There is no notebook" in capsys.readouterr().err
    assert cli.main(["share", str(tmp_path / "missing.ipynb"), "-p", "oops"]) == 1
    assert "NAME=VALUE; got 'oops'" in capsys.readouterr().err


def test_parameters_are_literals_or_texts() -> None:
    assert read_parameters(["a=1", "b=[1, 2]", "c=x=y", "d=None"]) == {"a": 1, "b": [1, 2], "c": "x=y", "d": None}
    with pytest.raises(ShareError):
        read_parameters(["a"])
