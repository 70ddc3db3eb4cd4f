"""A dump in, a review out: what it says, what it is given, and what goes wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import llmlens as ll
from llmlens import cli
from llmlens.errors import SelectionError, ShareError, SourceNotFoundError, UnknownArgumentError
from tests.share.sample import code, notebook

SAMPLES = Path(__file__).resolve().parents[2] / "data_samples"
DUMP = SAMPLES / "agent_loop.otlp.jsonl.gz"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A small notebook: what it was given, how much it loaded, and a cell that fails."""
    sources = [
        "source = baseline_source = since = until = None\nmore = 0",
        "import llmlens as ll\nloaded = ll.read(source)\ntraces = loaded.where(since=since, until=until)",
        "print('since', since, 'until', until, 'baseline', bool(baseline_source), 'more', more, 'n', len(traces))",
        "1 / 0",
        "print('after the error')",
    ]
    cells = [code(source, count=None) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    return notebook(tmp_path / "own.ipynb", cells)


def said(review: Path) -> str:
    return re.sub(r"\s+", " ", review.read_text("utf-8"))


def test_a_review_says_what_changed_and_shows_its_traces(tmp_path: Path) -> None:
    review = ll.report(DUMP, tmp_path / "review.md")
    text = said(review)
    assert "failed calls of check_stock rose from 0 % to 45.8 % from 2026-12-10 14:18 UTC on" in text
    assert "release 5.2.0 of kit-planner" in text
    assert "Traceback" not in text
    assert text.index("Findings") < text.index("Cost") < text.index("Quality") < text.index("Outputs")


def test_window_baseline_and_parameters_reach_the_notebook_and_an_error_stays_in_its_place(
    template: Path, tmp_path: Path
) -> None:
    given: dict[str, Any] = {"since": "2026-12-10", "until": "2026-12-12", "baseline": "before"}
    given["parameters"] = {"more": 3}
    text = said(ll.report(DUMP, tmp_path / "r.md", template, **given))
    n = len(ll.read(DUMP).where(since="2026-12-10", until="2026-12-12"))
    assert f"since 2026-12-10 until 2026-12-12 baseline True more 3 n {n}" in text
    assert "ZeroDivisionError" in text
    assert "after the error" in text


def test_traces_are_handed_over_as_they_are(template: Path, tmp_path: Path) -> None:
    chosen = ll.read(DUMP).where(feature="kit_planner")
    text = said(ll.report(chosen, tmp_path / "r.md", template, baseline=chosen))
    assert f"baseline True more 0 n {len(chosen)}" in text


def test_the_command_is_the_same(template: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "review.md"
    arguments = [
        "report",
        str(DUMP),
        "-o",
        str(out),
        "--template",
        str(template),
        "--since",
        "2026-12-11",
        "-p",
        "more=2",
    ]
    assert cli.main(arguments) == 0
    assert str(out) in capsys.readouterr().out
    assert "since 2026-12-11 until None baseline False more 2" in said(out)


def test_misuse_is_explained_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "review.html"
    with pytest.raises(SourceNotFoundError, match=r"no '.*nowhere.jsonl' to report on"):
        ll.report(tmp_path / "nowhere.jsonl", out)
    with pytest.raises(ShareError, match=r"no template 'incidents'.*incident"):
        ll.report(DUMP, out, "incidents")
    with pytest.raises(SelectionError, match="give that too"):
        ll.report(DUMP, out, baseline="before")
    with pytest.raises(ShareError, match="no folder"):
        ll.report(DUMP, tmp_path / "none" / "review.html")
    with pytest.raises(UnknownArgumentError, match="baseline"):
        ll.report(DUMP, out, basline="before")  # type: ignore[call-arg]
    assert cli.main(["report", str(tmp_path / "nowhere.jsonl"), "-o", str(out)]) == 1
    assert "nowhere.jsonl" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
