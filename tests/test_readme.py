"""What the README says is what the code does."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import llmlens as ll

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_table_of_measures_is_that_of_the_docstrings() -> None:
    made = runpy.run_path(str(ROOT / "docs/measures.py"))
    assert made["BEGIN"] in README
    assert made["written"](README) == README


def test_every_name_that_it_uses_exists() -> None:
    names = set(re.findall(r"\bll\.([A-Za-z_]+)", README))
    assert {"read", "drift", "cost"} <= names
    assert [name for name in sorted(names) if not hasattr(ll, name)] == []


def test_every_notebook_that_it_names_is_there() -> None:
    named = set(re.findall(r"notebooks/([a-z_]+\.ipynb)", README))
    assert named == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
