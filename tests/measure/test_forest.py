"""Self time and critical path of all traces at once, beside the plain recursion."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from llmlens.measure.forest import Forest


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    """Draw small forests: children outside of their parents, spans without length, spans that end before they begin."""
    n = draw(st.integers(0, 14))
    drawn = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    trace = np.unique(np.array(drawn, np.int64), return_inverse=True)[1]
    parents = []
    for i in range(n):
        above = [j for j in range(i) if trace[j] == trace[i]]
        parents.append(draw(st.sampled_from([-1, *above])))
    start = np.array(draw(st.lists(st.integers(0, 20), min_size=n, max_size=n)), np.int64)
    length = np.array(draw(st.lists(st.integers(-2, 12), min_size=n, max_size=n)), np.int64)
    return Forest(np.array(parents, np.int64), start, start + length, trace)


def plain(forest: Forest) -> tuple[list[int], list[int]]:
    """Compute the same by a recursion over one span after the other, moment by moment."""
    n, n_traces = len(forest.parent), forest.n_traces
    start = forest.start.tolist()
    end = np.maximum(forest.start, forest.end).tolist()
    for trace in range(n_traces):
        members = [i for i in range(n) if forest.trace[i] == trace]
        start.append(min(start[i] for i in members))
        end.append(max(end[i] for i in members))
    children: list[list[int]] = [[] for _ in range(n + n_traces)]
    for i in range(n):
        children[forest.parent[i] if forest.parent[i] >= 0 else n + forest.trace[i]].append(i)
    own, path = [0] * (n + n_traces), [0] * (n + n_traces)

    def walk(node: int, low: int, high: int, waited: bool) -> None:
        low, high = min(max(low, start[node]), high), max(low, min(high, end[node]))
        inside = [(max(low, min(high, end[c])), c, min(max(low, start[c]), high)) for c in children[node]]
        own[node] = high - low - len({moment for last, _, begin in inside for moment in range(begin, last)})
        inside.sort()
        chain, left = set(), high - low
        while inside:
            last, child, begin = inside.pop()
            chain.add(child)
            left -= last - begin
            while inside and inside[-1][0] > begin:
                inside.pop()
        path[node] = left if waited else 0
        for child in children[node]:
            walk(child, low, high, waited and child in chain)

    for trace in range(n_traces):
        walk(n + trace, start[n + trace], end[n + trace], waited=True)
    return own, path


@given(forests())
def test_it_is_what_a_recursion_finds(forest: Forest) -> None:
    own, path = plain(forest)
    assert forest.self_time.tolist() == own
    assert forest.path_time.tolist() == path


@given(forests())
def test_the_path_is_as_long_as_the_trace(forest: Forest) -> None:
    n = len(forest.parent)
    start, end = forest.clipped
    length = (end - start)[n:]
    owner = np.append(forest.trace, np.arange(forest.n_traces))
    assert np.bincount(owner, forest.path_time, forest.n_traces).tolist() == length.tolist()


def test_what_runs_beside_the_path_is_not_waited_for() -> None:
    # A root of 10, two children at once, of which the second ends last; then a gap and a third.
    forest = Forest(*(np.array(a) for a in ([-1, 0, 0, 0], [0, 1, 1, 8], [10, 4, 6, 9], [0, 0, 0, 0])))
    assert forest.path_time.tolist() == [4, 0, 5, 1, 0]
    assert forest.self_time.tolist() == [4, 3, 5, 1, 0]


def test_a_chain_of_a_hundred_thousand_spans_is_no_recursion() -> None:
    n = 100_000
    up, zeros = np.arange(-1, n - 1), np.zeros(n, np.int64)
    forest = Forest(up, np.arange(n), np.full(n, 2 * n), zeros)
    assert forest.path_time[:n].sum() == 2 * n
    assert (forest.self_time[: n - 1] == 1).all()
