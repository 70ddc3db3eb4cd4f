"""Measures are Ibis expressions: ClickHouse gives the numbers, and the notes, that DuckDB gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import llmlens as ll

from .damaged import damaged

if TYPE_CHECKING:
    from llmlens.traces import Traces

PROGRAM = Path(__file__).resolve().parents[2] / "bench" / "second_engine.py"
SPEC = importlib.util.spec_from_file_location("bench_second_engine", PROGRAM)
assert SPEC is not None
assert SPEC.loader is not None
bench: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(bench)


@pytest.fixture(scope="module")
def engine() -> Any:
    pytest.importorskip("chdb", reason="chDB is not installed: pip install 'llmlens[engines]'")
    return bench.ClickHouse()


@pytest.mark.parametrize("name", bench.MEASURES)
def test_a_measure_says_the_same_on_clickhouse(week: Traces, engine: Any, name: str) -> None:
    _, apart = bench.compared(week, bench.MEASURES[name], engine)
    assert apart <= 1e-9


@pytest.mark.parametrize("hows", [("no times",), ("no tokens", "no prices", "mixed scores"),
                                  ("clock skew", "mixed currencies"), ("negative durations", "no sessions"),
                                  ("an unknown model", "no texts"), ("nothing",)], ids=" and ".join)  # fmt: skip
def test_where_something_is_missing_clickhouse_says_so_too(engine: Any, hows: tuple[str, ...]) -> None:
    measures = bench.MEASURES | {"slo": lambda traces: ll.slo(traces, "helpful >= 0.7")}
    for measure in measures.values():
        _, apart = bench.compared(damaged(*hows), measure, engine)
        assert apart <= 1e-9
