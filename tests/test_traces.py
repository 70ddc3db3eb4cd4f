"""`Traces`: tables, selections that stay whole, scores, union, save and open, threads."""

from __future__ import annotations

import copy
import gc
import json
import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from pandas.api.types import pandas_dtype

import llmlens as ll
from llmlens.errors import ReadError, SelectionError, SourceNotFoundError, UnknownNameError
from llmlens.schema import TABLES
from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DTYPES = {
    "text": "str",
    "json": "str",
    "integer": "Int64",
    "number": "Float64",
    "time": "datetime64[us, UTC]",
    "texts": "object",
}


def spans() -> pd.DataFrame:
    start = ["2026-01-01T00:00:00", "2026-01-01T00:00:01", "2026-01-02", "2026-01-03", "2026-01-03"]
    end = ["2026-01-01T00:00:03", "2026-01-01T00:00:02", None, "2026-01-03", "2026-01-03"]
    return pd.DataFrame(
        {
            "trace_id": ["a", "a", "b", "c", "c"],
            "span_id": ["1", "2", "3", "4", "5"],
            "parent_id": [None, "1", None, None, "4"],
            "kind": ["agent", "llm", "llm", "chain", "llm"],
            "feature": ["x", "x", "y", None, "z"],
            "model": [None, "m1", "m2", None, None],
            "session_id": ["s", "s", None, "r", "r"],
            "status": ["ok", "error", "ok", "ok", "unset"],
            "start": pd.to_datetime(pd.Series(start), utc=True, format="ISO8601"),
            "end": pd.to_datetime(pd.Series(end), utc=True, format="ISO8601"),
            "input_tokens": [None, 10, 20, None, 5],
            "cost_usd": [None, 0.1, 0.2, None, None],
            "usage_source": ["missing", "reported", "reported", "missing", "reported"],
            "tags": [["t1", "t2"], ["t1"], None, [], ["t3"]],
        }
    )


def contents() -> pd.DataFrame:
    said = json.dumps([{"role": "user", "content": "hi"}])
    rows = {"trace_id": ["a", "a", "b", "c", "c"], "span_id": ["1", "2", "3", "4", "5"]}
    return pd.DataFrame({**rows, "input": said, "output": "bye", "attributes": "{}", "events": "[]"})


def small() -> Traces:
    return Traces.from_frames({"spans": spans(), "contents": contents()})


def judged(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"trace_id": ["a"], "name": ["helpful"], "value": [0.2], **columns})


@pytest.fixture
def traces() -> Traces:
    return small()


def tables_of(traces: Traces) -> dict[str, pd.DataFrame]:
    return {name: getattr(traces, name) for name in TABLES}


def kept_tables(traces: Traces) -> set[str]:
    rows = traces._store.execute("SELECT table_name FROM information_schema.tables").fetchall()
    return {name for (name,) in rows if name.startswith(("chosen", "scores_"))}


def selections(traces: Traces) -> Iterator[Traces]:
    yield traces
    yield traces.where(feature="nothing")
    yield traces.where(model="m1", spans_only=True)
    yield traces | small()
    yield Traces.from_frames({})


# ---------------------------------------------------------------------- tables


def test_every_table_of_every_selection_has_the_columns_and_dtypes_of_the_schema(traces: Traces) -> None:
    for selection in selections(traces):
        for name, frame in tables_of(selection).items():
            table = TABLES[name]
            assert list(frame.columns) == table.names
            assert {c: str(d) for c, d in frame.dtypes.items()} == {c.name: DTYPES[c.dtype] for c in table.columns}, (
                name
            )


def test_a_real_load_has_the_dtypes_of_the_schema(week: Traces) -> None:
    for name in ("spans", "traces", "sessions", "scores", "messages", "documents", "tool_calls"):
        frame = getattr(week, name)
        assert len(frame) > 0, name
        promised = {c.name: DTYPES[c.dtype] for c in TABLES[name].columns}
        assert {c: str(d) for c, d in frame.dtypes.items()} == promised


def test_spans_come_in_order_of_their_start(week: Traces) -> None:
    assert week.spans["start"].is_monotonic_increasing
    assert week.traces["start"].is_monotonic_increasing
    assert week.trace_ids == week.traces["trace_id"].tolist()


def test_changing_a_returned_frame_changes_nothing(traces: Traces) -> None:
    for name, before in tables_of(traces).items():
        frame = getattr(traces, name)
        for column in list(frame.columns):
            frame[column] = None
        pd.testing.assert_frame_equal(getattr(traces, name), before)


def test_changing_the_list_of_ids_changes_nothing(traces: Traces) -> None:
    traces.trace_ids.clear()
    assert traces.trace_ids == ["a", "b", "c"]


def test_changing_the_frames_it_was_made_from_changes_nothing() -> None:
    given = spans()
    traces = Traces.from_frames({"spans": given})
    given["model"] = "other"
    assert traces.spans["model"].dropna().tolist() == ["m1", "m2"]


def test_the_ibis_table_of_a_selection_outlives_the_selection(traces: Traces) -> None:
    table = traces.where(feature="x").table("spans")
    gc.collect()
    assert traces.fetch(table)["span_id"].tolist() == ["1", "2"]


def test_an_ibis_table_executes_by_itself(traces: Traces) -> None:
    pytest.importorskip("pyarrow_hotfix", reason="comes with ibis-framework[duckdb]")
    table = traces.where(feature="x").table("spans")
    gc.collect()
    assert table.count().execute() == 2
    assert sorted(table.execute()["span_id"]) == ["1", "2"]


@pytest.mark.parametrize(("name", "right"), [("spanz", "spans"), ("messges", "messages"), ("Traces", "traces")])
def test_an_unknown_table_names_the_nearest(traces: Traces, name: str, right: str) -> None:
    with pytest.raises(UnknownNameError, match=f"There is no table '{name}'. Did you mean '{right}'"):
        traces.table(name)


@pytest.mark.parametrize(("name", "right"), [("spanz", "spans"), ("wher", "where"), ("low_score", "low_scoring")])
def test_an_unknown_attribute_names_the_nearest(traces: Traces, name: str, right: str) -> None:
    with pytest.raises(AttributeError, match=f"Did you mean '{right}'"):
        getattr(traces, name)


def test_a_copy_is_the_same_selection(traces: Traces) -> None:
    assert copy.copy(traces.where(feature="x")).trace_ids == ["a"]


# ---------------------------------------------------------------------- from frames


def test_frames_need_only_ids() -> None:
    traces = Traces.from_frames({"spans": pd.DataFrame({"trace_id": ["a"], "span_id": ["1"]})})
    row = traces.traces.iloc[0]
    assert (row["n_spans"], row["n_llm_calls"], row["n_errors"], row["n_unpriced"], row["max_depth"]) == (1, 0, 0, 0, 0)
    assert row[["start", "duration_s", "cost_usd", "input_tokens", "status"]].isna().all()


def test_depths_come_from_the_parents(traces: Traces) -> None:
    assert traces.spans["depth"].tolist() == [0, 1, 0, 0, 1]


@pytest.mark.parametrize("dtype", ["datetime64[ns, UTC]", "datetime64[ms, Europe/Berlin]", "object", "str"])
def test_times_of_any_kind_become_utc(dtype: str) -> None:
    given = spans()
    given["start"] = given["start"].astype(pandas_dtype(dtype))
    pd.testing.assert_series_equal(
        Traces.from_frames({"spans": given}).spans["start"], spans()["start"].astype(pandas_dtype(DTYPES["time"]))
    )


def test_times_without_a_zone_are_utc() -> None:
    given = spans()
    given["start"] = given["start"].dt.tz_localize(None)
    assert Traces.from_frames({"spans": given}).spans["start"].iloc[2] == pd.Timestamp("2026-01-02", tz="UTC")


def test_spans_that_are_not_told_apart_are_refused() -> None:
    with pytest.raises(ReadError, match="spans has 5 rows"):
        Traces.from_frames({"spans": pd.concat([spans(), spans()])})
    with pytest.raises(ReadError, match="spans has 5 rows"):
        Traces.from_frames({"spans": spans().assign(trace_id=None)})


def test_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"column in 'spans': 'modle'. Did you mean 'model'"):
        Traces.from_frames({"spans": spans().rename(columns={"model": "modle"})})
    with pytest.raises(UnknownNameError, match=r"stored table 'span'. Did you mean 'spans'"):
        Traces.from_frames({"span": spans()})
    with pytest.raises(ReadError, match=r"frame of spans does not fit.*'abc'"):
        Traces.from_frames({"spans": spans().assign(input_tokens="abc")})
    with pytest.raises(ReadError, match="frame of spans does not fit"):
        Traces.from_frames({"spans": spans().assign(name=pd.Series([1, "a", 2.0, None, b"x"], dtype=object))})
    with pytest.raises(ReadError, match="spans is int"):
        Traces.from_frames({"spans": 5})  # type: ignore[dict-item]  # misuse


# ---------------------------------------------------------------------- trace, sample


def test_a_trace_is_found_by_its_id_or_a_beginning_of_it(week: Traces) -> None:
    wanted = week.trace_ids[7]
    assert week.trace(wanted).trace_ids == [wanted]
    assert week.trace(wanted[:20]).trace_ids == [wanted]


def test_an_id_that_is_the_beginning_of_another_is_found_exactly() -> None:
    traces = Traces.from_frames({"spans": pd.DataFrame({"trace_id": ["ab", "abc"], "span_id": ["1", "1"]})})
    assert traces.trace("ab").trace_ids == ["ab"]
    with pytest.raises(SelectionError, match="2 traces begin with 'a', such as 'ab' and 'abc'"):
        traces.trace("a")


def test_a_trace_that_is_not_there_is_an_error(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"no trace 'zz'. There is: a, b, c"):
        traces.trace("zz")
    with pytest.raises(UnknownNameError, match="no trace 'a'"):
        traces.where(feature="y").trace("a")
    with pytest.raises(SelectionError, match="as text"):
        traces.trace(5)  # type: ignore[arg-type]  # misuse


def test_a_sample_repeats_and_does_not_depend_on_the_order_of_the_load() -> None:
    frame = pd.DataFrame({"trace_id": [f"t{i}" for i in range(200)], "span_id": "1"})
    one = Traces.from_frames({"spans": frame})
    other = Traces.from_frames({"spans": frame.iloc[::-1]})
    assert one.sample(20).trace_ids == one.sample(20).trace_ids
    assert set(one.sample(20).trace_ids) == set(other.sample(20).trace_ids)
    assert set(one.sample(20, seed=1).trace_ids) != set(one.sample(20).trace_ids)
    assert len(one.sample(20)) == 20


def test_a_sample_of_none_is_empty_and_of_too_many_is_all(traces: Traces) -> None:
    assert len(traces.sample(0)) == 0
    assert len(traces.sample(0).spans) == 0
    assert traces.sample(99).trace_ids == traces.trace_ids
    assert len(traces.where(feature="nothing").sample(3)) == 0


@pytest.mark.parametrize("n", [-1, 2.5, "2", True, None])
def test_a_sample_needs_a_number_of_traces(traces: Traces, n: Any) -> None:
    with pytest.raises(SelectionError, match="sample needs a number"):
        traces.sample(n)


# ---------------------------------------------------------------------- scores


def test_the_same_scores_added_twice_are_there_once(traces: Traces) -> None:
    once = traces.with_scores(judged())
    twice = once.with_scores(judged())
    pd.testing.assert_frame_equal(once.scores, twice.scores)
    assert len(once.scores) == 1
    assert len(traces.scores) == 0


def test_a_score_replaces_the_one_with_its_id(traces: Traces) -> None:
    changed = traces.with_scores(judged(score_id="q")).with_scores(judged(score_id="q", value=0.9))
    assert changed.scores["value"].tolist() == [0.9]


def test_low_scores_select_by_the_scores_of_traces_and_spans(traces: Traces) -> None:
    scores = pd.DataFrame(
        {"trace_id": ["a", "b", "c"], "span_id": ["2", None, None], "name": ["q", "q", "r"], "value": [0.1, 0.5, 0.1]}
    )
    scored = traces.with_scores(scores)
    assert scored.low_scoring("q", below=0.5).trace_ids == ["a"]
    assert scored.low_scoring("q", below=0.6).trace_ids == ["a", "b"]
    assert len(scored.low_scoring("q", below=0).spans) == 0
    assert scored.where(feature="x").scores["name"].tolist() == ["q"]


def test_a_score_that_does_not_exist_names_the_nearest(traces: Traces) -> None:
    with pytest.raises(UnknownNameError, match=r"score 'helpfull'. Did you mean 'helpful'"):
        traces.with_scores(judged()).low_scoring("helpfull", below=1)
    with pytest.raises(UnknownNameError, match="There is none"):
        traces.low_scoring("helpful", below=1)


@pytest.mark.parametrize("below", ["x", None, True, float("nan")])
def test_low_scores_need_a_number(traces: Traces, below: Any) -> None:
    with pytest.raises(SelectionError, match="low_scoring needs a number"):
        traces.with_scores(judged()).low_scoring("helpful", below=below)


def test_scores_of_the_trace_and_of_the_session_stay_with_a_selection_of_spans(traces: Traces) -> None:
    scores = pd.DataFrame(
        {
            "trace_id": ["a", "a", "a", None, None],
            "span_id": [None, "1", "2", None, None],
            "session_id": [None, None, None, "s", "r"],
            "name": ["whole", "agent", "call", "session", "other session"],
            "value": 1.0,
        }
    )
    calls = traces.with_scores(scores).where(model="m1", spans_only=True)
    assert sorted(calls.scores["name"]) == ["call", "session", "whole"]
    assert sorted(traces.with_scores(scores).where(feature="x").scores["name"]) == ["agent", "call", "session", "whole"]


# ---------------------------------------------------------------------- union


def test_a_union_of_selections_of_one_load_has_each_trace_once(traces: Traces) -> None:
    both = traces.where(feature="x") | traces.where("n_spans == 2")
    assert both.trace_ids == ["a", "c"]
    assert len(both.spans) == 4


def test_a_union_keeps_the_scores_of_both_sides(traces: Traces) -> None:
    left = traces.with_scores(judged())
    right = traces.with_scores(judged(name="correct"))
    assert sorted((left | right).scores["name"]) == ["correct", "helpful"]
    changed = traces.with_scores(judged(score_id="q")) | traces.with_scores(judged(score_id="q", value=0.9))
    assert changed.scores["value"].tolist() == [0.2]


def test_a_union_of_overlapping_loads_has_each_span_once() -> None:
    left = Traces.from_frames({"spans": spans().iloc[:3], "contents": contents().iloc[:3]})
    right = Traces.from_frames({"spans": spans().iloc[1:], "contents": contents().iloc[1:]})
    both = left | right
    pd.testing.assert_frame_equal(both.spans, small().spans)
    pd.testing.assert_frame_equal(both.contents, small().contents)
    pd.testing.assert_frame_equal(both.traces, small().traces)


def test_a_union_of_a_load_with_itself_is_that_load(week: Traces, tmp_path: Path) -> None:
    few = week.sample(20)
    again = ll.open(week.sample(20).save(tmp_path))
    both = few | again
    for name in ("spans", "contents", "scores", "traces", "problems", "messages"):
        pd.testing.assert_frame_equal(getattr(both, name), getattr(few, name))


def test_a_union_builds_one_tree_of_a_trace_that_was_in_two_files() -> None:
    root, child = Traces.from_frames({"spans": spans().iloc[:1]}), Traces.from_frames({"spans": spans().iloc[1:2]})
    assert (child | root).spans["depth"].tolist() == [0, 1]


def test_a_union_of_parts_of_traces_stays_parts(traces: Traces) -> None:
    parts = traces.where(model="m1", spans_only=True) | traces.where(model="m2", spans_only=True)
    assert parts.spans["span_id"].tolist() == ["2", "3"]
    assert parts.spans["depth"].tolist() == [1, 0]
    assert len(parts.traces) == 2


def test_problems_of_a_load_are_counted_once_in_a_union() -> None:
    problems = pd.DataFrame({"source": ["f"], "reason": ["torn"], "count": [2], "action": ["dropped"]})
    traces = Traces.from_frames({"spans": spans(), "problems": problems})
    parts = traces.where(model="m1", spans_only=True) | traces.where(model="m2", spans_only=True)
    assert parts.problems["count"].tolist() == [2]


def test_unions_of_many_and_of_nothing(traces: Traces) -> None:
    empty = traces.where(feature="nothing")
    assert len(empty | empty) == 0
    assert len(empty | Traces.from_frames({})) == 0
    assert ll.union([traces.where(feature=f) for f in "xyz"]).trace_ids == ["a", "b", "c"]
    assert len(ll.union([traces, small()])) == 3
    assert len(ll.union(iter([traces]))) == 3, "the function is still the function after a union of two loads"
    with pytest.raises(SelectionError, match="at least one"):
        ll.union([])
    with pytest.raises(SelectionError, match="union takes Traces; got int"):
        ll.union([traces, 5])  # type: ignore[list-item]  # misuse
    with pytest.raises(TypeError):
        traces | 5  # type: ignore[operator]  # misuse


# ---------------------------------------------------------------------- save and open


def test_what_was_saved_opens_the_same(traces: Traces, tmp_path: Path) -> None:
    for number, selection in enumerate((traces.with_scores(judged()), traces.where(feature="nothing"))):
        folder = selection.save(tmp_path / f"it's [{number}]*")
        opened = ll.open(folder)
        for name in TABLES:
            pd.testing.assert_frame_equal(getattr(opened, name), getattr(selection, name))
        assert repr(opened) == repr(selection)


def test_an_opened_selection_can_do_all_that_a_load_can(week: Traces, tmp_path: Path) -> None:
    few = week.sample(20)
    few.save(tmp_path / "few")
    opened = ll.open(str(tmp_path / "few"))
    for name in ("contents", "messages", "documents", "tool_calls"):
        pd.testing.assert_frame_equal(getattr(opened, name), getattr(few, name))
    assert opened.trace_ids == few.trace_ids
    assert opened.sample(5).trace_ids == few.sample(5).trace_ids
    assert opened.where(kind="llm").trace_ids == few.where(kind="llm").trace_ids
    assert opened.trace(few.trace_ids[0]).traces["output"].notna().all()
    pd.testing.assert_frame_equal(pd.DataFrame(ll.cost(opened, by="model")), pd.DataFrame(ll.cost(few, by="model")))
    scored = opened.with_scores(pd.DataFrame({"trace_id": few.trace_ids[:1], "name": ["n"], "value": [0]}))
    assert scored.low_scoring("n", below=1).trace_ids == few.trace_ids[:1]
    opened.where(kind="llm").save(tmp_path / "llm")
    assert ll.open(tmp_path / "llm").trace_ids == few.where(kind="llm").trace_ids
    assert len(opened | week.sample(3)) >= 20


def test_notes_are_kept(tmp_path: Path) -> None:
    Traces.from_frames({}, notes=("a <- b",)).save(tmp_path)
    assert ll.open(tmp_path).notes == ("a <- b",)


def test_a_save_that_was_interrupted_does_not_open_and_can_be_repeated(traces: Traces, tmp_path: Path) -> None:
    traces.save(tmp_path)
    (tmp_path / "llmlens.json").rename(tmp_path / ".llmlens.json")
    (tmp_path / ".spans.parquet").write_bytes(b"torn")
    with pytest.raises(ReadError, match="the save was not finished"):
        ll.open(tmp_path)
    traces.where(feature="x").save(tmp_path)
    assert ll.open(tmp_path).trace_ids == ["a"]


def test_a_failing_save_leaves_no_mixture(traces: Traces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traces.save(tmp_path)
    other = traces.where(feature="x")
    execute = other._store.execute

    def fail_at_scores(sql: str, parameters: Any = None) -> Any:
        if "scores.parquet" in sql:
            raise OSError("disk full")
        return execute(sql, parameters)

    monkeypatch.setattr(other._store, "execute", fail_at_scores)
    with pytest.raises(OSError, match="disk full"):
        other.save(tmp_path)
    with pytest.raises(ReadError):
        ll.open(tmp_path)


def test_saving_over_the_folder_it_reads_from_is_refused(traces: Traces, tmp_path: Path) -> None:
    opened = ll.open(traces.save(tmp_path))
    with pytest.raises(ReadError, match="save into another folder"):
        opened.where(feature="x").save(tmp_path)
    assert len(opened.contents) == 5


def test_other_files_are_never_overwritten(traces: Traces, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ReadError, match=r"holds other files \(thesis.txt\)"):
        traces.save(tmp_path)
    with pytest.raises(ReadError, match="is a file"):
        traces.save(tmp_path / "thesis.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("manifest", ["[]", '{"format": 9}', "{}", "5"])
def test_another_format_does_not_open(traces: Traces, tmp_path: Path, manifest: str) -> None:
    traces.save(tmp_path)
    (tmp_path / "llmlens.json").write_text(manifest)
    with pytest.raises(ReadError, match=r"has format .*reads 1"):
        ll.open(tmp_path)


def test_a_folder_of_something_else_does_not_open(traces: Traces, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match="no folder"):
        ll.open(tmp_path / "nowhere")
    with pytest.raises(ReadError, match=r"no readable llmlens.json"):
        ll.open(tmp_path)
    traces.save(tmp_path)
    (tmp_path / "scores.parquet").write_bytes(b"not parquet")
    with pytest.raises(ReadError, match=r"scores.parquet cannot be read"):
        ll.open(tmp_path)
    (tmp_path / "scores.parquet").unlink()
    with pytest.raises(ReadError, match=r"lacks scores.parquet"):
        ll.open(tmp_path)


# ---------------------------------------------------------------------- lifetime and threads


def test_what_a_selection_keeps_goes_with_it_and_not_before(traces: Traces) -> None:
    scored = traces.with_scores(judged())
    derived = scored.where(feature=["x", "z"]).where(kind="llm", spans_only=True).sample(2)
    gc.collect()
    assert derived.spans["span_id"].tolist() == ["2", "5"]
    assert derived.scores["name"].tolist() == ["helpful"]
    assert kept_tables(traces)
    del derived, scored
    gc.collect()
    assert kept_tables(traces) == set()


def test_threads_fetch_while_the_user_selects(week: Traces) -> None:
    failures: list[BaseException] = []
    expected = len(week.where(kind="llm").spans)

    def work(number: int) -> None:
        try:
            for turn in range(3):
                selected = week.where(kind="llm")
                assert len(week.fetch(selected.table("spans").select("span_id"))) == expected
                assert len(selected.sample(5, seed=turn)) == 5
                assert len(week.sample(2, seed=number).messages.columns) == 8
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for seconds in range(10):
        assert len(week.where(f"duration_s > {seconds}")) <= len(week)
    for thread in threads:
        thread.join()
    assert failures == []
