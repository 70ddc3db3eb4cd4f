"""Loops of random calls and hand-overs, beside plain loops over them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.statistics.shares import wilson
from llmlens.traces import Traces
from tests.examples import examples

if TYPE_CHECKING:
    from collections.abc import Callable

START = pd.Timestamp("2026-01-05", tz="UTC")
#: The first two read the same, the next differs in spelling, the fourth shares half of all words.
ARGUMENTS = ['{"q": "red shoes", "n": 1}', '{"n":1,"q":"red shoes"}', '{"n": 1, "q": "Red-Shoes"}',
             '{"n": 1, "q": "red boots for kids"}', '{"x": "tents"}']  # fmt: skip
RESULTS = [None, "nothing", "2 found", "pending", "error: no"]
SPENT = ("tokens", "seconds", "cost_usd")
#: What the spans of these tests say.
COLUMNS = {
    **dict.fromkeys(("trace_id", "span_id", "parent_id", "kind", "name", "feature", "agent_name", "status"), "str"),
    **dict.fromkeys(("start", "end"), "datetime64[us, UTC]"), **dict.fromkeys(("duration_s", "cost_usd"), "Float64"),
    "status_message": "str", "input_tokens": "Int64",
}  # fmt: skip
CALL = st.fixed_dictionaries(
    {
        "tool": st.sampled_from("xyz"),
        "arguments": st.sampled_from(ARGUMENTS),
        "result": st.sampled_from(RESULTS),
        "failed": st.sampled_from([False, False, True]),
        "asked": st.sampled_from(["by a model", "by a model", "with the one before", "by nobody"]),
        "seconds": st.sampled_from([-1.0, 1.0, 2.5]),
        "tokens": st.sampled_from([None, 7, 20]),
        "cost": st.sampled_from([None, 0.25, 2.0]),
    }
)


def in_circles(step: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Draw steps of which some come again and again."""
    circle = st.tuples(st.lists(step, min_size=1, max_size=4), st.sampled_from([1, 2, 3, 3, 4]))
    rounds = st.lists(circle, max_size=3)
    return rounds.map(lambda drawn: [step for steps, times in drawn for step in steps * times][:14])


def paths(step: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[str, list[Any]]]]:
    """Draw traces: a feature, and its steps."""
    return st.lists(st.tuples(st.sampled_from("ab"), in_circles(step)), min_size=1, max_size=3)


def repeated(
    order: list[int], same: Callable[[int, int], bool], period: int, taken: set[int]
) -> list[tuple[list[int], list[int]]]:
    """Give the steps, and those after the first round, of all that goes round in `period` steps: they are taken."""
    again = [
        place >= period
        and not {order[place], order[place - period]} & taken
        and same(order[place - period], order[place])
        for place in range(len(order))
    ]
    found, place = [], 0
    while place < len(order):
        end = place
        while end < len(order) and again[end]:
            end += 1
        steps = order[place - period : end]
        turns = period == 1 or not all(same(*pair) for pair in pairwise(steps))
        if end - place >= 2 * period and turns:
            found.append((steps, order[place:end]))
            taken |= set(steps)
        place = end + 1
    return found


def total(values: list[Any]) -> Any:
    """Sum what is known; None of nothing."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def rows_of(frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
    """Give rows, None where NA, in an order of their own."""
    rows = [
        tuple(None if pd.isna(row[column]) else row[column] for column in columns) for row in frame.to_dict("records")
    ]
    return sorted(rows, key=str)


def same_as_by_hand(frame: ll.Result, loops: list[dict[str, Any]], features: list[str]) -> None:
    """Hold the loops of traces, a trace a feature, against those found by hand."""
    columns = ["trace_id", "pattern", "what", "calls", "rounds", "start", "end", "failed", *SPENT]
    assert rows_of(frame.beside["loops"], columns) == rows_of(
        pd.DataFrame(loops, columns=columns, dtype=object), columns
    )
    expected = []
    for feature, pattern in {(features[int(loop["trace_id"][1:])], loop["pattern"]) for loop in loops}:
        own = [loop for loop in loops if loop["pattern"] == pattern and features[int(loop["trace_id"][1:])] == feature]
        hit, n = len({loop["trace_id"] for loop in own}), features.count(feature)
        sums = [total([loop[name] for loop in own]) for name in ("calls", *SPENT)]
        expected.append((feature, pattern, len(own), hit, n, hit / n, *wilson(hit / n, n), *sums))
    expected.sort(key=lambda row: (-row[3], -row[2], row[0], row[1]))
    told = [tuple(None if pd.isna(value) else value for value in row) for row in frame.itertuples(index=False)]
    assert told == expected


def traces_of_calls(paths: list[tuple[str, list[dict[str, Any]]]]) -> tuple[Traces, list[list[dict[str, Any]]]]:
    """Make traces in which models ask for calls of tools, and say of each call what it did and who asked for it."""
    spans, contents, known = [], [], []
    for trace, (feature, steps) in enumerate(paths):
        shared = {"trace_id": f"t{trace}", "feature": feature}
        spans.append(shared | {"span_id": "root", "kind": "chain", "start": START, "status": "ok"})
        own: list[dict[str, Any]] = []
        for n, step in enumerate(steps):
            asker: str | None = f"m{n:02d}"
            if step["asked"] != "by a model":
                asker = own[-1]["asker"] if own and step["asked"] == "with the one before" else None
            model = {"tokens": step["tokens"], "cost": step["cost"]}
            if asker and own and own[-1]["asker"] == asker:
                model = own[-1]["model"]
            at = START + pd.Timedelta(seconds=10 * n)
            own.append({**step, "asker": asker, "model": model, "start": at, "end": at + pd.Timedelta(seconds=1)})
            spans.append(shared | {
                "span_id": f"s{n:02d}", "parent_id": "root", "kind": "tool", "name": step["tool"], "start": at,
                "end": own[-1]["end"], "duration_s": step["seconds"], "status": "error" if step["failed"] else "ok",
                "status_message": "boom" if step["failed"] else None,
            })  # fmt: skip
            ran = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": step["tool"],
                   "gen_ai.tool.call.arguments": step["arguments"], "gen_ai.tool.call.id": f"c{n}"}  # fmt: skip
            contents.append({"trace_id": f"t{trace}", "span_id": f"s{n:02d}", "output": step["result"],
                             "attributes": orjson.dumps(ran).decode()})  # fmt: skip
        for asker in {call["asker"] for call in own} - {None}:
            asked = [n for n, call in enumerate(own) if call["asker"] == asker]
            used = own[asked[0]]["model"]
            spans.append(shared | {
                "span_id": asker, "parent_id": "root", "kind": "llm", "start": own[asked[0]]["start"],
                "end": own[asked[0]]["start"], "duration_s": 3.0, "status": "ok", "input_tokens": used["tokens"],
                "cost_usd": used["cost"],
            })  # fmt: skip
            parts = [{"type": "tool_call", "id": f"c{n}", "name": own[n]["tool"],
                      "arguments": orjson.loads(own[n]["arguments"])} for n in asked]  # fmt: skip
            said = orjson.dumps([{"role": "assistant", "parts": parts}]).decode()
            contents.append({"trace_id": f"t{trace}", "span_id": asker, "output": None, "attributes": orjson.dumps(
                {"gen_ai.operation.name": "chat", "gen_ai.output.messages": said}).decode()})  # fmt: skip
        known.append(own)
    frame = pd.DataFrame(spans, columns=list(COLUMNS))
    frames = {"spans": frame.astype(COLUMNS)}
    return Traces.from_frames(frames | ({"contents": pd.DataFrame(contents)} if contents else {})), known


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def loops_by_hand(calls: list[dict[str, Any]], trace_id: str) -> list[dict[str, Any]]:
    """Find the loops in the calls of a trace by looking at all pairs."""
    failed = [call["failed"] or call["result"] == "error: no" for call in calls]
    outcome = ["boom" if call["failed"] else call["result"] for call in calls]
    read = [orjson.dumps(orjson.loads(call["arguments"]), option=orjson.OPT_SORT_KEYS).decode() for call in calls]

    def same(a: int, b: int) -> bool:
        one, other = words(read[a]), words(read[b])
        if calls[a]["tool"] != calls[b]["tool"] or (outcome[b] == "pending" and not failed[b]):
            return False
        if re.sub(r"\W", "", read[a].lower()) == re.sub(r"\W", "", read[b].lower()):
            return None in (outcome[a], outcome[b]) or outcome[a] == outcome[b] or (failed[a] and failed[b])
        return outcome[a] is not None and outcome[a] == outcome[b] and len(one & other) / len(one | other) >= 0.5

    taken: set[int] = set()
    found = [
        ("cycle", period, *each)
        for period in (2, 3, 4)
        for each in repeated(list(range(len(calls))), same, period, taken)
    ]
    for tool in "xyz":
        for each in repeated([n for n, call in enumerate(calls) if call["tool"] == tool], same, 1, taken):
            pattern = "identical" if len({read[n] for n in each[0]}) == 1 else "near-identical"
            found.append((pattern, 1, *each))
    loops = []
    for pattern, period, steps, again in found:
        models = {calls[n]["asker"]: calls[n]["model"] for n in again if calls[n]["asker"]}
        lasted = [calls[n]["seconds"] for n in again if calls[n]["seconds"] >= 0] + [3.0] * len(models)
        loops.append({
            "trace_id": trace_id, "pattern": pattern, "what": " → ".join(calls[n]["tool"] for n in steps[:period]),
            "calls": len(again), "rounds": len(steps) / period, "start": calls[steps[0]]["start"],
            "end": calls[steps[-1]]["end"], "failed": sum(failed[n] for n in steps),
            "tokens": total([used["tokens"] for used in models.values()]), "seconds": total(lasted),
            "cost_usd": total([used["cost"] for used in models.values()]),
        })  # fmt: skip
    return loops


PLAIN = {"tool": "x", "result": "nothing", "failed": False, "asked": "by a model", "seconds": 1.0, "tokens": 7,
         "cost": 2.0}  # fmt: skip


@examples(15)
@given(paths(CALL))
@example([("a", [PLAIN | {"arguments": ARGUMENTS[n]} for n in (0, 3, 1)])])
def test_loops_of_calls_are_those_of_looking_at_all_pairs(paths: list[tuple[str, list[dict[str, Any]]]]) -> None:
    traces, known = traces_of_calls(paths)
    expected = [loop for n, calls in enumerate(known) for loop in loops_by_hand(calls, f"t{n}")]
    same_as_by_hand(ll.loops(traces, by="feature"), expected, [feature for feature, _ in paths])


AGENT = st.tuples(st.sampled_from("xy"), st.sampled_from([None, 5, 8]), st.sampled_from([None, 0.5]), st.booleans())


@examples(15)
@given(paths(AGENT))
def test_agents_in_turn_are_those_of_looking_at_all_pairs(paths: list[tuple[str, list[Any]]]) -> None:
    spans, expected = [], []
    for trace, (feature, steps) in enumerate(paths):
        shared = {"trace_id": f"t{trace}", "feature": feature, "kind": "agent"}
        spans.append(shared | {"span_id": "root", "kind": "chain", "start": START})
        at = [START + pd.Timedelta(seconds=10 * n) for n in range(len(steps))]
        for n, (agent, tokens, cost, failed) in enumerate(steps):
            times = {"start": at[n], "end": at[n] + pd.Timedelta(seconds=9)}
            status = {"status": "error" if failed else "ok"}
            spans.append(shared | times | status | {"span_id": f"a{n:02d}", "agent_name": agent})
            used = {"kind": "llm", "span_id": f"m{n:02d}", "input_tokens": tokens, "cost_usd": cost}
            spans.append(shared | times | used)
        taken: set[int] = set()
        for period in (2, 3, 4):
            found = repeated(list(range(len(steps))), lambda a, b, of=steps: of[a][0] == of[b][0], period, taken)  # type: ignore[misc]
            for turns, again in found:
                expected.append({
                    "trace_id": f"t{trace}", "pattern": "agents",
                    "what": " → ".join(steps[n][0] for n in turns[:period]), "calls": len(again),
                    "rounds": len(turns) / period, "start": at[turns[0]],
                    "end": at[turns[-1]] + pd.Timedelta(seconds=9),
                    "failed": sum(steps[n][3] for n in turns), "tokens": total([steps[n][1] for n in again]),
                    "seconds": (at[turns[-1]] - at[again[0]]).total_seconds() + 9,
                    "cost_usd": total([steps[n][2] for n in again]),
                })  # fmt: skip
    traces = Traces.from_frames({"spans": pd.DataFrame(spans, columns=list(COLUMNS)).astype(COLUMNS)})
    same_as_by_hand(ll.loops(traces, by="feature"), expected, [feature for feature, _ in paths])
