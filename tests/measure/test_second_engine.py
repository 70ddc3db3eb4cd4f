"""Measures are Ibis expressions: ClickHouse gives the numbers, and the notes, that DuckDB gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import llmlens as ll
from llmlens.traces import Traces

from .damaged import START, damaged

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _two_roots(starts: Sequence[pd.Timestamp | None]) -> Traces:
    """Give two traces of one session with a score; each has two roots that disagree, which begin at these times."""
    rows = [
        {"trace_id": f"t{n}", "span_id": f"s{place}", "session_id": "s", "kind": "llm", "feature": f"f{n}{place}",
         "model": "m", "input_tokens": 5 + place, "start": start}
        for n in range(2) for place, start in enumerate(starts)
    ]  # fmt: skip
    score = {"score_id": "a", "session_id": "s", "name": "helpfulness", "value": 0.9}
    frames = {"spans": pd.DataFrame(rows).astype({"start": "datetime64[us, UTC]"}), "scores": pd.DataFrame([score])}
    return Traces.from_frames(frames)


@pytest.mark.parametrize(("starts", "first"), [((None, None), "f00"), ((None, START), "f01"), ((START, START), "f00")],
                         ids=["no times", "one time", "equal times"])  # fmt: skip
def test_of_roots_without_an_order_in_time_clickhouse_takes_the_same(
    engine: Any, starts: Sequence[pd.Timestamp | None], first: str
) -> None:
    traces = _two_roots(starts)
    for measure in bench.MEASURES.values():
        bench.compared(traces, measure, engine)
    for measure in (ll.sessions, ll.quality):
        assert set(measure(traces, by="feature")["feature"]) == {first}
