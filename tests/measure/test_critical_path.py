"""What traces wait for: the parts add up to the trace, and plain spans count as what they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import UnknownNameError
from llmlens.measure.critical_path import WORK
from llmlens.traces import Traces
from tests.examples import examples

from .test_forest import forests, plain

if TYPE_CHECKING:
    from llmlens.measure.forest import Forest

START = pd.Timestamp("2026-01-01", tz="UTC")


def trace(*spans: tuple[str, str | None, str, float, float | None], trace_id: str = "t") -> pd.DataFrame:
    """Make spans of (id, parent, kind, start, end) in seconds."""
    ids, parents, kinds, starts, ends = zip(*spans, strict=True)
    at = [START + pd.Timedelta(seconds=s) for s in starts]
    end = [None if e is None else START + pd.Timedelta(seconds=e) for e in ends]
    return pd.DataFrame({"trace_id": trace_id, "span_id": ids, "parent_id": parents, "kind": kinds, "name": kinds,
                         "start": at, "end": pd.to_datetime(pd.Series(end), utc=True)})  # fmt: skip


def parts(frame: pd.DataFrame) -> dict[str, Any]:
    return dict(zip(frame["part"], frame["wait_s"], strict=True))


AGENT = trace(
    ("root", None, "chain", 0, 10),
    ("search", "root", "retriever", 0, 2),
    ("vectors", "search", "embedding", 0, 1),
    ("ask", "root", "llm", 2, 6),
    ("http", "ask", "span", 2, 6),
    ("tool", "root", "tool", 6, 9),
    ("audit", "root", "chain", 3, 5),
)


def test_the_wait_is_shared_out() -> None:
    frame = ll.critical_path(Traces.from_frames({"spans": AGENT}))
    assert parts(frame) == {"model": 4.0, "tools": 3.0, "retrieval": 2.0, "own code": 1.0}
    assert frame["share"].tolist() == [0.4, 0.3, 0.2, 0.1]
    assert frame["low"].isna().all()  # one trace
    assert frame.set_index("part").loc["own code", "self_s"] == 3.0


def test_steps_most_waited_for_come_first() -> None:
    frame = ll.self_time(Traces.from_frames({"spans": AGENT}), by=["kind", "span_id"])
    rows = frame[["span_id", "self_s", "wait_s"]].head(2).itertuples(index=False, name=None)
    assert list(rows) == [("http", 4.0, 4.0), ("tool", 3.0, 3.0)]
    (audit,) = frame[frame["span_id"] == "audit"].itertuples(index=False)
    assert (audit.self_s, audit.wait_s) == (2.0, 0.0)
    assert frame["share"].sum() == pytest.approx(1.0)


def test_the_parts_add_up_to_the_traces(week: Traces) -> None:
    durations = week.traces
    frame = ll.critical_path(week)
    assert frame["wait_s"].sum() == pytest.approx(durations["duration_s"].mean())
    assert frame["share"].sum() == pytest.approx(1.0)
    assert ((frame["low"] <= frame["share"]) & (frame["share"] <= frame["high"])).all()
    by_trace = ll.critical_path(week, by="trace_id").groupby("trace_id")["wait_s"].sum()
    expected = durations.set_index("trace_id")["duration_s"]
    assert (by_trace - expected.loc[by_trace.index]).abs().max() < 1e-6


def test_a_span_that_never_ended_lasts_as_long_as_what_is_below() -> None:
    spans = trace(("a", None, "chain", 0, None), ("b", "a", "agent", 1, None), ("c", "b", "llm", 2, 5))
    frame = ll.critical_path(Traces.from_frames({"spans": spans}))
    assert parts(frame) == {"model": 3.0, "tools": 0.0, "retrieval": 0.0, "own code": 2.0}
    assert frame.notes == ("2 of 3 spans never ended: as long as what is below.",)


def test_cycles_orphans_and_spans_without_a_time_are_no_error() -> None:
    spans = trace(
        ("a", "b", "chain", 0, 4), ("b", "a", "llm", 1, 3), ("c", "gone", "tool", 4, 6), ("d", "a", "llm", 0, 1)
    )
    spans.loc[3, "start"] = pd.NaT
    frame = ll.critical_path(Traces.from_frames({"spans": spans}))
    assert sum(parts(frame).values()) == 6.0
    assert frame.notes[0].startswith("1 of 4 spans have no start")


def test_nothing_and_wrong_arguments(week: Traces) -> None:
    empty = week.where(feature="nothing")
    assert len(ll.critical_path(empty, by="feature", every="1D")) == 0
    assert len(ll.self_time(empty)) == 0
    assert len(ll.self_time(week, by=[])) == 1
    for figure in (ll.critical_path(week, by="feature"), ll.critical_path(week, every="1D"), ll.self_time(week)):
        assert figure.plot().data
    with pytest.raises(UnknownNameError, match="Did you mean 'name'"):
        ll.self_time(week, by="nam")


KINDS = ("llm", "tool", "retriever", "chain", "span")


def traces_of(forest: Forest, kinds: list[str]) -> Traces:
    """Make spans of a forest, a second long where it says one."""
    n = len(forest.parent)
    frame = pd.DataFrame(
        {
            "trace_id": [f"t{trace}" for trace in forest.trace],
            "span_id": [f"s{i:02d}" for i in range(n)],
            "parent_id": pd.Series([None if above < 0 else f"s{above:02d}" for above in forest.parent], dtype="str"),
            "kind": kinds[:n],
            "name": [f"a {kind}" for kind in kinds[:n]],
            "start": START + pd.to_timedelta(forest.start, unit="s"),
            "end": START + pd.to_timedelta(forest.end, unit="s"),
        }
    )
    return Traces.from_frames({"spans": frame})


@examples(40)
@given(forests(), st.lists(st.sampled_from(KINDS), min_size=14, max_size=14))
def test_steps_and_parts_are_sums_of_a_recursion(forest: Forest, kinds: list[str]) -> None:
    own, path = plain(forest)
    n, n_traces = len(forest.parent), forest.n_traces
    traces, whole = traces_of(forest, kinds), sum(path[:n])
    steps = {row["name"]: row for row in ll.self_time(traces).to_dict("records")}
    assert set(steps) == {f"a {kind}" for kind in kinds[:n]}
    for kind in set(kinds[:n]):
        members = [i for i in range(n) if kinds[i] == kind]
        row = steps[f"a {kind}"]
        assert (row["n"], row["traces"]) == (len(members), len({forest.trace[i] for i in members}))
        assert row["self_s"] == pytest.approx(sum(own[i] for i in members))
        assert row["wait_s"] == pytest.approx(sum(path[i] for i in members))
        assert (None if pd.isna(row["share"]) else row["share"]) == (
            pytest.approx(sum(path[i] for i in members) / whole) if whole else None
        )

    def part(node: int) -> str:
        while node < n and kinds[node] == "span":  # a plain span does the work of the one it is in
            node = forest.parent[node] if forest.parent[node] >= 0 else n
        return WORK.get(kinds[node], "own code") if node < n else "own code"

    shared = {row["part"]: row for row in ll.critical_path(traces).to_dict("records")}
    assert bool(shared) == bool(n)
    for name, row in shared.items():
        waited = sum(path[node] for node in range(n + n_traces) if part(node) == name)
        assert row["wait_s"] == pytest.approx(waited / n_traces)
        assert row["self_s"] == pytest.approx(sum(own[node] for node in range(n) if part(node) == name) / n_traces)
        assert (None if pd.isna(row["share"]) else row["share"]) == (
            pytest.approx(waited / sum(path)) if sum(path) else None
        )
