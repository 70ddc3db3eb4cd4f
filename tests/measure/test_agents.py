"""Agents, tools, context and hand-offs beside plain loops over rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError, UnknownNameError
from llmlens.measure.tools import BURST, BURST_S, _bursts
from llmlens.traces import Traces
from tests.examples import examples

START = pd.Timestamp("2026-01-01", tz="UTC")
SCHEMA = {"type": "object", "properties": {"sku": {"type": "string", "pattern": "(a+)+$"}}, "required": ["sku"]}
OFFERED = orjson.dumps([{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}]).decode()


def at(seconds: float) -> pd.Timestamp:
    return START + pd.Timedelta(seconds=seconds)


def test_steps_depth_and_fan_out() -> None:
    n = 12
    chain = pd.DataFrame(
        {
            "trace_id": "deep",
            "span_id": [f"s{i}" for i in range(n)],
            "kind": ["agent"] + ["llm"] * (n - 1),
            "parent_id": [None, *(f"s{i}" for i in range(n - 1))],
            "start": [at(i) for i in range(n)],
            "cost_usd": 1.0,
        }
    )
    wide = pd.DataFrame(
        {
            "trace_id": "wide",
            "span_id": [f"s{i}" for i in range(5)],
            "kind": ["agent"] + ["tool"] * 4,
            "parent_id": [None] + ["s0"] * 4,
            "start": at(0),
        }
    )
    plain = pd.DataFrame({"trace_id": ["plain"], "span_id": ["s"], "kind": ["llm"], "start": [at(0)]})
    frame = ll.agents(Traces.from_frames({"spans": pd.concat([chain, wide, plain])}))
    rows = {row["measure"]: row for row in frame.to_dict("records")}
    assert (rows["steps"]["n"], rows["steps"]["max"], rows["tool_calls"]["max"]) == (2, n - 1, 4)
    assert (rows["depth"]["max"], rows["depth"]["over"], rows["depth"]["share_over"]) == (n - 1, 1, 0.5)
    assert rows["fan_out"]["max"] == 4
    assert rows["cost_usd"]["max"] == n - 1  # the agent repeats what its calls cost
    assert frame.beside["deep"]["trace_id"].tolist() == ["deep"]
    assert frame.notes[0] == "1 of 3 traces have neither agents nor tools."


def asked(*arguments: str, tool: str = "look", offered: str | None = OFFERED) -> Traces:
    spans, contents = [], []
    for n, given_ in enumerate(arguments):
        told = {
            "gen_ai.operation.name": "chat",
            "gen_ai.output.messages": orjson.dumps(
                [
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool_call", "id": f"c{n}", "name": tool, "arguments": given_}],
                    }
                ]
            ).decode(),
        }
        if offered is not None:
            told["gen_ai.tool.definitions"] = offered
        ran = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            "gen_ai.tool.call.id": f"c{n}",
            "gen_ai.tool.call.arguments": given_,
        }
        for span, kind, attributes in (("m", "llm", told), ("t", "tool", ran)):
            spans.append(
                {
                    "trace_id": "t",
                    "span_id": f"{span}{n}",
                    "kind": kind,
                    "name": kind,
                    "start": at(n),
                    "end": at(n + 1),
                    "duration_s": 1.0,
                    "status": "ok",
                }
            )
            contents.append({"trace_id": "t", "span_id": f"{span}{n}", "attributes": orjson.dumps(attributes).decode()})
    return Traces.from_frames({"spans": pd.DataFrame(spans), "contents": pd.DataFrame(contents)})


def test_arguments_that_break_the_schema_and_unknown_tools_are_counted() -> None:
    frame = ll.tools(asked('{"sku": "a"}', "{}", "no json"))
    (row,) = frame.to_dict("records")
    assert (row["tool"], row["n"], row["checked"], row["misused"], row["unknown"]) == ("look", 3, 3, 2, 0)
    assert set(frame.beside["misuse"]["why"]) == {"'sku' is a required property", "'no json' is not of type 'object'"}
    (row,) = ll.tools(asked("{}", tool="gaze")).to_dict("records")
    assert (row["unknown"], row["checked"]) == (1, 0)


EMPTY = [
    "[]", " [ ]\n", "{}", "null", '""', '{"results": []}', '{"total": 0, "items": [], "next": null}', '{"rows":null}',
    "No results found.", "0 matching documents", "Nothing was found", "not found",
]  # fmt: skip
FULL = [
    "[0]",
    "0",
    "false",
    "ok",
    '{"results": [1], "errors": []}',
    '{"id": 7, "tags": []}',
    "No results are final yet",
]


def gave(*results: str | None) -> Traces:
    """Make a run of a tool an hour, each with its result."""
    n = range(len(results))
    spans = pd.DataFrame(
        {
            "trace_id": [f"t{each}" for each in n],
            "span_id": "s",
            "kind": "tool",
            "name": "look",
            "feature": ["a" if each % 2 else "b" for each in n],
            "start": [at(3600 * each) for each in n],
            "status": "ok",
        }
    )
    told = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
    attributes = [
        orjson.dumps(told | ({} if each is None else {"gen_ai.tool.call.result": each})).decode() for each in results
    ]
    contents = spans[["trace_id", "span_id"]].assign(attributes=attributes)
    return Traces.from_frames({"spans": spans, "contents": contents})


@pytest.mark.parametrize(("results", "empty"), [(EMPTY, len(EMPTY)), (FULL, 0), ([None, None], 0)])
def test_results_that_hold_nothing_are_counted(results: list[str | None], empty: int) -> None:
    frame = ll.tools(gave(*results))
    (row,) = frame.to_dict("records")
    assert (row["empty"], row["failed"]) == (empty, 0)
    assert row["told"] == sum(each is not None for each in results)
    assert any("do not say what they gave" in note for note in frame.notes) == (None in results)


def test_the_calls_that_failed_or_gave_nothing_are_listed() -> None:
    beside = ll.tools(gave("[]", '{"error": "down"}', "[1]", "[]"), by="feature").beside
    assert beside["empty"][["trace_id", "feature"]].to_numpy().tolist() == [["t0", "b"], ["t3", "a"]]
    assert beside["failed"]["trace_id"].tolist() == ["t1"]


def test_a_tool_that_begins_to_give_nothing_is_an_incident() -> None:
    found = ll.triage(gave(*["[1]"] * 150, *["[]"] * 50))
    assert found["finding"].iloc[0].startswith("empty results of look rose from 0 % to 100 %")
    assert set(found.traces(0).trace_ids) == {f"t{each}" for each in range(150, 200)}


def test_a_pattern_of_strangers_is_not_run() -> None:
    (row,) = ll.tools(asked(orjson.dumps({"sku": "a" * 5000 + "!"}).decode())).to_dict("records")
    assert row["misused"] == 0


CALLS = st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(0, 60), st.booleans())


@examples(8)
@given(st.lists(CALLS, min_size=20, max_size=150))
@example([("a", 0, True)])
@example([(None, 7, False)])
def test_counts_and_seconds_of_tools_are_those_of_a_plain_loop(rows: list[tuple[str | None, int, bool]]) -> None:
    spans = pd.DataFrame(
        {
            "trace_id": [f"t{n}" for n in range(len(rows))],
            "span_id": "s",
            "kind": "tool",
            "name": "run",
            "feature": [feature for feature, _, _ in rows],
            "start": [at(n) for n in range(len(rows))],
            "duration_s": [float(seconds - 5) for _, seconds, _ in rows],
            "status": ["error" if failed else "ok" for _, _, failed in rows],
        }
    )
    attributes = '{"gen_ai.operation.name":"execute_tool","gen_ai.tool.name":"run"}'
    contents = spans[["trace_id", "span_id"]].assign(attributes=attributes)
    frame = ll.tools(Traces.from_frames({"spans": spans, "contents": contents}), by="feature")
    assert len(frame) == len({feature for feature, _, _ in rows})
    for row in frame.to_dict("records"):
        own = [each for each in rows if each[0] == (None if pd.isna(row["feature"]) else row["feature"])]
        times = [float(seconds - 5) for _, seconds, _ in own if seconds >= 5]
        assert (row["n"], row["failed"]) == (len(own), sum(failed for _, _, failed in own))
        for name, level, least in (("p50_s", 0.5, 2), ("p95_s", 0.95, 20)):
            if len(times) < least:
                assert pd.isna(row[name])
                continue
            assert row[name] == pytest.approx(np.quantile(times, level, method="hazen"))
            for end, side in ((f"{name}_low", -1), (f"{name}_high", 1)):
                assert pd.isna(row[end]) or (row[end] in times and side * (row[end] - row[name]) >= 0)


def test_what_was_offered_is_not_always_known() -> None:
    frame = ll.tools(asked("{}", offered=None))
    assert (frame["unknown"].tolist(), frame["checked"].tolist()) == ([0], [0])
    assert "not known which tools" in frame.notes[0]


LOOK = {"name": "look", "description": 'Says "stock" of an article.', "parameters": SCHEMA}
ONE_BY_ONE = {
    "OpenInference": {
        "llm.tools.0.tool.json_schema": orjson.dumps({"type": "function", "function": LOOK}).decode(),
        "llm.tools.1.tool.json_schema": '{"name": "other", "input_schema": {"type": "object"}}',
    },
    "Traceloop": {
        "llm.request.functions.0.name": "other",
        "llm.request.functions.0.description": "Does something else.",
        "llm.request.functions.1.name": "look",
        "llm.request.functions.1.description": LOOK["description"],
        "llm.request.functions.1.parameters": orjson.dumps(SCHEMA).decode(),
    },
}


@pytest.mark.parametrize("convention", ONE_BY_ONE)
def test_tools_that_are_listed_one_by_one_are_known(convention: str) -> None:
    traces = asked('{"sku": "a"}', "{}", offered=None)
    contents = traces.contents
    said = [orjson.loads(attributes) for attributes in contents["attributes"]]
    told = [a | ONE_BY_ONE[convention] if a["gen_ai.operation.name"] == "chat" else a for a in said]
    contents["attributes"] = [orjson.dumps(a).decode() for a in told]
    frame = ll.tools(Traces.from_frames({"spans": traces.spans, "contents": contents}))
    (row,) = frame.to_dict("records")
    assert (row["n"], row["checked"], row["misused"], row["unknown"]) == (2, 2, 1, 0)
    assert frame.beside["misuse"]["why"].tolist() == ["'sku' is a required property"]


@examples(60)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 200), st.booleans()), max_size=30))
@example([("a", 0, True), ("a", 0, True), ("a", 1, True), ("a", 43, True), ("a", 43, True)])
def test_bursts_are_those_of_a_plain_search(steps: list[tuple[str, int, bool]]) -> None:
    frame = pd.DataFrame(
        [
            {"trace_id": f"t{n}", "tool": tool, "start": at(gap * 7), "failed": failed, "executed": True}
            for n, (tool, gap, failed) in enumerate(steps)
        ],
        columns=["trace_id", "tool", "start", "failed", "executed"],
    ).astype({"start": "datetime64[us, UTC]"})
    found, _ = _bursts(frame)
    expected = []
    for tool, group in frame.groupby("tool"):
        rows: list[Any] = list(group.sort_values("start", kind="stable").itertuples(index=False))
        threes = [
            set(range(i, i + BURST))
            for i in range(len(rows) - BURST + 1)
            if all(r.failed for r in rows[i : i + BURST])
            and (rows[i + BURST - 1].start - rows[i].start).total_seconds() <= BURST_S
        ]
        runs: list[set[int]] = []
        for three in threes:
            if runs and runs[-1] & three:
                runs[-1] |= three
            else:
                runs.append(three)
        expected += [(tool, len(run)) for run in runs]
    assert sorted(zip(found["tool"], found["failures"], strict=True)) == sorted(expected)


def test_context_growth_and_the_window() -> None:
    spans = pd.DataFrame(
        {
            "trace_id": "t",
            "span_id": list("abc"),
            "parent_id": "r",
            "kind": "llm",
            "model": "m",
            "feature": "f",
            "start": [at(0), at(1), at(2)],
            "input_tokens": [100, 400, 900],
        }
    )
    traces = Traces.from_frames({"spans": spans})
    rows = {
        row["measure"]: row for row in ll.context_growth(traces, by="feature", windows={"m": 1000}).to_dict("records")
    }
    assert (rows["steps"]["mean"], rows["first"]["mean"], rows["peak"]["mean"], rows["growth"]["mean"]) == (
        3,
        100,
        900,
        400,
    )
    assert (rows["share"]["mean"], rows["share"]["window"]) == (0.9, 1000)
    talk = ll.context_growth(traces, windows={"m": 1000}).beside["conversations"].iloc[0]
    assert talk["steps_left"] == 0.25
    unknown = ll.context_growth(traces)
    assert unknown["window"].isna().all()
    assert "share" not in set(unknown["measure"])
    assert unknown.notes == ("the window is not known of: m",)
    with pytest.raises(SelectionError, match="windows="):
        ll.context_growth(traces, windows={"m": 0})


def test_context_does_not_grow_between_calls_of_no_known_order() -> None:
    spans = pd.DataFrame({"trace_id": "t", "span_id": list("abc"), "parent_id": "r", "kind": "llm", "model": "m",
                          "start": [at(0), None, at(2)], "input_tokens": [100, 400, 900]})  # fmt: skip
    found = ll.context_growth(Traces.from_frames({"spans": spans}))
    assert set(found["measure"]) == {"steps", "peak"}
    assert "1 of 3 model calls have no time: which was first is not known." in found.notes


def test_hand_offs_down_the_tree_and_one_after_the_other() -> None:
    rows: list[dict[str, Any]] = [
        {"span_id": "p", "kind": "agent", "agent_name": "plan", "start": at(0), "end": at(9)},
        {"span_id": "x", "parent_id": "p", "kind": "tool", "start": at(1), "end": at(8)},
        {
            "span_id": "s",
            "parent_id": "x",
            "kind": "agent",
            "agent_name": "stock",
            "start": at(2),
            "end": at(6),
            "status": "error",
        },
        {
            "span_id": "m",
            "parent_id": "s",
            "kind": "llm",
            "start": at(3),
            "end": at(4),
            "input_tokens": 5,
            "cost_usd": 2.0,
        },
        {"span_id": "w", "kind": "agent", "agent_name": "write", "start": at(10), "end": at(11)},
    ]
    frame = ll.handoffs(Traces.from_frames({"spans": pd.DataFrame(rows).assign(trace_id="t")}))
    found = {(r["from_agent"], r["to_agent"]): r for r in frame.to_dict("records")}
    assert set(found) == {("plan", "stock"), ("plan", "write")}
    stock = found["plan", "stock"]
    assert (stock["n"], stock["failed"], stock["seconds"], stock["tokens"], stock["cost_usd"]) == (1, 1, 4.0, 5, 2.0)
    assert pd.isna(found["plan", "write"]["cost_usd"])


@pytest.mark.parametrize("measure", [ll.agents, ll.tools, ll.context_growth, ll.handoffs, ll.sessions, ll.users])
def test_groups_periods_and_nothing(week: Traces, measure: Any) -> None:
    frame = measure(week, by="feature", every="1D")
    assert list(frame.columns[:1]) == ["feature"]
    assert "period" in frame
    assert frame.plot() is not None
    assert measure(week).plot() is not None
    assert len(measure(week.where(feature="nothing"), by="feature", every="1D")) == 0
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        measure(week, by="featur")


@examples(20)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u", "v", "w", None]),
            st.sampled_from(["1", "2", None]),
            st.integers(0, 3),
            st.sampled_from([None, 1.0, 5.0]),
        ),
        min_size=1,
        max_size=25,
    )
)
def test_users_and_sessions_are_those_of_a_plain_count(
    rows: list[tuple[str | None, str | None, int, float | None]],
) -> None:
    spans = pd.DataFrame(
        {
            "trace_id": [f"t{n}" for n in range(len(rows))],
            "span_id": "1",
            "kind": "llm",
            "user_id": pd.Series([u for u, *_ in rows], dtype=object),
            "session_id": pd.Series([s for _, s, *_ in rows], dtype=object),
            "start": [START + pd.Timedelta(days=d) for *_, d, _ in rows],
            "cost_usd": pd.Series([c for *_, c in rows], dtype=float),
        }
    )
    traces = Traces.from_frames({"spans": spans})
    told = [row for row in rows if row[0] is not None]
    frame = ll.users(traces)
    assert len(frame) == (1 if told else 0)
    if told:
        (row,) = frame.to_dict("records")
        people = {row[0] for row in told}
        spent = sorted((sum(c or 0 for u, *_, c in told if u == p) for p in people), reverse=True)
        assert (row["users"], row["traces"]) == (len(people), len(told))
        assert row["returned"] == sum(len({d for u, _, d, _ in told if u == p}) > 1 for p in people)
        if sum(spent) > 0:
            assert row["heavy"] == next(n for n in range(1, len(spent) + 1) if sum(spent[:n]) >= sum(spent) / 2)
    turns = ll.sessions(traces)
    turns = turns[turns["measure"] == "turns"]
    sizes = [sum(s == one for _, s, *_ in rows) for one in {s for _, s, *_ in rows if s is not None}]
    assert turns["n"].tolist() == ([len(sizes)] if sizes else [])
    assert turns["mean"].tolist() == ([pytest.approx(np.mean(sizes))] if sizes else [])


def test_the_figure_of_tools_shows_what_failed_and_what_gave_nothing() -> None:
    (bars,) = ll.tools(gave("[]", '{"error": "down"}', "[1]", "[1]")).plot().data
    assert dict(zip(bars.y, bars.x, strict=True)) == {"look · failed": 0.25, "look · empty": 1 / 4}
    (bars,) = ll.tools(gave("[1]", "[1]")).plot().data
    assert list(bars.y) == ["look · failed"]
    over_time = ll.tools(gave("[]", "[1]"), every="1D").plot()
    assert {line.name for line in over_time.data} == {"look · failed", "look · empty"}
