"""A notebook for GitHub, as Markdown, and on paper."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import llmlens as ll
from llmlens.errors import ShareError
from llmlens.share import pdf
from tests.share.sample import WIDGET, code, data, notebook, shown, small_traces, stream, words

if TYPE_CHECKING:
    from pathlib import Path


def mixed(folder: Path) -> Path:
    figure = {"data": [{"type": "bar", "name": "cost", "x": ["a"], "y": [1]}], "layout": {"title": {"text": "Costs"}}}
    cells = [
        words("# Mixed"),
        code("print('```')", stream("\x1b[31m```\x1b[0m")),
        code("t", shown(ll.CostTreemap(small_traces()))),
        code("f", data(**{"application__vnd.plotly.v1+json": figure, "text__html": "<script>plotly</script>"})),
        code("h", data(text__html="<b onclick='x'>bold</b><script>x</script>", text__plain="bold")),
    ]
    return notebook(folder / "mixed.ipynb", cells, widgets={"application/vnd.jupyter.widget-state+json": {"state": {}}})


def test_a_notebook_for_github_has_pictures_and_no_scripts_and_no_state(tmp_path: Path) -> None:
    out = ll.share(mixed(tmp_path), tmp_path / "github.ipynb")
    made = nbformat.read(out, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(made)
    assert "widgets" not in made.metadata
    text = out.read_text("utf-8")
    for gone in (WIDGET, "<script", "onclick", "data-model"):
        assert gone not in text
    treemap, figure, table = (cell.outputs[0]["data"] for cell in made.cells[2:5])
    assert "$6.00" in treemap["text/html"]
    assert "style=" in treemap["text/html"]
    assert treemap["text/plain"] == "a widget"
    assert "application/vnd.plotly.v1+json" in figure
    assert "cost" in figure["text/html"]
    assert table["text/html"] == "<b>bold</b>"


def test_markdown_has_words_code_and_outputs(tmp_path: Path) -> None:
    text = ll.share(mixed(tmp_path), tmp_path / "mixed.md").read_text("utf-8")
    assert text.startswith("# Mixed\n")
    assert "````python\nprint('```')\n````" in text
    assert "````text\n```\n````" in text
    assert "$6.00" in text
    assert "<b>bold</b>" in text
    assert "<script" not in text
    hidden = ll.share(mixed(tmp_path), tmp_path / "hidden.md", code="hide", title="Mine").read_text("utf-8")
    assert "print(" not in hidden


def test_without_chromium_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "find_chromium", lambda: None)
    path = notebook(tmp_path / "n.ipynb", [code("1")])
    with pytest.raises(ShareError, match="apt-get install chromium"):
        ll.share(path, tmp_path / "n.pdf")
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


def test_a_browser_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_args: Any, **_options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, "", "one\nno usable sandbox")

    monkeypatch.setattr(pdf, "find_chromium", lambda: "chromium")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ShareError, match="could not print the page: no usable sandbox"):
        ll.share(notebook(tmp_path / "n.ipynb", [code("1")]), tmp_path / "n.pdf")


def test_the_same_notebook_gives_the_same_notebook(tmp_path: Path) -> None:
    path = mixed(tmp_path)
    first = ll.share(path, tmp_path / "1.ipynb").read_bytes()
    assert ll.share(path, tmp_path / "2.ipynb").read_bytes() == first
    assert json.loads(first)["nbformat"] == 4
