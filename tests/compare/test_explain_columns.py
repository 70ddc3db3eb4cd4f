"""Columns of codes count like the rows they stand for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.compare.explain.between import Between
from llmlens.compare.explain.binning import numbers
from llmlens.compare.explain.encoding import encode, gathered, places


@given(st.lists(st.one_of(st.none(), st.floats(-100, 100)), min_size=1, max_size=80))
def test_items_of_numbers_count_the_rows_within(values: list[float | None]) -> None:
    array = np.array([np.nan if v is None else v for v in values])
    column = numbers("x", array, np.ones(len(array), dtype=bool))
    for item, count in enumerate(column.count().tolist()):
        value = column.values[item]
        if value is None:
            inside = np.isnan(array)
        elif isinstance(value, Between):
            low, high = (-np.inf if value.low is None else value.low), (np.inf if value.high is None else value.high)
            inside = (array >= low) & (array < high)
        else:
            inside = array == value
        assert count == inside.sum()
        assert (column.holds(item) == inside).all()


def test_few_different_numbers_are_told_by_value() -> None:
    column = numbers("retries", np.array([0.0, 0, 1, 2, 2, 2]), np.ones(6, dtype=bool))
    assert [v for v in column.values if not isinstance(v, Between)] == [0, 1, 2]


@given(st.lists(st.lists(st.sampled_from(["a", "b", "c"]), max_size=4), min_size=1, max_size=30))
def test_what_rows_have_anywhere_is_gathered_once(rows: list[list[str]]) -> None:
    flat = [(row, value) for row, values in enumerate(rows) for value in values]
    codes, values = encode(pa.chunked_array([pa.array([value for _, value in flat], pa.string())]))
    places_ = np.array([row for row, _ in flat], dtype=np.intp)
    column = gathered("x", places_, codes, values, len(rows))
    for item in range(len(column.values)):
        value = column.values[item]
        expected = [not row if value is None else value in row for row in rows]
        assert column.holds(item).tolist() == expected
        assert column.count()[item] == sum(expected)
        picked = np.arange(len(rows))[::2]
        assert column.count(picked)[item] == sum(expected[::2])
        assert column.holds(item, picked).tolist() == expected[::2]


def test_a_value_a_row_makes_a_plain_column() -> None:
    codes, values = encode(pa.chunked_array([["m", None, "m", "n"]]))
    column = gathered("model", np.array([0, 0, 0, 1]), codes, values, 3)
    assert not column.is_set
    assert [column.values[i] for i in column.codes] == ["m", "n", None]


def test_values_are_in_their_own_order_whatever_the_order_of_rows() -> None:
    codes, values = encode(pa.chunked_array([["n", None], ["m", "n"]]))
    assert (codes.tolist(), values.to_pylist()) == ([1, -1, 0, 1], ["m", "n"])
    codes, values = encode(pa.chunked_array([[None, None]], pa.string()))
    assert (codes.tolist(), values.to_pylist()) == ([-1, -1], [])


def test_places_of_ids_that_are_not_there() -> None:
    ids = pa.chunked_array([["a", "b", "c"]])
    assert places(pa.chunked_array([["c", "x", "a"]]), ids).tolist() == [2, -1, 0]
    assert places(pa.chunked_array([], pa.string()), ids).tolist() == []
    assert places(ids, pa.chunked_array([], pa.string())).tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("between", "text"), [(Between(3, None), "≥ 3"), (Between(None, 0.5), "< 0.5"), (Between(1, 2), "1 to < 2")]
)
def test_ranges_read_well(between: Between, text: str) -> None:
    assert repr(between) == text


def test_a_range_holds_its_beginning_and_not_its_end() -> None:
    assert 1 in Between(1, 2)
    assert 2 not in Between(1, 2)
    assert 5 in Between(None, None)
