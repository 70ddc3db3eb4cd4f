"""The rules of the house that a machine can check: lint, format, types, layers."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Nothing imports upward: a package may import those before it.
LAYERS = (
    "errors",
    "redaction",
    "spreadsheet",
    "schema",
    "statistics",
    "frames",
    "sql",
    "store",
    "selection",
    "traces",
    "read",
    "measure",
    "embed",
    "compare",
    "label",
    "view",
    "share",
    "cli",
)


@pytest.mark.parametrize("command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join)
def test_is_clean(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_imports_upward() -> None:
    upward = []
    for file in (ROOT / "llmlens").rglob("*.py"):
        parts = file.relative_to(ROOT / "llmlens").with_suffix("").parts
        if parts[0] not in LAYERS:
            continue
        for node in ast.parse(file.read_text(encoding="utf-8")).body:  # imports on first use may look up: they are few
            if not isinstance(node, ast.ImportFrom):
                continue
            base = ("llmlens", *parts)[: -node.level] if node.level else ()
            target = [*base, *(node.module or "").split(".")]
            if target[0] != "llmlens":
                continue
            inside = [part for part in target[1:] if part]
            upward += [
                f"{file.relative_to(ROOT)} imports {named}"
                for named in inside[:1] or [alias.name for alias in node.names]
                if named in LAYERS and LAYERS.index(named) > LAYERS.index(parts[0])
            ]
    assert upward == []


def test_no_path_of_a_machine_and_no_lock_file() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    assert [name for name in tracked if name.endswith((".lock", "poetry.lock"))] == []
