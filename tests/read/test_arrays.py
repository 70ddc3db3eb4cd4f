"""Arrow arrays of whatever a dump holds."""

from __future__ import annotations

import math

import orjson
import pytest

from llmlens.read.arrays import documents, dumps, numbers, said


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_what_is_no_number_in_json_is_null_also_beside_what_orjson_refuses(number: float) -> None:
    assert orjson.loads(dumps({"a": [number]})) == {"a": [None]}
    assert orjson.loads(dumps({"a": [number], "b": 1 << 70})) == {"a": [None], "b": float(1 << 70)}


def test_lone_surrogates_are_replaced() -> None:
    assert dumps({"a": "\ud800x"}) == b'{"a": "?x"}'


def test_documents_are_what_was_given() -> None:
    given = [b"{}", '{"a":"東京"}'.encode(), b"", b"[1]"]
    assert documents(given).to_pylist() == [text.decode() for text in given]
    assert documents([]).to_pylist() == []


def test_what_says_nothing_is_null_whatever_stands_beside_it() -> None:
    assert said(["", "None", "null", None, "none"]).to_pylist() == [None, None, None, None, "none"]
    assert said(["a", ["", 1], ""]).to_pylist() == ["a", '["",1]', None]
    assert said([True, 1.0, "null"]).to_pylist() == ["true", "1.0", None]


def test_numbers_are_finite_and_no_truth_values() -> None:
    assert numbers(["1.5", 2, True, math.inf, "x", None]).to_pylist() == [1.5, 2.0, None, None, None, None]
