"""Spans put together by the names of their attributes."""

from __future__ import annotations

from llmlens.read.alike import alike


def test_spans_with_the_same_names_in_the_same_order_are_alike() -> None:
    groups = alike([{"a": 1, "b": 2}, {}, {"a": 3, "b": None}, {"b": 4, "a": 5}])
    assert [(group.names, group.rows) for group in groups] == [(("a", "b"), [0, 2]), ((), [1]), (("b", "a"), [3])]


def test_values_come_a_tuple_a_span_also_those_of_one_name() -> None:
    [group] = alike([{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": 5, "c": 6}])
    assert list(group.values(["c", "a"])) == [(3, 1), (6, 4)]
    assert list(group.values(["b"])) == [(2,), (5,)]
