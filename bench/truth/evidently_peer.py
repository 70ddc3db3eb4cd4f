"""Evidently's own drift methods on embeddings, asked of a Python that has it: it does not run with pandas 3.

    python -m venv DIR && DIR/bin/pip install evidently "pandas<3"
    python bench/truth/drift.py --evidently DIR/bin/python

Each method decides as it is shipped; `model` is the default, which compares with random guesses below 1,000 rows.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]

#: Column of the tables -> the method, and what it is called with.
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "Evidently: model": ("model", {"bootstrap": True}),
    "Evidently: model > 0.55": ("model", {}),
    "Evidently: distance": ("distance", {}),
    "Evidently: ratio": ("ratio", {}),
    "Evidently: MMD": ("mmd", {}),
}


class Evidently:
    """A process that judges pairs of windows, one after the other."""

    def __init__(self, python: Path) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def judged(self, before: Vectors, after: Vectors) -> dict[str, bool]:
        """Say which methods alarm on two windows of vectors."""
        given, answers = self._process.stdin, self._process.stdout
        if given is None or answers is None:
            raise RuntimeError("the process that runs Evidently has no pipes")
        with tempfile.NamedTemporaryFile(suffix=".npz") as file:
            np.savez(file, before=before, after=after)
            file.flush()
            given.write(file.name + "\n")
            given.flush()
            told: dict[str, bool] = json.loads(answers.readline())
        return told


def main() -> None:
    """Answer a line of JSON for each path that is read."""
    pandas = importlib.import_module("pandas")
    methods = importlib.import_module("evidently.legacy.metrics.data_drift.embedding_drift_methods")
    for line in sys.stdin:
        windows = np.load(line.strip())
        told = {}
        for name, (method, options) in METHODS.items():
            # They add a column to what they are given.
            before, after = (pandas.DataFrame(windows[window]) for window in ("before", "after"))
            told[name] = bool(getattr(methods, method)(**options)(after, before)[1])
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
