"""Depths are right for every shape that parents can have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from llmlens import Traces
from llmlens.read.tree import depths
from tests.examples import examples


def oracle(parents: list[int], starts: list[int]) -> tuple[list[int], set[int]]:
    """Climb from every span, one step at a time; a cycle is cut at its earliest span."""
    parents = list(parents)
    cut = set()
    for first in range(len(parents)):
        path: list[int] = []
        node = first
        while node >= 0 and node not in path:
            path.append(node)
            node = parents[node]
        if node >= 0:
            cycle = path[path.index(node) :]
            head = min(cycle, key=lambda i: (starts[i], i))
            cut.add(head)
            parents[head] = -1
    found = []
    for first in range(len(parents)):
        depth, node = 0, first
        while parents[node] >= 0:
            depth, node = depth + 1, parents[node]
        found.append(depth)
    return found, cut


@st.composite
def forests(draw: Any) -> tuple[list[int], list[int]]:
    n = draw(st.integers(0, 40))
    one = st.integers(-1, n - 1)
    return draw(st.lists(one, min_size=n, max_size=n)), draw(st.lists(st.integers(0, 5), min_size=n, max_size=n))


@given(forests())
@example(([], []))
@example(([0], [0]))
@example(([1, 2, 0, 0], [3, 1, 2, 0]))
def test_depths_are_those_of_a_slow_climb(forest: tuple[list[int], list[int]]) -> None:
    parents, starts = forest
    found = depths(np.array(parents, np.int64), np.array(starts, np.int64))
    expected, cut = oracle(parents, starts)
    assert found.depth.tolist() == expected
    assert set(found.cut.tolist()) == cut


def test_a_chain_of_a_million_spans_needs_no_recursion() -> None:
    n = 1_000_000
    found = depths(np.arange(-1, n - 1), np.zeros(n, np.int64))
    assert (found.depth == np.arange(n)).all()
    assert found.cut.tolist() == []


def test_one_cycle_of_many_spans_is_cut_once() -> None:
    n = 100_000
    start = np.arange(n)[::-1].copy()
    found = depths(np.roll(np.arange(n), 1), start)
    assert found.cut.tolist() == [n - 1]
    assert sorted(found.depth.tolist()) == list(range(n))


@st.composite
def span_lists(draw: st.DrawFn) -> list[tuple[int, int, int]]:
    """Draw (span, parent or 0, start); parents that are missing, cycles and the same span twice among them."""
    return draw(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 14), st.integers(0, 3)), min_size=1, max_size=14))


def test_random_trees_through_the_reader(otlp: Any) -> None:
    @examples(6, suppress_health_check=list(HealthCheck))
    @given(st.lists(span_lists(), min_size=1, max_size=25))
    def check(traces: list[list[tuple[int, int, int]]]) -> None:
        made = [
            otlp.span(trace=t, n=n, parent=parent, at=at)
            for t, listed in enumerate(traces, 1)
            for n, parent, at in listed
        ]
        read = otlp.read(*made)
        spans = read.spans
        assert not spans.duplicated(["trace_id", "span_id"]).any()
        dropped = read.problems.loc[read.problems["action"] == "dropped", "count"].sum()
        assert len(spans) + dropped == len(made)
        cuts = 0
        for t, listed in enumerate(traces, 1):
            last: dict[int, tuple[int, int]] = {}
            for n, parent, at in listed:  # the one that ended last is kept
                if n not in last or at > last[n][1]:
                    last[n] = parent, at
            ambiguous = any(a[0] == b[0] and a[2] == b[2] and a[1] != b[1] for a in listed for b in listed)
            if ambiguous:
                continue
            ids = sorted(last)
            number = {n: i for i, n in enumerate(ids)}
            parents = [number.get(last[n][0], -1) for n in ids]
            expected, cut = oracle(parents, [last[n][1] for n in ids])
            if cut and len({at for _, at in last.values()}) < len(last):
                continue  # among spans that start together, the first in the file is cut
            found = spans[spans["trace_id"] == f"{t:032x}"].set_index("span_id")
            depth = [int(found.loc[f"{n:016x}", "depth"]) for n in ids]
            assert sorted(depth) == sorted(expected)
            cuts += len(cut)
        repaired = read.problems.loc[read.problems["action"] == "repaired", "count"].sum()
        assert repaired >= cuts

    check()


def test_frames_without_depths_get_them() -> None:
    frame = pd.DataFrame({"trace_id": ["t"] * 4, "span_id": list("abcd"), "parent_id": [None, "a", "b", "gone"]})
    spans = Traces.from_frames({"spans": frame}).spans.sort_values("span_id")
    assert spans["depth"].tolist() == [0, 1, 2, 0]
