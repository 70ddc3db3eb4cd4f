"""Loops: found where they were planted, beside a plain search; polling and new arguments are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import UnknownNameError
from llmlens.measure.loops import loops_of_calls
from llmlens.measure.repeats import ROUNDS, repeats
from llmlens.traces import Traces

START = pd.Timestamp("2026-01-01", tz="UTC")


def calls(*steps: tuple[str, str, int], failed: bool = False, waiting: bool = False) -> pd.DataFrame:
    """Make calls of one trace: (tool, arguments, number of the outcome)."""
    rows = [
        {
            "trace_id": "t",
            "span_id": f"s{n}",
            "requested_by": f"m{n}",
            "call_id": f"c{n}",
            "tool": tool,
            "arguments": arguments,
            "outcome": outcome,
            "failed": failed,
            "waiting": waiting,
            "tokens": 10,
            "duration_s": 1.0,
            "asked_s": 2.0,
            "cost_usd": 0.5,
            "start": START + pd.Timedelta(seconds=n),
            "end": START + pd.Timedelta(seconds=n + 1),
        }
        for n, (tool, arguments, outcome) in enumerate(steps)
    ]
    return pd.DataFrame(rows).astype({"outcome": "Int64"})


def found(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(loops_of_calls(frame)[["pattern", "what", "rounds"]].itertuples(index=False, name=None))


SAME = ("look", '{"a": 1}', 1)


def test_the_same_call_three_times_is_a_loop_and_what_came_after_the_first_is_its_cost() -> None:
    frame = loops_of_calls(calls(SAME, SAME, ("other", "{}", 5), ("look", '{"a":1}', 1)))
    (row,) = frame.to_dict("records")
    assert (row["pattern"], row["what"], row["rounds"]) == ("identical", "look", 3)
    assert (row["calls"], row["tokens"], row["seconds"], row["cost_usd"]) == (2, 20, 6.0, 1.0)


def test_arguments_that_read_alike_with_the_same_outcome_are_near_identical() -> None:
    spelled = [("look", '{"q": "Red Shoes"}', 1), ("look", '{"q": "red shoes"}', 1), ("look", '{"q": "red-shoes"}', 1)]
    assert found(calls(*spelled)) == [("near-identical", "look", 3)]
    reworded = [("look", f'{{"q": "red shoes size {n} men"}}', 1) for n in (7, 8, 9)]
    assert found(calls(*reworded)) == [("near-identical", "look", 3)]


def test_cycles_of_tools_are_found() -> None:
    a, b, c = ("a", "{}", 1), ("b", "{}", 2), ("c", "{}", 3)
    assert found(calls(a, b, a, b, a, b)) == [("cycle", "a → b", 3)]
    assert found(calls(c, a, b, c, a, b, c, a, b)) == [("cycle", "c → a → b", 3)]
    assert found(calls(a, b, a, b)) == []


@pytest.mark.parametrize(
    "frame",
    [
        calls(SAME, SAME),
        calls(*(("look", f'{{"sku": "HP-{n}"}}', n) for n in range(6))),
        calls(*(("look", '{"a": 1}', n) for n in range(6))),
        calls(SAME, SAME, SAME, SAME, waiting=True),
        calls(*(("look", f'{{"page": {n}}}', n) if n % 2 else ("read", f'{{"id": {n}}}', n) for n in range(8))),
    ],
    ids=["twice", "new arguments", "new outcomes", "polling", "search and read"],
)
def test_what_goes_on_is_no_loop(frame: pd.DataFrame) -> None:
    assert found(frame) == []


def plain(sequence: list[tuple[int, int]], period: int) -> list[list[int]]:
    """Find repeats of one period by looking at every place in turn; the first round of one may end another."""
    out, i = [], period
    while i < len(sequence):
        j = i
        while j < len(sequence) and sequence[j] == sequence[j - period]:
            j += 1
        steps = list(range(i - period, j))
        if len(steps) >= ROUNDS * period and (period == 1 or len({sequence[step] for step in steps}) > 1):
            out.append(steps)
        i = j + 1
    return out


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=40), st.integers(1, 4))
@example([(0, what) for what in (0, 1, 0, 1, 0, 1, 2, 1, 2, 1, 2)], 2)
def test_repeats_are_those_of_a_plain_search(steps: list[tuple[int, int]], period: int) -> None:
    steps = sorted(steps, key=lambda s: s[0])
    trace, what = (np.array([s[i] for s in steps], np.int64) for i in (0, 1))
    out = repeats(trace, lambda a, b: what[a] == what[b], range(period, period + 1), np.ones(len(steps), np.bool_))
    assert [r.steps.tolist() for r in out] == plain(steps, period)


def test_agents_that_hand_over_in_turn_and_their_cost() -> None:
    names = ["plan", "stock"] * 3
    at = [START + pd.Timedelta(seconds=n) for n in range(6)]
    agents = pd.DataFrame(
        {
            "trace_id": "t",
            "span_id": [f"a{n}" for n in range(6)],
            "kind": "agent",
            "agent_name": names,
            "start": at,
            "end": [t + pd.Timedelta(seconds=1) for t in at],
        }
    )
    models = agents.assign(
        span_id=[f"m{n}" for n in range(6)], kind="llm", agent_name=None, cost_usd=1.0, input_tokens=5
    )
    frame = ll.loops(Traces.from_frames({"spans": pd.concat([agents, models])}), by="kind")
    (row,) = frame.to_dict("records")
    assert (row["pattern"], row["traces"], row["n"], row["tokens"], row["cost_usd"]) == ("agents", 1, 1, 20, 4.0)


def test_groups_periods_and_nothing(week: Traces) -> None:
    frame = ll.loops(week, by="feature", every="1D")
    assert list(frame.columns[:3]) == ["feature", "period", "pattern"]
    assert len(frame.plot().data) >= 0
    assert ll.loops(week).plot().layout.title.text == "Loops, as a share of traces"
    assert len(ll.loops(week.where(feature="nothing"), by="feature", every="1D")) == 0
    with pytest.raises(UnknownNameError, match="Did you mean 'feature'"):
        ll.loops(week, by="featur")
