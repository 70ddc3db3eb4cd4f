"""What the notebooks find; tests/browser/test_shared_notebooks.py runs them."""

from __future__ import annotations

import nbformat
import pytest

from llmlens import cli

#: By name of the notebook: its data, and what its cells come to say.
NOTEBOOKS = {
    "agent_loop": (
        "agent_loop.otlp.jsonl.gz",
        [
            "USD of release 5.2.0 were spent in loops",
            "'items' is a required property",
            "to 194,464 tokens, 97% of the window",
        ],
    ),
    "cost_spike": (
        "budget_overrun.otlp.jsonl.gz",
        [
            "passed: Wednesday, 24 February",
            "Current time: 2027-02-",
            "gear_advice on Thursday, 18 February",
            "31% of the questions of gear_advice were asked before",
        ],
    ),
    "output_drift": ("model_change.otlp.jsonl.gz", ["lightest base layers", "please check the details"]),
    "quality_slo": (
        "stale_index.otlp.jsonl.gz",
        ["it is spent on 06 December", "The first sure ticket is of Tuesday, 01 December"],
    ),
    "retrieval_drift": (
        "stale_index.otlp.jsonl.gz",
        [
            "37 answers were doubted, the first on Monday, 30 November",
            "Documents of 'returns' are 744 days old",
            "Older than they were: ret-01, ret-02, ret-03, ret-04, ret-05, ret-06, ret-07",
            "Never seen before:    ret-90, ret-91",
            "First old document: 30 November",
        ],
    ),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs(name: str) -> None:
    notebook = nbformat.read(cli.demo_file(f"{name}.ipynb"), as_version=4)  # type: ignore[no-untyped-call]
    assert not [cell for cell in notebook.cells if cell.get("outputs")]
