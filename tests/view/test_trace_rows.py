"""The rows of one trace: those of a query, found by SQL that is written once."""

from __future__ import annotations

import gc
import weakref
from datetime import UTC, datetime, timedelta

import ibis
import pandas as pd
import pytest

from llmlens import Traces
from llmlens.view.trace_rows import rows_of

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def traces() -> Traces:
    """Three traces of four spans each, the last one begun first."""
    ids = [(f"t{trace}", f"s{span}") for trace in range(3) for span in range(4)]
    spans = pd.DataFrame(ids, columns=["trace_id", "span_id"])
    spans["start"] = [BEGIN - timedelta(seconds=int(span[1:])) for span in spans["span_id"]]
    spans["kind"] = ["llm" if span == "s1" else "span" for span in spans["span_id"]]
    contents = spans[["trace_id", "span_id"]][spans["span_id"] != "s3"].copy()
    contents["input"] = contents["trace_id"] + contents["span_id"]
    return Traces.from_frames({"spans": spans, "contents": contents})


def test_spans_of_a_trace_come_in_order_of_their_start(traces: Traces) -> None:
    found = rows_of(traces).spans("t1", ["trace_id", "span_id"])
    assert found.to_numpy().tolist() == [["t1", f"s{span}"] for span in (3, 2, 1, 0)]
    assert rows_of(traces).spans("t9", ["span_id"]).empty


def test_contents_stand_beside_their_spans_also_where_there_are_none(traces: Traces) -> None:
    found = rows_of(traces).contents("t2", ["s0", "s3", "elsewhere"], ["input"])
    assert found["span_id"].tolist() == ["s3", "s0"]
    assert found["input"].isna().tolist() == [True, False]
    assert found["input"][1] == "t2s0"
    assert rows_of(traces).contents("t2", [], ["input"]).empty


def test_what_is_not_selected_is_not_found(traces: Traces) -> None:
    assert rows_of(traces.where(trace_id="t0")).spans("t1", ["span_id"]).empty
    calls = traces.where(kind="llm", spans_only=True)
    assert rows_of(calls).spans("t1", ["span_id"])["span_id"].tolist() == ["s1"]
    assert rows_of(calls).contents("t1", ["s0", "s1"], ["input"])["input"].tolist() == ["t1s1"]


def test_ids_are_values_and_no_sql(traces: Traces) -> None:
    assert rows_of(traces).spans("' OR true --", ["span_id"]).empty
    assert rows_of(traces).contents("t0", ["'] OR true --"], ["input"]).empty


def test_sql_is_written_once_for_all_traces(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    rows_of(traces)
    monkeypatch.setattr(ibis, "to_sql", lambda *_, **__: pytest.fail("SQL was written again"))
    for trace in ("t0", "t1", "t2"):
        assert len(rows_of(traces).spans(trace, ["span_id"])) == 4
        assert len(rows_of(traces).contents(trace, ["s0"], ["input"])) == 1


def test_selections_that_nobody_has_are_not_kept(traces: Traces) -> None:
    selected = traces.where(trace_id="t0")
    rows_of(selected)
    gone = weakref.ref(selected)
    del selected
    gc.collect()
    assert gone() is None
