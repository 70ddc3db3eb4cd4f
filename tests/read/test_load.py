"""Raw spans -> tables: rows in = rows out + rows dropped, whatever the order, and one trace is one trace."""

from __future__ import annotations

import gc
import random
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from llmlens import ReadError, Traces
from llmlens.read import load
from llmlens.read.conventions_file import built_in
from llmlens.read.load import Loader
from llmlens.read.raw import Origin, Problem, RawEvent, RawLink, RawLog, RawScore, RawSpan
from llmlens.schema import TABLES
from tests.examples import examples

START = 1_790_000_000_000_000_000


def span(n: int = 1, trace: int = 1, parent: int | None = None, **changes: Any) -> RawSpan:
    given_ = {
        "name": "s",
        "start_ns": START,
        "end_ns": START + 10**9,
        "status": 0,
        "status_message": None,
        "attributes": {},
        "events": [],
        "links": [],
        "origin": Origin(),
        "line": n,
        **changes,
    }
    return RawSpan(
        trace_id=f"{trace:032x}", span_id=f"{n:016x}", parent_id=f"{parent:016x}" if parent else None, **given_
    )


def loaded(*raws: Any, **options: Any) -> Traces:
    loader = Loader(built_in(), **options)
    loader.add_all(raws, "here")
    return Traces(loader.finish())


def problems(traces: Traces) -> list[tuple[str, int]]:
    return list(zip(traces.problems["action"], traces.problems["count"], strict=True))


def test_an_empty_load_has_every_table() -> None:
    traces = loaded()
    for table in TABLES:
        frame = getattr(traces, table)
        assert frame.empty
        assert list(frame.columns) == TABLES[table].names


def test_times_are_utc_and_durations_exact_to_the_nanosecond() -> None:
    spans = loaded(span(start_ns=START + 1, end_ns=START + 1_000_000_008)).spans
    assert str(spans["start"][0]) == "2026-09-21 14:13:20+00:00"
    assert spans["duration_s"][0] == 1.000000007
    assert str(spans["start"].dtype) == "datetime64[us, UTC]"


def test_spans_without_times_keep_what_their_trace_shares() -> None:
    first = span(1, start_ns=None, end_ns=None, name="root", attributes={"session.id": "s"})
    spans = loaded(first, span(2, parent=1, start_ns=None, end_ns=None)).spans
    assert spans["start"].isna().all()
    assert spans["duration_s"].isna().all()
    assert spans["session_id"].tolist() == ["s", "s"]
    assert spans["feature"].tolist() == ["root", "root"]


def test_an_end_before_the_start_is_kept_but_gives_no_duration() -> None:
    spans = loaded(span(end_ns=START - 10**9)).spans
    assert spans["end"][0] < spans["start"][0]
    assert spans["duration_s"].isna().all()


def test_the_most_complete_of_conflicting_spans_is_kept_in_any_order() -> None:
    ended = span(attributes={"a": 1}, line=1)
    longer = span(attributes={"a": 1, "b": 2}, line=2)
    open_ = span(end_ns=None, attributes={"a": 1, "b": 2, "c": 3}, line=3)
    for order in ([ended, longer, open_], [open_, ended, longer], [longer, open_, ended]):
        traces = loaded(*order)
        assert traces.contents["attributes"].tolist() == ['{"a":1,"b":2}']
        assert problems(traces) == [("dropped", 2)]


def test_spans_that_differ_only_in_parent_links_name_or_status_conflict() -> None:
    link = RawLink("a" * 32, "b" * 16)
    for change in ({"parent": 9}, {"links": [link]}, {"name": "other"}, {"status": 2}):
        traces = loaded(span(), span(line=2, **change))
        assert any("not all the same" in reason for reason in traces.problems["reason"])
    traces = loaded(span(), span(line=2))
    assert traces.problems["reason"].tolist() == ["span came more than once, all the same: one was kept"]


def test_the_same_span_id_in_two_traces_is_two_spans() -> None:
    traces = loaded(span(trace=1), span(trace=2))
    assert len(traces.spans) == 2
    assert traces.problems.empty


def test_a_cycle_is_cut_at_its_earliest_span_and_keeps_the_others() -> None:
    traces = loaded(span(1, parent=3), span(2, parent=1, start_ns=START - 5000), span(3, parent=2))
    spans = traces.spans.sort_values("span_id")
    assert spans["depth"].tolist() == [2, 0, 1]
    assert spans["parent_id"].isna().tolist() == [False, True, False]
    assert traces.problems[["action", "line", "count"]].to_numpy().tolist() == [["repaired", 2, 1]]


def test_an_orphan_keeps_the_name_of_its_parent() -> None:
    traces = loaded(span(2, parent=1), span(3, parent=2))
    spans = traces.spans.sort_values("span_id")
    assert spans["parent_id"].tolist() == [f"{1:016x}", f"{2:016x}"]
    assert spans["depth"].tolist() == [0, 1]
    assert problems(traces) == [("noted", 1)]


def test_problems_of_one_reason_are_one_row_with_the_first_line() -> None:
    traces = loaded(Problem(3, "odd", "first"), Problem(9, "odd", "second", count=4), Problem(1, "odd", action="noted"))
    found = traces.problems.sort_values("action")
    assert found[["line", "count", "action"]].to_numpy().tolist() == [[3, 5, "dropped"], [1, 1, "noted"]]
    assert found["example"].iloc[0] == "first"


def test_strict_raises_at_what_is_dropped_or_repaired_but_not_at_what_is_noted() -> None:
    assert len(loaded(span(), Problem(1, "odd", action="noted"), strict=True).spans) == 1
    for action in ("dropped", "repaired"):
        with pytest.raises(ReadError, match=r"here:7: odd\. It begins: 'x'\. Without strict=True"):
            loaded(Problem(7, "odd", "x", action=action), strict=True)
    with pytest.raises(ReadError, match="here:2: span is its own ancestor"):
        loaded(span(1), span(2, parent=2), strict=True)


def test_the_collector_of_garbage_is_as_it_was_also_after_an_error() -> None:
    assert gc.isenabled()
    with pytest.raises(ReadError):
        loaded(Problem(1, "odd"), strict=True)
    assert gc.isenabled()


def test_no_thread_is_left_behind_by_an_error() -> None:
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(ReadError):
            loaded(span(), Problem(1, "odd"), strict=True)
    gc.collect()
    assert threading.active_count() <= before


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = [
        span(
            n,
            trace=1 + n // 7,
            parent=n - 1 if n % 7 > 1 else None,
            start_ns=START + n,
            end_ns=START + 10 * n,
            attributes={
                f"a.{n % 3}": n,
                "gen_ai.usage.input_tokens": n if n % 2 else str(n),
                "gen_ai.operation.name": "chat",
                "session.id": f"s{n}" if n % 5 == 0 else None,
            },
            events=[RawEvent("e", None, {"x": n})] if n % 4 == 0 else [],
        )
        for n in range(1, 60)
    ]
    logs = [RawLog(f"{1 + n // 7:032x}", f"{n:016x}", "e", START, {}, {"n": n}, n) for n in range(1, 60, 3)]
    whole = loaded(*spans, *logs)
    monkeypatch.setattr(load, "_LOOK", 1)
    monkeypatch.setattr(load, "_PIVOTED", 2)
    monkeypatch.setattr(load, "_MAPPED", 5)
    mixed = [*spans, *logs]
    random.Random(4).shuffle(mixed)  # noqa: S311
    pieces = loaded(*mixed)
    for table in ("spans", "contents"):
        one, other = (
            getattr(t, table).sort_values(["trace_id", "span_id"]).reset_index(drop=True) for t in (whole, pieces)
        )
        assert one.equals(other)


def test_scores_beside_the_spans_are_kept_once() -> None:
    score = RawScore("t", None, "good", value=1.0, source="LLM", author="me", created_ns=START)
    traces = loaded(span(), score, score, RawScore("t", None, "good", label="yes"))
    found = traces.scores.sort_values("value", na_position="last")
    assert found["source"].tolist()[0] == "judge"
    assert found["data_type"].tolist() == ["numeric", "categorical"]


def test_ids_are_not_taken_for_numbers() -> None:
    traces = loaded(
        span(attributes={"session.id": 12345, "user.id": 1.5}),
        span(trace=2, attributes={"session.id": 2**62, "user.id": True}),
    )
    assert sorted(traces.spans["session_id"]) == ["12345", "4611686018427387904"]
    assert sorted(traces.spans["user_id"]) == ["1.5", "true"]


_RAWS = st.lists(
    st.one_of(
        st.builds(
            span,
            n=st.integers(1, 5),
            trace=st.integers(1, 3),
            parent=st.none() | st.integers(1, 6),
            status=st.integers(0, 2),
            start_ns=st.none() | st.integers(START, START + 9),
            end_ns=st.none() | st.integers(START - 2, START + 9),
        ),
        st.builds(
            RawLog,
            st.just(f"{1:032x}"),
            st.integers(1, 7).map("{:016x}".format),
            st.just("e"),
            st.none() | st.just(START),
            st.just({}),
            st.integers(0, 2),
            st.integers(1, 9),
        ),
        st.builds(Problem, st.none() | st.integers(1, 9), st.sampled_from(["odd", "odder"]), count=st.integers(1, 3)),
    ),
    max_size=25,
)


@examples(5, suppress_health_check=list(HealthCheck))
@given(_RAWS)
def test_rows_in_are_rows_out_and_dropped(raws: list[Any]) -> None:
    traces = loaded(*raws)
    given_problems = sum(raw.count for raw in raws if isinstance(raw, Problem))
    rows_in = sum(not isinstance(raw, Problem) for raw in raws) + given_problems
    joined = sum(text.count('"name"') for text in traces.contents["events"].dropna())
    dropped = traces.problems.loc[traces.problems["action"] == "dropped", "count"].sum()
    assert len(traces.spans) + joined + dropped == rows_in
