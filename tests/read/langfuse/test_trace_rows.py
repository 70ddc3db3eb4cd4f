"""Traces of before v4 are rows of their own: what they say reaches their spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from llmlens.read.langfuse.observations import to_raw
from llmlens.read.langfuse.traces import trace_raw
from llmlens.read.raw import Problem

if TYPE_CHECKING:
    from collections.abc import Callable


def trace(**changes: Any) -> dict[str, Any]:
    return {
        "id": "t", "timestamp": "2026-11-21T05:00:00.000Z", "name": "checkout", "userId": "u1", "sessionId": "s1",
        "tags": ["x"], "environment": "production", "release": "r1", "version": None, "bookmarked": False,
        "public": False, "input": {"q": "hi"}, "output": "done", "metadata": {"plan": "pro", "k": "of the trace"},
        "observations": ["a", "b"], "scores": [], "totalCost": -1, "latency": -1, "htmlPath": "/project/p/traces/t",
        **changes,
    }  # fmt: skip


@pytest.fixture
def bare(langfuse: Any) -> Callable[..., dict[str, Any]]:
    """Give a function that makes an observation which says nothing of its trace."""

    def make(span_id: str, **changes: Any) -> dict[str, Any]:
        of_trace = dict.fromkeys(("userId", "sessionId", "traceName", "tags", "release"), ...)
        found: dict[str, Any] = langfuse.observation(**{"id": span_id, "traceId": "t", **of_trace, **changes})
        return found

    return make


@pytest.mark.parametrize("trace_first", [True, False])
def test_what_a_trace_says_holds_for_all_its_spans(langfuse: Any, bare: Any, trace_first: bool) -> None:
    spans = list(to_raw([bare("a"), bare("b", parentObservationId="a"), bare("c", traceId="other")]))
    raws = [trace_raw(trace()), *spans] if trace_first else [*spans, trace_raw(trace())]
    traces = langfuse.load(raws)
    found = traces.spans[traces.spans["trace_id"] == "t"]
    assert found["span_id"].tolist() == ["a", "b"]
    for column, value in {"user_id": "u1", "session_id": "s1", "release": "r1", "feature": "checkout"}.items():
        assert set(found[column]) == {value}, column
    assert [list(tags) for tags in found["tags"]] == [["x"], ["x"]]
    assert traces.traces.set_index("trace_id").loc["t", "name"] == "checkout"
    other = traces.spans.set_index("trace_id").loc["other"]
    assert other[["user_id", "session_id", "release", "tags"]].isna().all()
    assert traces.problems.empty


def test_its_texts_are_the_roots_where_that_has_none(langfuse: Any, bare: Any) -> None:
    rows = [bare("a", input=None, output="own"), bare("b", parentObservationId="a", input=None, output=None)]
    contents = langfuse.load([trace_raw(trace()), *to_raw(rows)]).contents.set_index("span_id")
    assert contents.loc["a", ["input", "output"]].tolist() == ['{"q":"hi"}', "own"]
    assert contents.loc["b", ["input", "output"]].isna().all()


def test_its_metadata_is_the_roots_who_wins(langfuse: Any, bare: Any) -> None:
    traces = langfuse.load([trace_raw(trace()), *to_raw([bare("a", metadata={"k": "of the span", "n": {"x": None}})])])
    assert orjson.loads(traces.spans["metadata"][0]) == {"plan": "pro", "k": "of the span", "n": {"x": None}}
    attributes = orjson.loads(traces.contents["attributes"][0])
    assert attributes["langfuse.api.trace"]["htmlPath"] == "/project/p/traces/t"
    assert attributes["langfuse.observation.metadata.n"] == {"x": None}


def test_attributes_of_the_root_that_a_trace_repeats_are_not_doubled(langfuse: Any, bare: Any) -> None:
    metadata = {"attributes": {"gen_ai.agent.name": "A"}, "scope": {"name": "x"}}
    traces = langfuse.load([trace_raw(trace(metadata=metadata)), *to_raw([bare("a", metadata=metadata)])])
    assert traces.spans["metadata"].isna().all()
    assert traces.spans["agent_name"].tolist() == ["A"]


def test_a_trace_without_observations_is_a_span(langfuse: Any) -> None:
    traces = langfuse.load([trace_raw(trace())])
    row = traces.spans.iloc[0]
    assert (row.trace_id, row.span_id, row["name"], row.kind) == ("t", "t", "checkout", "span")
    assert traces.contents["input"].tolist() == ['{"q":"hi"}']
    assert traces.problems[["action", "count"]].to_numpy().tolist() == [["noted", 1]]


def test_a_trace_that_came_twice_counts_once(langfuse: Any, bare: Any) -> None:
    old = trace(name="old", updatedAt="2026-11-21T05:00:00.000Z")
    new = trace(name="new", updatedAt="2026-11-21T06:00:00.000Z")
    traces = langfuse.load([trace_raw(new), trace_raw(old), *to_raw([bare("a")])])
    assert traces.traces["name"].tolist() == ["new"]
    assert len(traces.spans) == 1


@pytest.mark.parametrize("row", [{}, {"id": ""}, {"id": []}, None, 3])
def test_a_trace_without_an_id_is_a_problem(row: Any) -> None:
    assert isinstance(trace_raw(row), Problem)


def test_a_real_trace_of_the_older_api_is_whole(langfuse: Any, captured: Callable[[str], Any]) -> None:
    body = captured("legacy_trace_get")
    traces = langfuse.load([trace_raw(body), *to_raw(body["observations"])])
    row = traces.traces.iloc[0]
    assert (row["name"], row.user_id, row.session_id) == ("my-trace", "u1", "s1")
    assert row.n_spans == len(body["observations"])
    assert orjson.loads(traces.spans["metadata"][0])["num"] == 7
