"""Whatever JSON stands in whatever field: nothing raises, and every row is a span or a problem."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from llmlens.read import read
from llmlens.read.langfuse.fields import OBSERVATION, TRACE
from llmlens.read.langfuse.observations import to_raw
from llmlens.read.langfuse.scores import comment_raw, score_raw
from llmlens.read.langfuse.traces import trace_raw
from llmlens.read.raw import Problem, RawScore, RawSpan
from tests.examples import examples

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["", "{}", "[]", "null", "2026-11-21T05:00:00Z", "1e400", "NaN", '{"input": 1}', "[0.5]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
MORE = (
    "usageDetails", "costDetails", "totalCost", "usage", "promptTokens", "latency", "timeToFirstToken",
    "timeToFirstTokenMs", "projectId", "comments", "latencyMs", "accuracy",
)  # fmt: skip
SCORE = (
    "id", "name", "dataType", "value", "stringValue", "source", "timestamp", "subject", "traceId", "observationId",
    "sessionId", "metadata", "comment", "configId", "authorUserId", "objectType", "objectId", "content",
)  # fmt: skip
#: The fixture makes and reads observations, and holds nothing.
SHARED = [HealthCheck.function_scoped_fixture]


def rows(fields: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """Make rows of some of these fields, and things that are no rows."""
    return st.dictionaries(st.sampled_from(fields) | st.text(max_size=8), JSON, max_size=8) | JSON


@examples(150, suppress_health_check=SHARED)
@given(st.lists(rows((*OBSERVATION, *MORE)), max_size=4))
def test_every_observation_is_a_span_or_a_problem(langfuse: Any, given_rows: list[Any]) -> None:
    whole = [{**langfuse.generation, **row} for row in given_rows if isinstance(row, dict)]
    raws = list(to_raw([*given_rows, *whole]))
    dropped = [raw for raw in raws if isinstance(raw, Problem) and raw.action == "dropped"]
    assert sum(isinstance(raw, RawSpan) for raw in raws) + len(dropped) == len(given_rows) + len(whole)


@examples(12, suppress_health_check=SHARED)
@given(st.lists(st.dictionaries(st.sampled_from((*OBSERVATION, *MORE)), JSON, max_size=6), max_size=10))
def test_every_observation_is_in_the_tables_or_in_problems(langfuse: Any, changes: list[dict[str, Any]]) -> None:
    whole = [langfuse.observation(**change) for change in changes]
    traces = langfuse.read(*whole)
    dropped = traces.problems.loc[traces.problems["action"] == "dropped", "count"].sum()
    assert len(traces.spans) + dropped == len(whole)
    assert len(traces.contents) == len(traces.spans)
    assert traces.messages is not None


@examples(150, suppress_health_check=SHARED)
@given(rows(tuple(TRACE)), rows(SCORE), rows(SCORE))
def test_traces_scores_and_comments_never_raise(its_trace: Any, score: Any, comment: Any) -> None:
    assert isinstance(trace_raw(its_trace), RawSpan | Problem)
    assert isinstance(score_raw(score), RawScore | Problem)
    assert isinstance(comment_raw(comment), RawScore | Problem)


@examples(24, suppress_health_check=SHARED)
@given(st.lists(rows((*OBSERVATION, *MORE, *SCORE, "trace", "observations", "scores", "data", "files")), max_size=12))
def test_no_file_of_records_raises(records: list[Any]) -> None:
    first = {"traceId": "t", "id": "s", "parentObservationId": None, "type": "SPAN"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jsonl")
        path.write_text("".join(json.dumps(record) + "\n" for record in [first, *records]), encoding="utf-8")
        traces = read(path)
    assert "s" in set(traces.spans["span_id"])


@pytest.mark.parametrize("depth", [300, 2_000])
def test_deep_nesting_is_kept_or_said(langfuse: Any, depth: int) -> None:
    deep: Any = "x"
    for _ in range(depth):
        deep = [deep]
    traces = langfuse.read(langfuse.observation(metadata={"deep": deep}, input=deep))
    assert len(traces.spans) == 1
