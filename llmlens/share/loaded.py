"""What a kernel has loaded, and the versions at work: the head of a shared page."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

#: So many loads are described; a notebook with more of them is about something else.
_MOST = 4
#: Versions that a number in a notebook can depend on: the price table, the statistics, the engine.
_PACKAGES = ("llmlens", "genai-prices", "duckdb", "pandas", "numpy", "scikit-learn", "plotly")


def loaded() -> list[dict[str, Any]]:
    """Describe the `Traces` that variables of the notebook hold, each load once by the largest selection of it.

    A row has `name` (of the variable), `traces`, `spans`, `since`, `until` (ISO 8601 or None) and `problems`, a list
    of `action`, `reason`, `count`, `source` and `line`.
    """
    module = sys.modules.get("llmlens.traces")
    if module is None:
        return []
    held = [(name, value) for name, value in _variables().items() if isinstance(value, module.Traces)]
    largest: dict[int, tuple[str, Any, int]] = {}
    for name, traces in held:
        load, size = id(traces._store), len(traces)  # noqa: SLF001  # selections of one load share its store
        if load not in largest or size > largest[load][2]:
            largest[load] = (name, traces, size)
    return [_described(name, traces) for name, traces, _ in list(largest.values())[:_MOST]]


def _variables() -> dict[str, Any]:
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)
    shell = get_ipython()
    names = {} if shell is None else shell.user_ns
    return {name: value for name, value in names.items() if not name.startswith("_")}


def _described(name: str, traces: Any) -> dict[str, Any]:
    said = traces.summary()
    moments = {key: said[key].isoformat() if said[key] is not None else None for key in ("since", "until")}
    problems = [
        {key: problem.get(key) for key in ("action", "reason", "count", "source", "line")}
        for problem in said["problems"][:20]
    ]
    return {"name": name, "traces": said["traces"], "spans": said["spans"], **moments, "problems": problems}


def versions() -> dict[str, str]:
    """Give the versions of what numbers can depend on, with Python's."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {**found, "python": sys.version.split()[0]}
