"""The stand-in for a Langfuse server answers as the real one was seen to answer."""

from __future__ import annotations

import contextlib
import copy
import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from langfuse.api import CreateScoreRequest, CreateScoreSource, LangfuseAPI, ScoreDataType
from langfuse.api.core import ApiError

from tests.langfuse_server import HOBBY, Fault, LangfuseServer, Limit
from tests.langfuse_server.errors import Refusal
from tests.langfuse_server.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Connect = Callable[[LangfuseServer], LangfuseAPI]

ROOT = Path(__file__).resolve().parents[1]
CAPTURED = ROOT / "../shared/data/langfuse_api"
ALL_GROUPS = "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context"
NO_TLS = ssl.create_default_context()  # made once: httpx makes one for each request
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
needs_captures = pytest.mark.skipif(not CAPTURED.is_dir(), reason="no bodies of a real server here")


@pytest.fixture
def server() -> Iterator[LangfuseServer]:
    with LangfuseServer() as running:
        yield running


@pytest.fixture
def dual() -> Iterator[LangfuseServer]:
    with LangfuseServer(mode="dual") as running:
        yield running


@pytest.fixture
def typed() -> Iterator[Connect]:
    """The client of the langfuse package, whose connections it leaves open by itself."""
    with contextlib.ExitStack() as closing:

        def connect(server: LangfuseServer) -> LangfuseAPI:
            http = closing.enter_context(httpx.Client(timeout=30, verify=NO_TLS))
            return LangfuseAPI(
                base_url=server.url, username=server.public_key, password=server.secret_key, httpx_client=http
            )

        yield connect


def ask(server: LangfuseServer, method: str, path: str, **more: Any) -> httpx.Response:
    keys = (server.public_key, server.secret_key)
    return httpx.request(
        method, f"{server.url}/api/public{path}", verify=NO_TLS, **{"auth": keys, "timeout": 30, **more}
    )


def get(server: LangfuseServer, path: str, **params: Any) -> Any:
    answer = ask(server, "GET", path, params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def row(number: int = 0, **more: Any) -> dict[str, Any]:
    start = NOON + timedelta(milliseconds=number)
    said = {"id": f"o{number:04}", "traceId": f"t{number // 3:04}", "startTime": start.isoformat()[:-6] + ".000Z"}
    if start.microsecond:
        said["startTime"] = start.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return said | more


def every_page(server: LangfuseServer, path: str, **params: Any) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        body = get(server, path, **params, **cursor)
        pages.append(body["data"])
        if "cursor" not in body["meta"]:
            return pages
        cursor = {"cursor": body["meta"]["cursor"]}


# Bodies of a real server ------------------------------------------------------------------------------------------


def captured(name: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((CAPTURED / f"{name}.json").read_text(encoding="utf-8"))
    return said


@pytest.fixture
def real(dual: LangfuseServer) -> LangfuseServer:
    """A server that holds what the real one held when its answers were recorded."""
    rows = captured("v2_observations_all")["body"]["data"]
    for each in rows:
        each["traceMetadata"] = {"k": each["metadata"].pop("k")}  # v1 shows that it was said of the trace
    dual.add_observations(rows)
    dual.add_scores(captured("v3_scores_all")["body"]["data"])
    state = dual.state
    state.configs[:] = captured("score_configs")["body"]["data"]
    state.comments[:] = captured("comments")["body"]["data"]
    state.models[:] = captured("models_page1")["body"]["data"]
    state.queues[:] = captured("annotation_queues")["body"]["data"]
    state.items[:] = captured("annotation_queue_items")["body"]["data"]
    return dual


@needs_captures
@pytest.mark.parametrize(
    "name",
    [
        "annotation_queue_items", "annotation_queues", "comments", "err_limit", "err_naive_ts", "err_v3_unknown_param",
        "health", "legacy_v2_scores", "projects", "score_configs", "v2_observations_all", "v2_observations_default",
        "v2_observations_metadata_truncated", "v2_observations_paged", "v3_scores_all", "v3_scores_core",
    ],
)  # fmt: skip
def test_answers_as_recorded(real: LangfuseServer, name: str) -> None:
    recorded = captured(name)
    method, path = recorded["request"].replace("/api/public", "").split()
    answer = ask(real, method, path)
    assert (answer.status_code, answer.json()) == (recorded["status"], recorded["body"])


@needs_captures
@pytest.mark.parametrize(
    "name",
    [
        "legacy_observations_list",
        "legacy_sessions",
        "legacy_trace_get",
        "legacy_traces_list_core",
        "legacy_traces_list",
    ],
)
def test_v1_answers_as_recorded_but_for_when_its_own_tables_were_written(real: LangfuseServer, name: str) -> None:
    recorded = captured(name)
    body = get(real, recorded["request"].split()[1].replace("/api/public", ""))
    if name.startswith("legacy_traces_list"):  # the real project had more traces than those that were recorded
        assert comparable(body["data"][0]) == comparable(recorded["body"]["data"][0])
    else:
        assert comparable(body) == comparable(recorded["body"])


def comparable(value: Any) -> Any:
    """Leave out when rows of v1 were written, which v2 does not tell, and the order of rows, which v1 leaves open."""
    if isinstance(value, list):
        return sorted((comparable(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    if not isinstance(value, dict):
        return value
    left_out = {"createdAt", "updatedAt"}
    if value.get("parentObservationId", "") is None:
        left_out.add("modelParameters")  # null on the root, {} elsewhere
    return {key: comparable(each) for key, each in value.items() if key not in left_out}


@needs_captures
def test_models_are_paged_as_recorded(real: LangfuseServer) -> None:
    recorded = captured("models_page1")["body"]
    body = get(real, "/models", limit=2)
    assert body["data"] == recorded["data"]
    assert body["meta"].keys() == recorded["meta"].keys()


@needs_captures
def test_the_typed_client_reads_the_recorded_rows(real: LangfuseServer, typed: Connect) -> None:
    api = typed(real)
    (generation,) = api.observations.get_many(fields=ALL_GROUPS, type="GENERATION").data
    assert (generation.model, generation.usage_details) == (
        "gpt-4o", {"input": 60, "output": 50, "total": 150, "input_cached_tokens": 40}
    )  # fmt: skip
    kinds = {score.data_type for score in api.scores.get_many(fields="details,subject,annotation").data}
    assert kinds == {"NUMERIC", "BOOLEAN", "CATEGORICAL", "TEXT", "CORRECTION"}
    assert api.models.list().data[0].model_name == "babbage-002"


# Which server it is ----------------------------------------------------------------------------------------------


def test_health_needs_no_keys(server: LangfuseServer) -> None:
    assert ask(server, "GET", "/health", auth=None).json() == {"status": "OK", "version": "4.16.0"}


@pytest.mark.parametrize("keys", [None, ("pk-lf-other", "sk-lf-test-0123456789"), ("pk-lf-test", "sk")])
def test_wrong_keys_are_refused_with_a_hint_to_the_host(server: LangfuseServer, keys: tuple[str, str] | None) -> None:
    answer = ask(server, "GET", "/projects", auth=keys)
    assert answer.status_code == 401
    assert answer.json()["message"] == "Invalid credentials. Confirm that you've configured the correct host."


GONE = ("/traces", "/traces/t1", "/observations", "/observations/o1", "/sessions", "/v2/scores", "/metrics",
        "/metrics/daily", "/scores", "/dataset-run-items")  # fmt: skip


@pytest.mark.parametrize("path", GONE)
def test_v1_is_gone_in_events_only_mode(server: LangfuseServer, path: str) -> None:
    answer = ask(server, "GET", path)
    assert answer.status_code == 404
    assert "not available on deployments running in Langfuse v4 events_only mode" in answer.json()["message"]


def test_dual_mode_has_v1_and_v2() -> None:
    with LangfuseServer(mode="dual") as server:
        server.add_observations([row(sessionId="s")])
        for path in ("/traces", "/observations", "/sessions", "/v2/observations"):
            assert len(get(server, path)["data"]) == 1


def test_v3_has_v1_alone_and_v3_scores_since_3_179() -> None:
    with LangfuseServer("3.178.0", "v3") as server:
        assert ask(server, "GET", "/v2/observations").status_code == 404
        assert "only available in a Langfuse v4 write mode" in ask(server, "GET", "/v2/observations").json()["message"]
        assert ask(server, "GET", "/v3/scores").status_code == 404
        assert get(server, "/v2/scores", fields="score")["data"] == []
    with LangfuseServer("3.179.0", "v3") as server:
        assert get(server, "/v3/scores")["data"] == []


def test_other_methods_are_not_allowed(server: LangfuseServer) -> None:
    assert ask(server, "DELETE", "/health").status_code == 405
    assert ask(server, "GET", "/nothing").status_code == 404


# Observations ----------------------------------------------------------------------------------------------------


def test_cursors_give_every_observation_once_newest_first(server: LangfuseServer) -> None:
    server.add_observations(row(number % 5, id=f"o{number}", traceId=f"t{number % 7}") for number in range(250))
    pages = every_page(server, "/v2/observations", limit=100)
    assert [len(page) for page in pages] == [100, 100, 50]
    found = [each for page in pages for each in page]
    assert len({(each["traceId"], each["id"]) for each in found}) == 250
    starts = [each["startTime"] for each in found]
    assert starts == sorted(starts, reverse=True)


def test_windows_are_half_open_and_tile(server: LangfuseServer) -> None:
    server.add_observations(row(number) for number in range(10))
    first = {"fromStartTime": "2026-11-24T12:00:00Z", "toStartTime": "2026-11-24T13:00:00.004+01:00"}
    rest = {"fromStartTime": "2026-11-24T12:00:00.004Z"}
    counts = [len(get(server, "/v2/observations", **window)["data"]) for window in (first, rest)]
    assert counts == [4, 6]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "1001"}, {"limit": "0"}, {"limit": "many"}, {"cursor": "?"}, {"fromStartTime": "2026-11-24"},
        {"toStartTime": "2026-11-24T10:00:00"}, {"parseIoAsJson": "true"}, {"filter": "{"}, {"filter": "{}"},
        {"filter": '[{"type":"null","column":"userId","operator":"is null"}]'},
        {"filter": '[{"type":"datetime","column":"updatedAt","operator":">","value":"2026-11-24T00:00:00Z"}]'},
        {"filter": '[{"type":"stringOptions","column":"name","operator":"=","value":["a"]}]'},
        {"filter": '[{"type":"stringObject","column":"metadata","operator":"=","value":"a"}]'},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_parameters_are_refused(server: LangfuseServer, params: dict[str, str]) -> None:
    answer = ask(server, "GET", "/v2/observations", params=params)
    assert (answer.status_code, "message" in answer.json()) == (400, True)


def test_unknown_parameters_and_groups_are_ignored(server: LangfuseServer) -> None:
    server.add_observations([row(input="a", name="n")])
    (found,) = get(server, "/v2/observations", page=7, fields="iO")["data"]
    assert found.keys() == {
        "id", "traceId", "startTime", "endTime", "projectId", "parentObservationId", "type", "latency",
        "timeToFirstToken", "modelId", "inputPrice", "outputPrice", "totalPrice",
    }  # fmt: skip


def test_time_to_first_token_and_prices_are_null_unless_their_group_is_asked_for(server: LangfuseServer) -> None:
    more: dict[str, Any] = {
        "endTime": "2026-11-24T12:00:02.000Z",
        "completionStartTime": "2026-11-24T12:00:00.500Z",
        "modelId": "m",
    }
    server.add_observations([row(**more, inputPrice="0.1")])
    said = {
        fields: get(server, "/v2/observations", fields=fields)["data"][0] for fields in ("core", "metrics", "model")
    }
    assert [said[fields]["timeToFirstToken"] for fields in said] == [None, 0.5, None]
    assert [said[fields]["latency"] for fields in said] == [2, 2, 2]
    assert [said[fields]["inputPrice"] for fields in said] == [None, None, "0.1"]


def test_metadata_is_cut_unless_texts_or_expansion_are_asked_for(server: LangfuseServer) -> None:
    metadata = {"long": "é" * 300, "list": list(range(100)), "short": "s" * 198}
    server.add_observations([row(metadata=metadata)])
    cut = get(server, "/v2/observations", fields="core,metadata")["data"][0]["metadata"]
    assert cut == {
        "long": '"' + "é" * 199,
        "list": json.dumps(metadata["list"]).replace(" ", "")[:200],
        "short": "s" * 198,
    }
    for more in ({"fields": "io,metadata"}, {"fields": "metadata", "expandMetadata": "_"}):
        assert get(server, "/v2/observations", **more)["data"][0]["metadata"] == metadata


FILTERED = [
    ({"traceId": "t0001"}, {3, 4, 5}),
    ({"environment": ["a", "b"]}, {0, 1, 2}),
    ({"parentObservationId": ""}, {0, 3}),
    ({"isRootObservation": "true"}, {0, 3}),
    ({"name": "n4", "userId": "u"}, {4}),
    ([{"type": "stringOptions", "column": "traceId", "operator": "any of", "value": ["t0000", "t9"]}], {0, 1, 2}),
    ([{"type": "stringOptions", "column": "environment", "operator": "none of", "value": ["a", "b"]}], {3, 4, 5}),
    ([{"type": "datetime", "column": "startTime", "operator": ">=", "value": "2026-11-24T12:00:00.004Z"}], {4, 5}),
    ([{"type": "string", "column": "name", "operator": "starts with", "value": "n"}], {0, 1, 2, 3, 4, 5}),
    ([{"type": "string", "column": "input", "operator": "contains", "value": "5"}], {5}),
    ([{"type": "number", "column": "totalCost", "operator": ">", "value": 3}], {4, 5}),
    ([{"type": "arrayOptions", "column": "tags", "operator": "all of", "value": ["x", "y1"]}], {1}),
    ([{"type": "stringObject", "column": "metadata", "key": "k", "operator": "=", "value": "2"}], {2}),
    ([{"type": "null", "column": "statusMessage", "operator": "is not null", "value": ""}], {0}),
    ([{"type": "boolean", "column": "hasParentObservation", "operator": "=", "value": False}], {0, 3}),
]


@pytest.mark.parametrize(("asked", "numbers"), FILTERED, ids=str)
def test_filters(server: LangfuseServer, asked: Any, numbers: set[int]) -> None:
    server.add_observations(
        row(
            number, name=f"n{number}", userId="u", input=str(number), costDetails={"total": number},
            environment="ab"[number] if number < 2 else "b" if number == 2 else "c", tags=["x", f"y{number}"],
            parentObservationId=None if number % 3 == 0 else "o", metadata={"k": number},
            statusMessage="" if number else "bad",
        )
        for number in range(6)
    )  # fmt: skip
    params = asked if isinstance(asked, dict) else {"filter": json.dumps(asked)}
    assert {int(each["id"][1:]) for each in get(server, "/v2/observations", **params)["data"]} == numbers


def test_a_filter_object_adds_to_other_parameters_and_overrides_its_own(server: LangfuseServer) -> None:
    server.add_observations([row(0, type="GENERATION"), row(3, type="TOOL")])
    generations = json.dumps(
        [{"type": "stringOptions", "column": "type", "operator": "any of", "value": ["GENERATION"]}]
    )
    assert get(server, "/v2/observations", filter=generations, traceId="t0001")["data"] == []
    assert len(get(server, "/v2/observations", filter=generations, type="TOOL")["data"]) == 1


def test_a_second_version_of_an_observation_stays_beside_the_first(server: LangfuseServer) -> None:
    server.add_observations([row(updatedAt="2026-11-24T12:00:00.000Z", name="old")])
    server.add_observations([row(updatedAt="2026-11-24T12:00:01.000Z", name="new")])
    assert [each["name"] for each in get(server, "/v2/observations")["data"]] == ["new", "old"]


@pytest.mark.parametrize("wrong", [{"inputs": "x"}, {"input": {"q": 1}}, {"startTime": None}])
def test_rows_that_no_server_would_give_are_refused_at_once(server: LangfuseServer, wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        server.add_observations([row(**wrong)])


# v1 --------------------------------------------------------------------------------------------------------------


def test_v1_pages_count_and_refuse_more_than_a_hundred(dual: LangfuseServer) -> None:
    dual.add_observations(row(number) for number in range(250))
    last = get(dual, "/observations", page=3, limit=100)
    assert (len(last["data"]), last["meta"]) == (50, {"page": 3, "limit": 100, "totalItems": 250, "totalPages": 3})
    assert get(dual, "/observations", page=4, limit=100)["data"] == []
    for path in ("/traces", "/observations", "/sessions", "/v2/scores"):
        assert ask(dual, "GET", path, params={"limit": 101}).status_code == 400


def test_v1_observations_have_nulls_parsed_texts_and_nested_metadata(dual: LangfuseServer) -> None:
    dual.add_observations(
        [row(input='{"q": 1}', output="no json", metadata={"scope.name": "s", "scope.attributes.a": 1})]
    )
    (found,) = get(dual, "/observations")["data"]
    assert (found["input"], found["output"], found["statusMessage"]) == ({"q": 1}, "no json", None)
    assert found["metadata"] == {"scope": {"name": "s", "attributes": {"a": 1}}}
    assert get(dual, f"/observations/{found['id']}")["id"] == found["id"]
    assert ask(dual, "GET", "/observations/none").status_code == 404


def test_v1_traces_sum_up_their_observations(dual: LangfuseServer) -> None:
    dual.add_observations(
        [
            row(
                0, name="root", endTime="2026-11-24T12:00:01.000Z", input='"in"', costDetails={"total": 1.0}, tags=["a"]
            ),
            row(1, parentObservationId="o0000", endTime="2026-11-24T12:00:03.000Z", costDetails={"total": 2.0}),
            row(3, name="other", userId="u"),
        ]
    )
    newest, oldest = get(dual, "/traces")["data"]
    assert (newest["name"], oldest["name"]) == ("other", "root")
    assert (oldest["latency"], oldest["totalCost"], oldest["input"]) == (3, 3, "in")
    (bare,) = get(dual, "/traces", fields="core", tags="a")["data"]
    assert (bare["latency"], bare["totalCost"], bare["input"], bare["metadata"]) == (-1, -1, None, {})
    assert [each["name"] for each in get(dual, "/traces", orderBy="timestamp.asc")["data"]] == ["root", "other"]
    assert [each["name"] for each in get(dual, "/traces", userId="u")["data"]] == ["other"]
    assert get(dual, "/traces", toTimestamp="2026-11-24T12:00:00Z")["data"] == []
    assert len(get(dual, "/traces/t0000")["observations"]) == 2
    assert ask(dual, "GET", "/traces/none").status_code == 404


def test_v1_sessions_know_their_traces(dual: LangfuseServer) -> None:
    dual.add_observations([row(0, sessionId="s"), row(3, sessionId="s"), row(6)])
    assert [each["id"] for each in get(dual, "/sessions")["data"]] == ["s"]
    assert [each["id"] for each in get(dual, "/sessions/s")["traces"]] == ["t0000", "t0001"]


def test_v2_scores_lose_those_whose_trace_is_missing_unless_the_trace_is_left_out(dual: LangfuseServer) -> None:
    dual.add_observations([row(userId="u")])
    for trace_id in ("t0000", "ghost"):
        ask(dual, "POST", "/scores", json={"traceId": trace_id, "name": "n", "value": 1, "dataType": "BOOLEAN"})
    (joined,) = get(dual, "/v2/scores")["data"]
    assert (joined["trace"]["userId"], joined["value"], joined["stringValue"]) == ("u", 1, "True")
    assert len(get(dual, "/v2/scores", fields="score")["data"]) == 2


# Scores: reading -------------------------------------------------------------------------------------------------


def score(number: int, **more: Any) -> dict[str, Any]:
    at = (NOON + timedelta(seconds=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    about = {"subject": {"kind": "trace", "id": f"t{number % 3}"}, "createdAt": at, "updatedAt": at, "timestamp": at}
    return {"id": f"s{number}", "name": "n", "dataType": "NUMERIC", "value": number, **about, **more}


def test_score_cursors_give_every_score_once_newest_first(server: LangfuseServer) -> None:
    server.add_scores(score(number) for number in range(250))
    pages = every_page(server, "/v3/scores", limit=100)
    assert [each["value"] for page in pages for each in page] == list(range(249, -1, -1))
    assert [len(page) for page in pages] == [100, 100, 50]


@pytest.mark.parametrize(
    "params",
    [
        {"page": 1}, {"userId": "u"}, {"traceTags": "a"}, {"limit": 101}, {"fields": "everything"}, {"cursor": "?"},
        {"traceId": "a", "sessionId": "b"}, {"observationId": "a"}, {"valueMin": 1}, {"value": 1},
        {"value": "high", "dataType": "NUMERIC"}, {"value": "1", "dataType": "BOOLEAN"},
        {"fromTimestamp": "2026-11-24T00:00:00"},
    ],
    ids=str,
)  # fmt: skip
def test_v3_scores_is_strict(server: LangfuseServer, params: dict[str, Any]) -> None:
    assert ask(server, "GET", "/v3/scores", params=params).status_code == 400


def test_score_filters_are_lists_of_alternatives(server: LangfuseServer) -> None:
    on_span = {"kind": "observation", "id": "o1", "traceId": "t1"}
    server.add_scores([score(0), score(1, subject=on_span), score(2, source="EVAL"), score(3, name="m")])
    asked: list[tuple[dict[str, Any], set[str]]] = [
        ({"id": "s0,s3,none"}, {"s0", "s3"}),
        ({"traceId": "t1"}, {"s1"}),
        ({"traceId": "t1", "observationId": "o1,o2"}, {"s1"}),
        ({"source": "eval"}, {"s2"}),
        ({"name": "m,x"}, {"s3"}),
        ({"dataType": "numeric", "valueMin": 1, "valueMax": 2}, {"s1", "s2"}),
        ({"dataType": "NUMERIC", "value": "0,3"}, {"s0", "s3"}),
        ({"fromTimestamp": "2026-11-24T12:00:01Z", "toTimestamp": "2026-11-24T12:00:03Z"}, {"s1", "s2"}),
    ]
    for params, expected in asked:
        assert {each["id"] for each in get(server, "/v3/scores", **params)["data"]} == expected, params


# Scores: writing -------------------------------------------------------------------------------------------------


def put(server: LangfuseServer, **body: Any) -> httpx.Response:
    return ask(server, "POST", "/scores", json={"traceId": "t", "name": "n", "value": 1, **body})


def event(number: int = 0, at: datetime = NOON, **body: Any) -> dict[str, Any]:
    said = {"id": f"s{number}", "traceId": "t", "name": "n", "value": 1, **body}
    return {"id": f"e{number}", "type": "score-create", "timestamp": at.isoformat(), "body": said}


def send(server: LangfuseServer, *events: dict[str, Any]) -> dict[str, Any]:
    answer = ask(server, "POST", "/ingestion", json={"batch": list(events)})
    assert answer.status_code == 207
    said: dict[str, Any] = answer.json()
    return said


def test_one_score_is_stored_with_source_api(server: LangfuseServer) -> None:
    answer = put(server, id="mine", comment="c")
    assert (answer.status_code, answer.json()) == (200, {"id": "mine"})
    (stored,) = server.scores()
    assert (stored["source"], stored["dataType"], stored["value"], stored["comment"]) == ("API", "NUMERIC", 1, "c")


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "ANNOTATION"}, {"source": "EVAL"}, {"value": None}, {"dataType": "BOOLEAN", "value": True},
        {"dataType": "BOOLEAN", "value": 2}, {"dataType": "NUMERIC", "value": "1"}, {"dataType": "TEXT", "value": ""},
        {"dataType": "TEXT", "value": "x" * 501}, {"traceId": None}, {"sessionId": "s"}, {"name": None},
        {"traceId": None, "sessionId": "s", "observationId": "o"}, {"dataType": "STARS"},
        {"dataType": "CORRECTION", "value": "x", "configId": "c"},
        {"dataType": "CORRECTION", "value": "x", "traceId": None, "sessionId": "s"},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_scores_are_refused(server: LangfuseServer, wrong: dict[str, Any]) -> None:
    assert put(server, **wrong).status_code == 400
    said = send(server, event(**wrong))
    assert ([each["status"] for each in said["errors"]], said["successes"]) == ([400], [])
    assert server.scores() == []


def test_not_a_number_is_no_json(server: LangfuseServer) -> None:
    content = b'{"traceId":"t","name":"n","value":NaN}'
    assert ask(server, "POST", "/scores", content=content).status_code == 400


def test_an_annotation_keeps_config_queue_and_metadata(server: LangfuseServer) -> None:
    config = server.add_config("quality", "NUMERIC", minValue=1, maxValue=5)
    more = {"source": "ANNOTATION", "configId": config["id"], "queueId": "q", "metadata": {"annotator": "me"}}
    assert put(server, **more, name="another name", observationId="o").status_code == 200
    (stored,) = server.scores()
    assert {key: stored[key] for key in more} == more
    assert stored["name"] == "quality"
    assert stored["subject"] == {"kind": "observation", "id": "o", "traceId": "t"}


def test_a_correction_is_an_annotation_without_config_and_called_output(server: LangfuseServer) -> None:
    assert put(server, source="ANNOTATION", dataType="CORRECTION", value="better").status_code == 200
    assert [each["name"] for each in server.scores()] == ["output"]


DROPPED: dict[str, dict[str, Any]] = {
    "out of range": {"value": 6},
    "data type differs": {"value": 1, "dataType": "BOOLEAN"},
    "unknown category": {"value": "so-so", "configId": "category"},
    "unknown config": {"configId": "nothing"},
    "archived config": {"configId": "archived"},
}


@pytest.mark.parametrize("why", DROPPED)
def test_what_breaks_its_config_is_accepted_and_dropped_without_a_word(server: LangfuseServer, why: str) -> None:
    configs = {
        "number": server.add_config("number", "NUMERIC", minValue=1, maxValue=5),
        "category": server.add_config("category", "CATEGORICAL", categories=[{"label": "good", "value": 1}]),
        "archived": server.add_config("archived", "NUMERIC", isArchived=True),
    }
    body = {"configId": "number", "source": "ANNOTATION", **DROPPED[why]}
    body["configId"] = configs.get(body["configId"], {"id": "nothing"})["id"]
    assert put(server, **body).status_code == 200
    assert send(server, event(**body))["errors"] == []
    assert server.scores() == []
    assert [reason for _, reason in server.dropped] == [why, why]


def test_the_same_score_again_replaces_its_value_and_keeps_what_was_left_out(server: LangfuseServer) -> None:
    send(server, event(value=1, comment="first", metadata={"a": 1}, environment="x"))
    send(server, event(at=NOON + timedelta(hours=3), value=2, traceId="other", environment="y"))
    (stored,) = server.scores()
    assert (stored["value"], stored["comment"], stored["metadata"]) == (2, "first", {"a": 1})
    assert stored["timestamp"] == "2026-11-24T12:00:00.000Z"
    assert (stored["environment"], stored["subject"]["id"]) == ("x", "t")


def test_the_same_score_on_another_day_or_under_another_name_is_doubled_and_v3_hides_it(server: LangfuseServer) -> None:
    send(server, event(), event(at=NOON + timedelta(days=1), value=2), event(name="m"))
    assert len(server.scores()) == 3
    assert [each["value"] for each in get(server, "/v3/scores", id="s0")["data"]] == [2]


def test_the_day_is_that_of_utc(server: LangfuseServer) -> None:
    late = datetime.fromisoformat("2026-11-25T01:30:00+02:00")
    send(server, event(), event(at=late, value=2))
    assert [each["value"] for each in server.scores()] == [2]


def test_old_servers_date_single_scores_by_their_own_clock_across_midnight(server: LangfuseServer) -> None:
    for at in ("2026-11-24T23:59:59+00:00", "2026-11-25T00:00:01+00:00"):
        server.set_clock(datetime.fromisoformat(at))
        put(server, id="same", timestamp=NOON.isoformat())
    assert [each["timestamp"][:10] for each in server.scores()] == ["2026-11-25", "2026-11-24"]


def test_batches_answer_per_event_and_refuse_traces_in_events_only_mode(server: LangfuseServer) -> None:
    trace = {"id": "e1", "type": "trace-create", "timestamp": NOON.isoformat(), "body": {"id": "t"}}
    naive = {**event(2), "timestamp": "2026-11-24T12:00:00"}
    log = {"id": "e3", "type": "sdk-log", "timestamp": NOON.isoformat(), "body": {"log": "x"}}
    said = send(server, event(), trace, naive, log)
    assert said["successes"] == [{"id": "e0", "status": 201}, {"id": "e3", "status": 201}]
    assert [(each["id"], each["status"]) for each in said["errors"]] == [("e1", 400), ("e2", 400)]
    assert len(server.scores()) == 1


def test_five_hundred_scores_go_in_one_batch(server: LangfuseServer) -> None:
    assert len(send(server, *(event(number) for number in range(500)))["successes"]) == 500
    assert len(server.scores()) == 500


def test_lists_are_refused_before_4_59_and_taken_since() -> None:
    good, bad = ({"traceId": "t", "name": "n", "value": value} for value in (1, None))
    with LangfuseServer("4.58.9") as old:
        assert ask(old, "POST", "/scores", json=[good]).status_code == 400
        assert old.scores() == []
    with LangfuseServer("4.59.0") as new:
        answer = ask(new, "POST", "/scores", json=[good, good])
        assert (answer.status_code, answer.json()) == (202, {"message": "Accepted"})
        answer = ask(new, "POST", "/scores", json=[good, bad, bad])
        assert answer.status_code == 207
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (1, 2)
        assert [each.keys() for each in answer.json()["errors"]] == [{"message"}, {"message"}]
        assert len(new.scores()) == 3


def test_since_4_59_a_score_tells_its_own_time_with_its_zone() -> None:
    with LangfuseServer("4.66.0") as server:
        assert put(server, timestamp="2026-11-20T10:00:00+01:00").status_code == 200
        assert put(server, timestamp="2026-11-20T10:00:00").status_code == 400
        assert [each["timestamp"] for each in server.scores()] == ["2026-11-20T09:00:00.000Z"]


def test_servers_before_3_171_know_no_source() -> None:
    with LangfuseServer("3.170.0", "v3") as server:
        put(server, source="ANNOTATION")
        assert [each["source"] for each in server.scores()] == ["API"]


def test_scores_are_read_some_time_after_they_were_accepted() -> None:
    with LangfuseServer(eventual_s=float("inf")) as server:
        put(server, id="a")
        assert get(server, "/v3/scores")["data"] == []
        server.settle()
        assert len(get(server, "/v3/scores")["data"]) == 1


def test_a_late_deletion_takes_a_score_of_the_same_id_that_was_written_after_it() -> None:
    with LangfuseServer(delete_s=float("inf")) as server:
        put(server, id="a")
        answer = ask(server, "DELETE", "/scores/a")
        assert answer.status_code == 202
        assert len(get(server, "/v3/scores")["data"]) == 1
        put(server, id="a")
        assert server.scores() == []


def test_bodies_have_a_largest_size(server: LangfuseServer) -> None:
    assert put(server, comment="x" * 1_100_000).status_code == 413
    assert len(send(server, event(comment="x" * 1_100_000))["successes"]) == 1
    assert ask(server, "POST", "/ingestion", json={"batch": [event(comment="x" * 4_600_000)]}).status_code == 413


# The typed client, resource by resource --------------------------------------------------------------------------


def test_typed_health_and_projects(server: LangfuseServer, typed: Connect) -> None:
    api = typed(server)
    assert api.health.health().version == "4.16.0"
    (project,) = api.projects.get().data
    assert (project.id, project.organization.name) == ("proj1", "org1")


def test_typed_observations(server: LangfuseServer, typed: Connect) -> None:
    server.add_observations(row(number, input="a") for number in range(3))
    page = typed(server).observations.get_many(fields=ALL_GROUPS, limit=2, from_start_time=NOON)
    assert [each.id for each in page.data] == ["o0002", "o0001"]
    rest = typed(server).observations.get_many(fields=ALL_GROUPS, cursor=page.meta.cursor)
    assert [each.input for each in rest.data] == ["a"]


def test_typed_scores_of_every_type_are_written_and_read(typed: Connect) -> None:
    values: dict[str, float | str] = {
        "NUMERIC": 0.5,
        "BOOLEAN": 1,
        "CATEGORICAL": "good",
        "TEXT": "hello",
        "CORRECTION": "better",
    }
    with LangfuseServer("4.59.0") as server:
        api = typed(server)
        made = [
            CreateScoreRequest(
                id=kind, name="n", value=value, data_type=ScoreDataType(kind), trace_id="t", timestamp=NOON
            )
            for kind, value in values.items()
        ]
        api.scores.create(request=made)
        read = {each.id: each.value for each in api.scores.get_many(fields="details,subject,annotation").data}
        assert read == values
        api.scores.delete("TEXT")
        assert "TEXT" not in {each.id for each in api.scores.get_many().data}


def test_typed_lists_fail_on_older_servers(server: LangfuseServer, typed: Connect) -> None:
    made = CreateScoreRequest(name="n", value=1.0, trace_id="t", source=CreateScoreSource("API"))
    with pytest.raises(ApiError) as caught:
        typed(server).scores.create(request=[made])
    assert caught.value.status_code == 400


def test_typed_score_configs(server: LangfuseServer, typed: Connect) -> None:
    api = typed(server)
    made = api.score_configs.create(
        name="quality", data_type="NUMERIC", min_value=1, max_value=5, description="how good"
    )
    assert [each.id for each in api.score_configs.get().data] == [made.id]
    assert api.score_configs.get_by_id(made.id).max_value == 5
    assert api.score_configs.update(made.id, is_archived=True).is_archived
    boolean = api.score_configs.create(name="ok", data_type="BOOLEAN")
    assert [(each.label, each.value) for each in boolean.categories or ()] == [("True", 1), ("False", 0)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "x" * 36, "dataType": "TEXT"}, {"name": "a/b", "dataType": "TEXT"}, {"name": "a", "dataType": "STARS"},
        {"name": "a", "dataType": "NUMERIC", "minValue": 2, "maxValue": 1}, {"name": "a", "dataType": "CATEGORICAL"},
        {"name": "a", "dataType": "BOOLEAN", "minValue": 0},
        {"name": "a", "dataType": "CATEGORICAL", "categories": [{"label": "x", "value": n} for n in (1, 2)]},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_score_configs_are_refused(server: LangfuseServer, wrong: dict[str, Any]) -> None:
    assert ask(server, "POST", "/score-configs", json=wrong).status_code == 400


def test_typed_comments(server: LangfuseServer, typed: Connect) -> None:
    server.add_observations([row()])
    api = typed(server)
    about = {"project_id": "proj1", "object_type": "TRACE", "content": "hi"}
    made = api.comments.create(object_id="t0000", **about)
    assert api.comments.get_by_id(made.id).content == "hi"
    assert [each.id for each in api.comments.get(object_type="TRACE", object_id="t0000").data] == [made.id]
    assert ask(server, "GET", "/comments?objectType=trace").status_code == 400
    with pytest.raises(ApiError):
        api.comments.create(object_id="ghost", **about)


def test_typed_annotation_queues(server: LangfuseServer, typed: Connect) -> None:
    config = server.add_config("ok", "BOOLEAN")
    api = typed(server).annotation_queues
    queue = api.create_queue(name="q", score_config_ids=[config["id"]])
    assert [each.id for each in api.list_queues().data] == [queue.id]
    assert api.get_queue(queue.id).score_config_ids == [config["id"]]
    items = [api.create_queue_item(queue.id, object_id=name, object_type="TRACE") for name in ("t1", "ghost")]
    done = api.update_queue_item(queue.id, items[0].id, status="COMPLETED")
    assert done.completed_at is not None
    assert [each.object_id for each in api.list_queue_items(queue.id, status="PENDING").data] == ["ghost"]
    assert api.get_queue_item(queue.id, items[1].id).status == "PENDING"
    assert api.delete_queue_item(queue.id, items[1].id).success
    with pytest.raises(ApiError) as caught:
        api.create_queue(name="r", score_config_ids=["unknown"])
    assert caught.value.status_code == 400


# Limits and faults -----------------------------------------------------------------------------------------------


def test_one_request_fewer_than_the_limit_goes_through() -> None:
    with LangfuseServer(rate_limits=HOBBY) as server:
        answers = [ask(server, "GET", "/projects") for _ in range(31)]
        assert [each.status_code for each in answers] == [200] * 29 + [429] * 2
        refused = answers[-1].headers
        assert 1 <= int(refused["Retry-After"]) <= 60
        assert (refused["X-RateLimit-Limit"], refused["X-RateLimit-Remaining"]) == ("30", "0")
        assert not refused["X-RateLimit-Reset"].isdigit()
        assert len(send(server, event())["successes"]) == 1  # another bucket
        assert ask(server, "GET", "/health").status_code == 200


def test_a_window_that_is_over_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [0.0]
    monkeypatch.setattr("tests.langfuse_server.limits.time.monotonic", lambda: seconds[0])
    limits = Limits({"public-api": Limit(3, seconds=10)})
    limits.take("GET /api/public/projects")
    limits.take("GET /api/public/projects")
    seconds[0] = 7.5
    with pytest.raises(Refusal) as caught:
        limits.take("GET /api/public/projects")
    assert caught.value.headers["Retry-After"] == "3"
    seconds[0] = 10.0
    limits.take("GET /api/public/projects")


def test_a_dropped_connection_before_and_after_the_commit(server: LangfuseServer) -> None:
    server.faults.add(Fault("before", "POST", times=1))
    with pytest.raises(httpx.TransportError):
        put(server, id="a")
    assert server.scores() == []
    server.faults.add(Fault("after", "POST", times=1))
    with pytest.raises(httpx.TransportError):
        put(server, id="a")
    assert [each["id"] for each in server.scores()] == ["a"]
    assert put(server, id="a").status_code == 200
    assert [seen.fault for seen in server.requests] == ["before", "after", None]


@pytest.mark.parametrize("kind", ["413", "422", "429", "500", "502", "503", "524"])
def test_a_status_on_demand_changes_nothing(server: LangfuseServer, kind: Any) -> None:
    server.faults.add(Fault(kind, times=1, seconds=7))
    answer = put(server)
    assert answer.status_code == int(kind)
    assert answer.headers.get("Retry-After") == ("7" if kind == "429" else None)
    assert server.scores() == []


def test_a_proxy_page_and_a_truncated_body(server: LangfuseServer) -> None:
    server.faults.add(Fault("html", times=1), Fault("truncated", times=1))
    page = ask(server, "GET", "/projects")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(server, "GET", "/projects")
    assert ask(server, "GET", "/projects").status_code == 200


def test_a_slow_answer_outlasts_the_timeout_and_not_the_server(server: LangfuseServer) -> None:
    server.faults.add(Fault("slow", seconds=3600))
    with pytest.raises(httpx.ReadTimeout):
        ask(server, "GET", "/projects", timeout=0.05)


def test_a_fault_strikes_where_its_pattern_fits_and_after_those_it_skips(server: LangfuseServer) -> None:
    server.faults.add(Fault("500", r"GET .*/projects$", skip=1, times=1))
    assert [ask(server, "GET", path).status_code for path in ("/models", "/projects", "/projects", "/projects")] == [
        200, 200, 500, 200
    ]  # fmt: skip
    server.faults.add(Fault("500"))
    server.faults.clear()
    assert ask(server, "GET", "/models").status_code == 200


def test_chance_repeats_with_its_seed() -> None:
    def struck(seed: int) -> list[int]:
        with LangfuseServer(seed=seed) as server:
            server.faults.add(Fault("503", probability=0.5))
            return [ask(server, "GET", "/health").status_code for _ in range(20)]

    assert struck(1) == struck(1)
    assert set(struck(1)) == {200, 503}
    assert struck(1) != struck(2)


def test_an_error_of_the_stand_in_itself_is_not_hidden() -> None:
    def fail_inside() -> None:
        with LangfuseServer() as server:
            server.state.models.append({"price": object()})
            assert ask(server, "GET", "/models").status_code == 500

    with pytest.raises(ExceptionGroup, match="the stand-in itself failed"):
        fail_inside()


def test_requests_are_noted_with_parameters_and_body(server: LangfuseServer) -> None:
    get(server, "/v2/observations", limit=5)
    put(server, id="a")
    first, second = server.requests
    assert (first.method, first.path, first.params, first.status) == (
        "GET", "/api/public/v2/observations", {"limit": ["5"]}, 200
    )  # fmt: skip
    assert second.body["id"] == "a"
    assert server.most_at_once == 1


def test_runs_as_a_process_that_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "tests.langfuse_server", "--observations", "25", "--text-bytes", "100"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        keys = (said["public_key"], said["secret_key"])
        params = {"fields": "io", "limit": "1000"}
        body = httpx.get(f"{said['url']}/api/public/v2/observations", auth=keys, params=params).json()
        process.communicate()
    assert process.returncode == 0
    assert len(body["data"]) == 25
    assert all(len(json.loads(each["input"])[0]["content"]) == 100 for each in body["data"])


def test_rows_given_by_a_test_are_not_changed(server: LangfuseServer) -> None:
    rows = [row(metadata={"a": 1}, traceMetadata={"b": 2})]
    before = copy.deepcopy(rows)
    server.add_observations(rows)
    get(server, "/v2/observations", fields="metadata")
    assert rows == before
