"""Tokens and costs: disjoint buckets become inclusive counts, and unknown stays unknown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from llmlens.read.langfuse.usage import cost, tokens


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"input": 60, "input_cached_tokens": 40, "output": 50, "total": 150}, (100, 40, None, 50, None)),
        ({"input": 7, "input_cache_creation": 5, "output": 2, "total": 14}, (12, None, 5, 2, None)),
        ({"input": 7, "input_cache_creation_5m": 5, "input_cache_creation_1h": 1, "output": 2}, (13, None, 6, 2, None)),
        ({"input": 3, "output": 5, "output_reasoning": 4, "total": 12}, (3, None, None, 9, 4)),
        ({"input": 3, "input_audio_tokens": 2, "output": 5, "output_audio_tokens": 1}, (5, None, None, 6, None)),
        # Parts that are named after what they are part of are in it already.
        ({"input": 13, "prompt_details.cache_read": 4, "output": 81}, (13, 4, None, 81, None)),
        ({"input": 13, "output": 81, "completion_details.reasoning": 2}, (13, None, None, 81, 2)),
        ({"input": 8, "output": 4, "reasoning_tokens": 2, "total": 14}, (8, None, None, 4, 2)),
        ({"input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 20}, (110, 100, None, 20, None)),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, (10, None, None, 5, None)),
        ({"input": 0, "output": 0, "total": 0}, (0, None, None, 0, None)),
        ({"input": "12", "output": None, "total": True}, (12, None, None, None, None)),
        ({"input": -1, "output": 1e18}, (None, None, None, None, None)),
        ('{"input": 60, "input_cached_tokens": 40}', (100, 40, None, None, None)),
        ([("input", 60), ("input_cached_tokens", 40)], (100, 40, None, None, None)),
        ({}, (None,) * 5),
        (None, (None,) * 5),
        ("nonsense", (None,) * 5),
    ],
)  # fmt: skip
def test_buckets_become_counts_that_include_their_parts(details: Any, expected: tuple[int | None, ...]) -> None:
    columns = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    found = tokens({"usageDetails": details})
    assert tuple(found.get(column) for column in columns) == expected


def test_fields_of_before_the_buckets_count_where_there_are_none() -> None:
    assert tokens({"usageDetails": {}, "promptTokens": 10, "completionTokens": 5})["input_tokens"] == 10
    assert tokens({"usage": {"input": 10, "output": 0}}) == {"input_tokens": 10, "output_tokens": 0}
    assert tokens({"inputUsage": 0, "outputUsage": 0, "promptTokens": 0}) == {}


def test_an_embedding_reads_all_its_tokens() -> None:
    assert tokens({"usageDetails": {"total": 10}, "type": "EMBEDDING"}) == {"input_tokens": 10}
    assert tokens({"usageDetails": {"total": 10}, "type": "GENERATION"}) == {}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"costDetails": {"input": 0.1, "output": 0.2, "total": 0.4}}, 0.4),
        ({"costDetails": {"input": 0.25, "output": 0.5}}, 0.75),
        ({"costDetails": {"total": 0}, "totalCost": 0}, 0),
        ({"costDetails": '{"total": "0.5"}'}, 0.5),
        ({"costDetails": {}, "totalCost": 0}, None),
        ({"totalCost": 0}, None),
        ({"totalCost": -1}, None),
        ({"totalCost": 0.3}, 0.3),
        ({"calculatedTotalCost": 0.3, "totalCost": None}, 0.3),
        ({"costDetails": {"total": None}, "totalCost": 0}, None),
        ({}, None),
    ],
)
def test_a_cost_of_nothing_is_told_from_none(row: dict[str, Any], expected: float | None) -> None:
    assert cost(row) == expected


def test_what_is_free_is_reported_and_what_is_unknown_is_priced(langfuse: Any) -> None:
    free = langfuse.row(costDetails={"total": 0}, totalCost=0)
    assert (free.cost_usd, free.cost_source) == (0, "reported")
    unknown = langfuse.row(costDetails={}, totalCost=0, model="gpt-4o")
    assert unknown.cost_source == "priced"
    assert unknown.cost_usd > 0
    assert langfuse.row(costDetails={}, totalCost=0, model="house-model").cost_source == "missing"


def test_no_tokens_are_counted_on_what_is_no_call(langfuse: Any) -> None:
    assert pd.isna(langfuse.row(type="AGENT").input_tokens)


@pytest.mark.parametrize(
    ("changes", "ttft"),
    [
        ({"timeToFirstToken": 0.5}, 0.5),
        ({"timeToFirstToken": None, "completionStartTime": "2026-11-21T05:11:38.849Z"}, 0.5),
        ({"completionStartTime": "2026-11-21 05:11:38.849000"}, 0.5),
        ({"timeToFirstTokenMs": 500, "latencyMs": 2000, "latency": ...}, 0.5),
        ({"timeToFirstToken": 500, "latency": 2000}, 0.5),  # an integration that exports milliseconds
        ({"timeToFirstToken": "500", "latency": "2000"}, 0.5),
        ({"timeToFirstToken": -543.9}, None),
        ({"timeToFirstToken": None}, None),
        ({"timeToFirstToken": 0.5, "latency": None, "endTime": None}, 0.5),
    ],
)
def test_the_time_to_the_first_token_is_in_seconds(langfuse: Any, changes: dict[str, Any], ttft: float | None) -> None:
    found = langfuse.row(**changes).ttft_s
    assert pd.isna(found) if ttft is None else found == pytest.approx(ttft)


def test_milliseconds_are_said_and_hold_for_rows_that_cannot_tell(langfuse: Any) -> None:
    first = langfuse.observation(timeToFirstToken=500, latency=2000)
    second = langfuse.observation(id="x", timeToFirstToken=250, latency=None, endTime=None)
    traces = langfuse.read(first, second)
    assert sorted(traces.spans["ttft_s"]) == [0.25, 0.5]
    (problem,) = traces.problems.to_dict("records")
    assert (problem["action"], problem["count"], problem["line"]) == ("noted", 2, 1)
    assert "milliseconds" in problem["reason"]
