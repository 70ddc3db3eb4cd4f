"""Observations of Langfuse's API become spans, with nothing guessed and nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pytest

from llmlens.read.langfuse.observations import Mapper, to_raw
from llmlens.read.langfuse.windows import Window
from llmlens.read.raw import Problem, RawSpan

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_fields_of_an_observation_are_columns(langfuse: Any) -> None:
    row = langfuse.row(release="r7", promptName="greet", promptVersion=3, environment="production")
    assert (row.trace_id, row.span_id, row["name"], row.kind) == (langfuse.trace, langfuse.span, "answer", "llm")
    assert (row.session_id, row.user_id, row.environment, row.release) == ("s1", "u1", "production", "r7")
    assert (row.service, row.model, row.prompt_name, row.prompt_version) == ("shop", "gpt-4o", "greet", "3")
    assert (row.start, row.duration_s) == (pd.Timestamp("2026-11-21T05:11:38.349Z"), 2.0)
    assert list(row.tags) == ["a", "b"]
    assert orjson.loads(row.params) == {"temperature": 0.5}
    assert orjson.loads(row.metadata) == {"k": "v"}
    assert (row.status, row.convention) == ("unset", "langfuse")


def test_what_is_empty_is_not_set(langfuse: Any) -> None:
    row = langfuse.row(model="", userId="", sessionId="", traceName=None, tags=[], metadata={}, modelParameters={})
    for column in ("model", "user_id", "session_id", "release", "prompt_name", "service", "params", "metadata"):
        assert pd.isna(row[column]), column
    assert row.tags is None
    assert row.feature == "answer"


@pytest.mark.parametrize(
    ("its_type", "kind"),
    [
        ("GENERATION", "llm"), ("EMBEDDING", "embedding"), ("AGENT", "agent"), ("TOOL", "tool"), ("CHAIN", "chain"),
        ("RETRIEVER", "retriever"), ("EVALUATOR", "evaluator"), ("GUARDRAIL", "guardrail"), ("EVENT", "event"),
        ("SPAN", "span"), ("SOMETHING_NEW", "span"),
    ],
)  # fmt: skip
def test_its_type_is_the_kind(langfuse: Any, its_type: str, kind: str) -> None:
    assert langfuse.row(type=its_type, model="").kind == kind


@pytest.mark.parametrize(
    ("its_type", "attributes", "kind"),
    [
        ("SPAN", {"openinference.span.kind": "RERANKER"}, "reranker"),
        ("GENERATION", {"openinference.span.kind": "RERANKER", "llm.model_name": "rerank-3"}, "reranker"),
        ("GENERATION", {"llm.request.type": "rerank", "gen_ai.request.model": "rerank-3"}, "reranker"),
        ("SPAN", {"mlflow.spanType": "CHAT_MODEL"}, "llm"),
        ("SPAN", {"openinference.span.kind": "AGENT"}, "agent"),  # servers of 2025 stored agents as spans
        ("GENERATION", {"ai.operationId": "ai.generateText"}, "chain"),  # which repeats the usage of its calls
        ("AGENT", {"gen_ai.request.model": "gpt-4o"}, "agent"),
        ("TOOL", {"gen_ai.tool.name": "search"}, "tool"),
    ],
)
def test_the_attributes_of_the_span_it_was_tell_what_langfuse_did_not_see(
    langfuse: Any, its_type: str, attributes: dict[str, Any], kind: str
) -> None:
    dotted = {f"attributes.{name}": value for name, value in attributes.items()}
    for metadata in (dotted, {"attributes": attributes}, orjson.dumps({"attributes": attributes}).decode()):
        assert langfuse.row(type=its_type, metadata=metadata).kind == kind


def test_documents_come_from_the_attributes_of_the_span_it_was(langfuse: Any) -> None:
    metadata = {
        "attributes.openinference.span.kind": "RETRIEVER",
        "attributes.retrieval.documents.0.document.content": "opening hours",
        "attributes.retrieval.documents.0.document.id": 7,
    }
    documents = langfuse.read(langfuse.observation(type="RETRIEVER", metadata=metadata)).documents
    assert documents[["document_id", "content"]].to_numpy().tolist() == [["7", "opening hours"]]


def test_an_error_is_told_by_the_level(langfuse: Any) -> None:
    row = langfuse.row(level="ERROR", statusMessage="TimeoutError: too late")
    assert (row.status, row.status_message, row.error_type) == ("error", "TimeoutError: too late", "TimeoutError")
    warned = langfuse.row(level="WARNING", statusMessage="careful")
    assert warned.status == "unset"
    assert pd.isna(warned.status_message)


def test_a_model_is_found_under_either_name(langfuse: Any) -> None:
    assert langfuse.row(model=..., providedModelName="gpt-4o-mini").model == "gpt-4o-mini"
    assert langfuse.row(model=None, providedModelName="gpt-4o-mini").model == "gpt-4o-mini"


def test_default_is_an_environment_only_where_nothing_better_is_known(langfuse: Any) -> None:
    assert langfuse.row().environment == "default"
    metadata = {"resourceAttributes.deployment.environment.name": "Staging Env"}
    assert langfuse.row(metadata=metadata).environment == "Staging Env"
    assert langfuse.row(metadata=metadata, environment="prod").environment == "prod"


def test_a_version_that_the_server_took_for_a_number_keeps_its_digits(langfuse: Any) -> None:
    metadata = {"resourceAttributes.service.version": 1.1}
    assert langfuse.row(metadata=metadata, version="1.10").release == "1.10"
    assert langfuse.row(metadata=metadata, version="other").release == "1.1"


def test_metadata_may_be_nested_dotted_or_text(langfuse: Any) -> None:
    nested = {
        "user": {"plan": "pro"}, "n": 7, "s": "007", "attributes": {"gen_ai.agent.name": "A"},
        "resourceAttributes": {"service.name": "svc"}, "scope": {"name": "x", "version": 1, "attributes": {"a": 1}},
    }  # fmt: skip
    dotted = {
        "user": {"plan": "pro"}, "n": 7, "s": "007", "attributes.gen_ai.agent.name": "A",
        "resourceAttributes.service.name": "svc", "scope.name": "x", "scope.version": 1, "scope.attributes.a": 1,
    }  # fmt: skip
    for metadata in (nested, dotted, orjson.dumps(nested).decode(), list(dotted.items())):
        traces = langfuse.read(langfuse.observation(metadata=metadata))
        row = traces.spans.iloc[0]
        assert orjson.loads(row.metadata) == {"user": {"plan": "pro"}, "n": 7, "s": "007"}
        assert (row.agent_name, row.service) == ("A", "svc")
        scope = orjson.loads(traces.contents["resource"][0])["scope"]
        assert scope == {"name": "x", "version": "1", "attributes": {"a": 1}}


@pytest.mark.parametrize("metadata", ["plain text", "{}", "", None, [], ["a"], 7, {"attributes": "mine", "scope": 1}])
def test_metadata_that_is_no_object_of_langfuses_is_kept(langfuse: Any, metadata: Any) -> None:
    traces = langfuse.read(langfuse.observation(metadata=metadata))
    attributes = orjson.loads(traces.contents["attributes"][0])
    kept = {k.removeprefix("langfuse.observation.metadata"): v for k, v in attributes.items() if "metadata" in k}
    expected = {f".{k}": v for k, v in metadata.items()} if isinstance(metadata, dict) else {"": metadata}
    assert kept == ({} if metadata in ("{}", "", None, []) else expected)


@pytest.mark.parametrize(
    "text",
    ['[{"role": "user", "content": "hi"}]', [{"role": "user", "content": "hi"}], {"role": "user", "content": "hi"}],
)
def test_input_may_be_text_or_parsed(langfuse: Any, text: Any) -> None:
    messages = langfuse.read(langfuse.observation(input=text)).messages
    assert messages[["role", "content"]].to_numpy().tolist() == [["user", "hi"], ["assistant", "yo"]]


def test_what_python_wrote_is_read_as_json_is(langfuse: Any) -> None:
    wrote = "[{'role': 'user', 'content': 'it\\'s \\d', 'extra': (1, None)}]"
    traces = langfuse.read(langfuse.observation(input=wrote))
    assert traces.contents["input"].tolist() == [wrote]
    assert traces.messages["content"].tolist() == ["it's \\d", "yo"]
    tool = langfuse.read(langfuse.observation(type="TOOL", model="", input="{'city': 'Rome'}", output="sunny"))
    assert orjson.loads(tool.tool_calls["arguments"][0]) == {"city": "Rome"}


def test_a_repr_that_is_no_literal_is_kept_as_it_came(langfuse: Any) -> None:
    traces = langfuse.read(langfuse.observation(input="[Message(role='user', content='hi')]"))
    assert traces.contents["input"].tolist() == ["[Message(role='user', content='hi')]"]
    assert traces.messages["content"].tolist() == ["[Message(role='user', content='hi')]", "yo"]


def test_nothing_that_is_set_is_dropped(langfuse: Any) -> None:
    row = langfuse.observation(brandNew={"x": [1]}, toolCallNames=["search"])
    attributes = orjson.loads(langfuse.read(row).contents["attributes"][0])
    kept = {**attributes, **attributes["langfuse.api"]}
    for field in ("projectId", "latency", "isRootObservation", "bookmarked", "brandNew", "toolCallNames", "createdAt"):
        assert kept[field] == row[field]
    assert kept["usageDetails"] == row["usageDetails"]


def test_times_without_a_zone_are_utc(langfuse: Any) -> None:
    row = langfuse.row(startTime="2026-11-21 05:11:38.349000", endTime="2026-11-21 05:11:39.849000")
    assert row.start == pd.Timestamp("2026-11-21T05:11:38.349Z")
    assert row.duration_s == 1.5


def test_a_time_that_is_none_is_left_out_and_said(langfuse: Any) -> None:
    traces = langfuse.read(langfuse.observation(endTime="soon"), langfuse.observation(id="b", startTime="+99999-01-01"))
    assert len(traces.spans) == 2
    assert sorted(traces.problems["reason"]) == [
        "endTime is not a time; it was left out",
        "startTime is not a time; it was left out",
    ]
    assert set(traces.problems["action"]) == {"repaired"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "a"}, "no traceId"),
        ({"traceId": "t", "id": ""}, "no id"),
        ({"traceId": {}, "id": "a"}, "no traceId"),
        (7, "not an observation"),
        (None, "not an observation"),
    ],
)
def test_what_is_no_observation_is_a_problem(langfuse: Any, row: Any, reason: str) -> None:
    traces = langfuse.read(row, langfuse.observation())
    assert len(traces.spans) == 1
    assert reason in traces.problems["reason"][0]
    assert (traces.problems["action"][0], traces.problems["line"][0]) == ("dropped", 1)


def test_observations_outside_a_window_leave_neither_a_span_nor_a_problem(langfuse: Any) -> None:
    begin = 1_795_237_898_349  # when it starts, in ms
    rows = [langfuse.observation(), langfuse.observation(id="b", endTime="soon"), langfuse.observation(startTime="x")]
    for window, spans, problems in ((Window(begin, begin + 1), 3, 2), (Window(begin - 9, begin), 1, 1)):
        raws = list(Mapper(within=window).raws(enumerate(rows, 1)))
        assert sum(isinstance(raw, RawSpan) for raw in raws) == spans
        assert sum(isinstance(raw, Problem) for raw in raws) == problems


def test_of_an_observation_that_came_twice_the_newest_is_kept(langfuse: Any) -> None:
    new = langfuse.observation(updatedAt="2026-11-21T06:00:00.000Z", endTime=None, name="new")
    old = langfuse.observation(name="old")
    for rows in ((new, old), (old, new)):
        traces = langfuse.read(*rows)
        assert traces.spans["name"].tolist() == ["new"]
        assert traces.problems["count"].tolist() == [1]


def test_the_page_of_a_trace_is_a_column(langfuse: Any) -> None:
    rows = [langfuse.observation(id=str(i), traceId="t") for i in range(3)]
    traces = langfuse.load(to_raw(rows, url=lambda trace_id: f"https://langfuse.example/project/p/traces/{trace_id}"))
    assert traces.traces["url"].tolist() == ["https://langfuse.example/project/p/traces/t"]


def test_a_real_page_of_observations_is_read(langfuse: Any, captured: Callable[[str], Any]) -> None:
    traces = langfuse.read(*captured("v2_observations_all")["data"])
    spans = traces.spans.set_index("name")
    assert spans["kind"].to_dict() == {"root": "span", "gen": "llm", "rt": "retriever", "t1": "tool"}
    gen = spans.loc["gen"]
    assert (gen.input_tokens, gen.cache_read_tokens, gen.output_tokens, gen.cost_usd) == (100, 40, 50, 0.0007)
    assert (traces.traces["name"][0], traces.traces["user_id"][0]) == ("my-trace", "u1")
    assert traces.problems.empty


def test_the_api_of_before_v4_gives_the_same_spans(langfuse: Any, captured: Callable[[str], Any]) -> None:
    new = langfuse.read(*captured("v2_observations_all")["data"]).spans.sort_values("span_id", ignore_index=True)
    old = langfuse.read(*captured("legacy_observations_list")["data"]).spans.sort_values("span_id", ignore_index=True)
    # Sessions, users, tags and names are on the trace there; metadata of the trace is not on its observations.
    of_trace = ["session_id", "user_id", "tags", "feature", "metadata"]
    pd.testing.assert_frame_equal(new.drop(columns=of_trace), old.drop(columns=of_trace))
