"""Running a notebook to share it: parameters, errors, live views, and no trace of the collecting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import llmlens as ll
from llmlens.errors import ShareError
from llmlens.share import executing
from llmlens.share.notebook_file import read_notebook
from tests.share.sample import code, models, notebook, parts, words

if TYPE_CHECKING:
    from pathlib import Path

SETUP = """
import llmlens as ll
import pandas as pd
frame = pd.DataFrame({"trace_id": ["t" * 32], "span_id": ["s"], "kind": ["llm"], "cost_usd": [float(price)]})
frame["start"] = frame["end"] = pd.Timestamp("2026-11-02", tz="UTC")
traces = ll.Traces.from_frames({"spans": frame})
"""


def test_a_notebook_is_run_with_parameters_and_its_views_live(tmp_path: Path) -> None:
    cells = [
        words("# Run"),
        code("price = 1", count=None, tags=["parameters"]),
        code(SETUP + "ll.CostTreemap(traces)", count=None),
        code("1 / 0", count=None),
        code("open('ran here', 'w').close()\nprint(price, 'after the error')\ntraces.sample(1, seed=7)", count=None),
    ]  # fmt: skip
    path = notebook(tmp_path / "n.ipynb", cells, kernelspec={"name": "of-another-machine", "display_name": "x"})
    before = path.read_bytes()
    page = ll.share(path, execute=True, parameters={"price": 42.5}).read_text("utf-8")
    assert "42.5 after the error" in page
    assert "ZeroDivisionError: division by zero" in page
    assert [model["name"] for model in models(page).values()] == ["CostTreemap"]
    assert "42.5" in parts(page)[next(iter(models(page).values()))["replies"]["parts"][0]]
    assert "<dt>Loaded</dt><dd>1 traces, 1 spans, 2026-11-02 00:00 – 2026-11-02 00:00 UTC, no problems" in page
    assert "<dt>Seeds</dt><dd>7</dd>" in page
    assert "write_collected" not in page
    assert (tmp_path / "ran here").exists()
    assert path.read_bytes() == before


def test_parameters_follow_those_of_the_notebook_or_come_first(tmp_path: Path) -> None:
    tagged = read_notebook(
        notebook(tmp_path / "1.ipynb", [code("import os"), code("n = 1", tags=["parameters"]), code("n")])
    )
    executing._inject(tagged, {"n": 2, "when": "2026-11-02"})
    assert [cell.source for cell in tagged.cells] == [
        "import os",
        "n = 1",
        "# Parameters\nn = 2\nwhen = '2026-11-02'",
        "n",
    ]
    executing._inject(tagged, {"n": 3})
    assert [cell.source for cell in tagged.cells] == ["import os", "n = 1", "# Parameters\nn = 3", "n"]
    plain = read_notebook(notebook(tmp_path / "2.ipynb", [code("n")]))
    executing._inject(plain, {"n": [1, {"a": None}]})
    assert plain.cells[0].source == "# Parameters\nn = [1, {'a': None}]"


def test_parameters_that_cannot_be_written_down_are_refused(tmp_path: Path) -> None:
    plain = read_notebook(notebook(tmp_path / "2.ipynb", [code("n")]))
    with pytest.raises(ShareError, match="named like a variable; got 'a b'"):
        executing._inject(plain, {"a b": 1})
    with pytest.raises(ShareError, match="The parameter n must be a number"):
        executing._inject(plain, {"n": object()})


def test_a_kernel_that_is_not_installed_is_named(tmp_path: Path) -> None:
    metadata = {"kernelspec": {"name": "no-such-kernel", "display_name": "R"}, "language_info": {"name": "R"}}
    path = notebook(tmp_path / "n.ipynb", [code("1")], **metadata)
    with pytest.raises(ShareError, match="'no-such-kernel', which is not installed"):
        ll.share(path, execute=True)
    assert json.loads(path.read_text())["metadata"]["language_info"] == {"name": "R"}
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]


def test_a_kernel_that_dies_is_said(tmp_path: Path) -> None:
    path = notebook(tmp_path / "n.ipynb", [code("import os\nos._exit(1)", count=None)])
    with pytest.raises(ShareError, match="The kernel died"):
        ll.share(path, execute=True)
    assert [each.name for each in tmp_path.iterdir()] == ["n.ipynb"]
