"""Every spelling of a span decodes to the same raw span, and nothing that is met is lost."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from llmlens.read import dialects
from llmlens.read.dialects import decode, decode_document
from llmlens.read.dialects.documents import documents
from llmlens.read.dialects.values import Notes, any_value, clip, hex_id, status_code, time_ns
from llmlens.read.files import open_binary
from llmlens.read.raw import Origin, Problem, Raw, RawLog, RawScore, RawSpan
from tests.examples import examples

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/recorded"
TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
START, END = 1_795_236_127_460_244_878, 1_795_236_127_505_199_814


def base64_of(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def read(data: bytes | str, **limits: Any) -> list[Raw]:
    found = list(decode(io.BytesIO(data.encode() if isinstance(data, str) else data), **limits))
    assert all(len(raw.example) <= 200 for raw in found if isinstance(raw, Problem))
    return found


def spans_of(raws: list[Raw]) -> list[RawSpan]:
    return [raw for raw in raws if isinstance(raw, RawSpan)]


def problems_of(raws: list[Raw], action: str = "") -> list[Problem]:
    return [raw for raw in raws if isinstance(raw, Problem) and raw.action.startswith(action)]


def reasons(raws: list[Raw]) -> list[tuple[str, str]]:
    return [(problem.action, problem.reason) for problem in problems_of(raws)]


def only(raws: list[Raw]) -> RawSpan:
    (span,) = raws
    assert isinstance(span, RawSpan)
    return span


def span(**changes: Any) -> dict[str, Any]:
    made = {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "chat",
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(END),
        "attributes": [{"key": "model", "value": {"stringValue": "gpt"}}],
        "status": {"code": 1},
    }
    return {name: value for name, value in {**made, **changes}.items() if value != "absent"}


def request(*found: Any) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": list(found)}]}]}


def decoded(**changes: Any) -> list[Raw]:
    return list(decode_document(request(span(**changes))))


class TestRecordings:
    """One recording in every dialect."""

    @staticmethod
    def load(name: str) -> dict[tuple[str, str], RawSpan]:
        path = RECORDED / f"openinference_openai.{name}"
        if not path.exists():
            pytest.skip(f"no {path.name} beside the checkout")
        with open_binary(path) as source:
            raws = list(decode(source, path.name))
        assert problems_of(raws) == []
        spans = spans_of(raws)
        found = {(each.trace_id, each.span_id): dataclasses.replace(each, line=0) for each in spans}
        assert len(found) == len(spans)
        return found

    @pytest.mark.parametrize(
        "name",
        [
            "otlp.jsonl.gz",
            "otlp.pb",
            "export_request.pb",
            "collector_native.jsonl.zst",
            "collector_legacy_json_zstd.bin",
            "pbjson_base64ids.json",
            "pyjsonfile.jsonl",
        ],
    )
    def test_every_dialect_gives_the_same_spans(self, name: str) -> None:
        assert self.load(name) == self.load("otlp.jsonl")

    def test_snake_case_gives_the_same_spans_as_far_as_they_were_written(self) -> None:
        whole, part = self.load("otlp.jsonl"), self.load("pbjson_snake.json")
        assert len(part) == 5
        assert part == {key: whole[key] for key in part}

    def test_the_console_gives_the_same_but_for_scope_and_nanoseconds(self) -> None:
        whole, console = self.load("otlp.jsonl"), self.load("console.txt")
        assert console.keys() == whole.keys()
        for key, got in console.items():
            want = whole[key]
            assert abs((got.start_ns or 0) - (want.start_ns or 0)) < 1_000
            assert abs((got.end_ns or 0) - (want.end_ns or 0)) < 1_000
            assert got.origin == Origin(want.origin.resource)
            assert [event.name for event in got.events] == [event.name for event in want.events]
            same: dict[str, Any] = {"start_ns": 0, "end_ns": 0, "origin": None, "events": []}
            assert dataclasses.replace(got, **same) == dataclasses.replace(want, **same)

    def test_mlflow_tells_its_session_and_its_scores(self) -> None:
        path = RECORDED / "mlflow_traces.jsonl"
        if not path.exists():
            pytest.skip(f"no {path.name} beside the checkout")
        raws = read(path.read_bytes())
        root = next(each for each in spans_of(raws) if each.parent_id is None)
        assert root.attributes["mlflow.trace.session"] == "s1"
        assert root.attributes["mlflow.spanType"] == '"AGENT"'
        assert len(spans_of(raws)) == 5
        (score,) = [raw for raw in raws if isinstance(raw, RawScore)]
        assert (score.trace_id, score.name, score.value, score.source) == (root.trace_id, "correct", 1.0, "human")


class TestOtlpJson:
    WANT = RawSpan(TRACE, SPAN, PARENT, "chat", START, END, 1, None, {"model": "gpt"}, [], [], Origin(), 1)

    def test_strict_spans_are_decoded(self) -> None:
        assert only(decoded()) == self.WANT

    @pytest.mark.parametrize(
        "changes",
        [
            {"traceId": TRACE.upper(), "spanId": SPAN.upper(), "parentSpanId": PARENT.upper()},
            {"traceId": "0x" + TRACE, "spanId": "0x" + SPAN},
            {"traceId": base64_of(TRACE), "spanId": base64_of(SPAN), "parentSpanId": base64_of(PARENT)},
            {"traceId": base64_of(TRACE).rstrip("=").replace("/", "_").replace("+", "-")},
            {"traceId": "5b8efff7-9803-8103-d269-b633813fc60c"},
            {"status": {"code": "STATUS_CODE_OK"}},
            {"status": {"code": "Ok", "message": ""}},
            {"startTimeUnixNano": START, "endTimeUnixNano": END},
            {"attributes": [{"key": "model", "value": {"string_value": "gpt", "kvlist_value": None}}]},
            {"attributes": {"model": "gpt"}},
            {"traceId": "absent", "trace_id": TRACE, "startTimeUnixNano": "absent", "start_time_unix_nano": str(START)},
            {"startTimeUnixNano": "absent", "start_time": "2026-11-21T04:42:07.460244878Z"},
            {"events": None, "links": []},
        ],
    )
    def test_every_spelling_gives_the_same_span(self, changes: dict[str, Any]) -> None:
        assert only(decoded(**changes)) == self.WANT

    @pytest.mark.parametrize("parent", ["", None, "absent", "0" * 16, "AAAAAAAAAAA="])
    def test_a_root_has_no_parent_however_it_is_written(self, parent: str | None) -> None:
        assert only(decoded(parentSpanId=parent)).parent_id is None

    @pytest.mark.parametrize(
        "document",
        [
            {"batches": [{"scopeSpans": [{"spans": [span()]}]}]},
            {"trace": {"resourceSpans": [{"scopeSpans": [{"spans": [span()]}]}]}},
            {"resource_spans": [{"scope_spans": [{"spans": [span()]}]}]},
            {"batches": [{"instrumentationLibrarySpans": [{"instrumentationLibrary": {}, "spans": [span()]}]}]},
            {"data": [span()], "next_cursor": None},
            [[request(span())]],
        ],
    )
    def test_every_envelope_gives_the_same_span(self, document: Any) -> None:
        assert only(list(decode_document(document))) == self.WANT

    def test_resource_and_scope_are_kept(self) -> None:
        pair = [{"key": "service.name", "value": {"stringValue": "shop"}}]
        scoped = {"scope": {"name": "s", "version": "1", "attributes": pair}, "spans": [span()]}
        document = {"resourceSpans": [{"resource": {"attributes": pair}, "scopeSpans": [scoped]}]}
        origin = only(list(decode_document(document))).origin
        assert origin == Origin({"service.name": "shop"}, "s", "1", {"service.name": "shop"})

    @pytest.mark.parametrize(
        ("value", "want"),
        [
            ({}, None),
            ({"intValue": "7"}, 7),
            ({"int_value": 7}, 7),
            ({"boolValue": False}, False),
            ({"doubleValue": 1}, 1.0),
            ({"bytesValue": "AAE="}, "AAE="),
            ({"arrayValue": {}}, []),
            ({"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "1"}, {}]}}, ["a", 1, None]),
            (
                {"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}, {"key": "b"}]}},
                {"a": True, "b": None},
            ),
            ({"any": {"plain": [1]}}, {"any": {"plain": [1]}}),
            ({"stringValue": {"not": "a text"}}, {"not": "a text"}),
        ],
    )
    def test_values_become_plain_python(self, value: Any, want: Any) -> None:
        got = only(decoded(attributes=[{"key": "k", "value": value}])).attributes["k"]
        assert got == want
        assert type(got) is type(want)

    @pytest.mark.parametrize("spelling", ["NaN", "Infinity", "-Infinity"])
    def test_a_number_that_json_does_not_have_is_kept_as_a_text_and_noted(self, spelling: str) -> None:
        span, problem = decoded(attributes=[{"key": "k", "value": {"doubleValue": spelling}}])
        assert isinstance(span, RawSpan)
        assert span.attributes["k"] == spelling
        assert isinstance(problem, Problem)
        assert problem.action == "noted"

    def test_events_and_links_are_kept(self) -> None:
        pair = [{"key": "a", "value": {"intValue": "1"}}]
        events = [{"name": "exception", "timeUnixNano": str(START), "attributes": pair}]
        links = [{"traceId": TRACE, "spanId": PARENT, "attributes": pair}, {"traceId": "", "spanId": ""}]
        raws = decoded(events=events, links=links)
        (got,) = spans_of(raws)
        assert [(event.name, event.time_ns, event.attributes) for event in got.events] == [
            ("exception", START, {"a": 1})
        ]
        assert [(link.trace_id, link.span_id, link.attributes) for link in got.links] == [(TRACE, PARENT, {"a": 1})]
        assert reasons(raws) == [("repaired", "a link without the ids of a span was left out")]

    def test_proto_keys_are_just_keys(self) -> None:
        pairs = [{"key": key, "value": {"stringValue": "x"}} for key in ("__proto__", "constructor", "__class__")]
        assert only(decoded(attributes=pairs)).attributes == dict.fromkeys(
            ("__proto__", "constructor", "__class__"), "x"
        )

    def test_an_integer_beyond_64_bits_is_kept_as_a_number_and_noted(self) -> None:
        raws = decoded(attributes=[{"key": "k", "value": {"intValue": "9" * 30}}])
        assert spans_of(raws)[0].attributes["k"] == 1e30
        assert [action for action, _ in reasons(raws)] == ["repaired"]

    @pytest.mark.parametrize("times", [START // 1000, START // 10**6, START // 10**9])
    def test_times_in_another_unit_are_repaired_and_noted(self, times: int) -> None:
        raws = decoded(startTimeUnixNano=times, endTimeUnixNano=str(times))
        (got,) = spans_of(raws)
        assert got.start_ns is not None
        assert 0 <= START - got.start_ns < 10**9
        assert [action for action, _ in reasons(raws)] == ["repaired", "repaired"]
        assert "seconds" in reasons(raws)[0][1]

    @pytest.mark.parametrize(
        ("changes", "action", "reason"),
        [
            ({"endTimeUnixNano": "absent"}, "noted", "a span has no end"),
            ({"endTimeUnixNano": "0"}, "noted", "a span has no end"),
            ({"startTimeUnixNano": None}, "noted", "a span has no start"),
            ({"endTimeUnixNano": str(START - 1)}, "noted", "a span ends before it starts"),
            ({"startTimeUnixNano": "5"}, "noted", "the start is before 1979"),
            ({"endTimeUnixNano": "9" * 25}, "repaired", "the end is out of range"),
            ({"endTimeUnixNano": "soon"}, "repaired", "the end is no time"),
            ({"traceId": "16ef"}, "repaired", "an id of fewer than 32 hex digits was padded with zeros"),
            (
                {"parentSpanId": "mum"},
                "repaired",
                "the parent's id is neither hex, base64 nor UUID: the span became a root",
            ),
            ({"status": {"code": 9}}, "repaired", "an unknown status code became unset"),
            ({"attributes": [{"value": {}}]}, "repaired", "an attribute without a key was left out"),
            ({"attributes": 7}, "dropped", "a set of attributes is not a list"),
        ],
    )
    def test_an_odd_span_is_kept_and_noted(self, changes: dict[str, Any], action: str, reason: str) -> None:
        raws = decoded(**changes)
        assert len(spans_of(raws)) == 1
        assert (action, reason) in reasons(raws)
        assert all(problem.line == 1 for problem in problems_of(raws))

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"traceId": "absent"}, "the trace id of a span is missing"),
            ({"traceId": "0" * 32}, "the trace id of a span is all zeros"),
            ({"spanId": ""}, "the span id of a span is missing"),
            ({"spanId": "not an id"}, "the span id of a span is neither hex, base64 nor UUID"),
            ({"spanId": "a" * 17}, "the span id of a span is of 17 hex digits instead of 16"),
            ({"spanId": "eee19b7ec3c1 174"}, "the span id of a span is neither hex, base64 nor UUID"),
            ({"traceId": 12}, "the trace id of a span is not a text"),
            ({"traceId": ["x"]}, "the trace id of a span is not a text"),
        ],
    )
    def test_a_span_without_usable_ids_is_dropped_with_line_and_example(
        self, changes: dict[str, Any], reason: str
    ) -> None:
        line = json.dumps(request(span()))
        raws = read(line + "\n" + json.dumps(request(span(**changes), span())))
        assert len(spans_of(raws)) == 2
        (problem,) = problems_of(raws)
        assert (problem.line, problem.reason, problem.action) == (2, reason, "dropped")
        assert problem.example or changes == {"spanId": ""}

    def test_an_odd_span_costs_only_itself(self) -> None:
        raws = list(decode_document(request(span(), 7, None, span(spanId=7), span())))
        assert len(spans_of(raws)) == 2
        assert len(problems_of(raws, "dropped")) == 3


class TestLogs:
    @staticmethod
    def logs(*records: Any) -> list[Raw]:
        return read(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}))

    def test_a_record_of_a_span_keeps_its_structured_body(self) -> None:
        body = {"kvlistValue": {"values": [{"key": "role", "value": {"stringValue": "user"}}]}}
        ids = {"traceId": TRACE, "spanId": SPAN}
        attributes = [{"key": "event.name", "value": {"stringValue": "gen_ai.choice"}}]
        raws = self.logs(
            {**ids, "body": body, "eventName": "gen_ai.user.message", "timeUnixNano": str(START)},
            {**ids, "attributes": attributes, "observedTimeUnixNano": str(END)},
        )
        assert raws == [
            RawLog(TRACE, SPAN, "gen_ai.user.message", START, {}, {"role": "user"}, 1),
            RawLog(TRACE, SPAN, "gen_ai.choice", END, {"event.name": "gen_ai.choice"}, None, 1),
        ]

    def test_records_without_a_span_are_counted_once(self) -> None:
        raws = self.logs({"body": {}}, {"traceId": TRACE, "spanId": ""}, {"traceId": "0" * 32, "spanId": "0" * 16})
        (problem,) = problems_of(raws)
        assert (problem.reason, problem.count, problem.action) == ("a log record without a span", 3, "dropped")

    def test_a_record_with_a_bad_id_is_told_apart(self) -> None:
        (problem,) = problems_of(self.logs({"traceId": "???", "spanId": SPAN}))
        assert "neither hex" in problem.reason

    def test_metrics_are_told_once_a_file(self) -> None:
        raws = read('{"resourceMetrics":[{}]}\n' * 3 + json.dumps(request(span())))
        assert len(spans_of(raws)) == 1
        (problem,) = problems_of(raws)
        assert (problem.line, problem.count) == (1, 3)


class TestOtherDialects:
    def test_jaeger(self) -> None:
        tags = [
            {"key": "otel.status_code", "type": "string", "value": "ERROR"},
            {"key": "otel.status_description", "type": "string", "value": "boom"},
            {"key": "otel.scope.name", "type": "string", "value": "lib"},
            {"key": "tokens", "type": "int64", "value": "7"},
        ]
        fields = [{"key": "event", "value": "exception"}, {"key": "exception.type", "value": "ValueError"}]
        made = {
            "traceID": "d269b633813fc60c",
            "spanID": SPAN.upper(),
            "operationName": "chat",
            "processID": "p1",
            "startTime": START // 1000,
            "duration": 44_954,
            "references": [
                {"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": SPAN},
                {"refType": "CHILD_OF", "traceID": "d269b633813fc60c", "spanID": PARENT},
            ],
            "tags": tags,
            "logs": [{"timestamp": START // 1000, "fields": fields}],
        }
        processes = {"p1": {"serviceName": "shop", "tags": [{"key": "host", "type": "string", "value": "h"}]}}
        trace = {"traceID": "d269b633813fc60c", "spans": [made], "processes": processes}
        want_start = START // 1000 * 1000
        for document in ({"data": [trace]}, trace, [trace]):
            got = only(read(json.dumps(document)))
            assert (got.trace_id, got.span_id, got.parent_id) == ("0" * 16 + "d269b633813fc60c", SPAN, PARENT)
            assert (got.start_ns, got.end_ns) == (want_start, want_start + 44_954_000)
            assert (got.status, got.status_message, got.attributes["tokens"]) == (2, "boom", 7)
            assert got.origin == Origin({"service.name": "shop", "host": "h"}, "lib")
            assert got.events[0].name == "exception"
            assert (got.events[0].time_ns, got.events[0].attributes) == (want_start, {"exception.type": "ValueError"})
            assert (got.links[0].trace_id, got.links[0].span_id) == (TRACE, SPAN)

    def test_zipkin(self) -> None:
        made = {
            "traceId": TRACE,
            "id": SPAN,
            "parentId": PARENT,
            "name": "chat",
            "timestamp": START // 1000,
            "duration": 10,
            "localEndpoint": {"serviceName": "shop"},
            "tags": {"error": "boom"},
            "annotations": [{"timestamp": START // 1000, "value": "first token"}],
        }
        got = only(read(json.dumps([made])))
        assert (got.trace_id, got.span_id, got.parent_id) == (TRACE, SPAN, PARENT)
        assert (got.end_ns or 0) - (got.start_ns or 0) == 10_000
        assert (got.status, got.status_message, got.origin.resource) == (2, "boom", {"service.name": "shop"})
        assert got.events[0].name == "first token"

    def test_phoenix_rest(self) -> None:
        made = {
            "name": "chat",
            "context": {"trace_id": TRACE, "span_id": SPAN},
            "span_kind": "LLM",
            "parent_id": None,
            "start_time": "2026-11-21T04:42:07.460245+00:00",
            "end_time": "2026-11-21T05:42:07.5+01:00",
            "status_code": "ERROR",
            "status_message": "boom",
            "attributes": {"llm.model_name": "gpt"},
            "events": [{"name": "e", "timestamp": "2026-11-21T04:42:07Z"}],
        }
        got = only(read(json.dumps({"data": [made], "next_cursor": None})))
        assert (got.start_ns, got.end_ns) == (1_795_236_127_460_245_000, 1_795_236_127_500_000_000)
        assert (got.status, got.status_message) == (2, "boom")
        assert got.attributes == {"llm.model_name": "gpt", "openinference.span.kind": "LLM"}
        assert got.events[0].time_ns == 1_795_236_127_000_000_000

    def test_mlflow(self) -> None:
        made = {
            "trace_id": base64_of(TRACE),
            "span_id": base64_of(SPAN),
            "parent_span_id": None,
            "name": "agent",
            "start_time_unix_nano": START,
            "end_time_unix_nano": END,
            "status": {"code": "STATUS_CODE_ERROR", "message": "boom"},
            "attributes": {"mlflow.spanType": '"AGENT"'},
        }
        assessments = [
            {"assessment_name": "tone", "feedback": {"value": "rude"}, "source": {"source_type": "LLM_JUDGE"}},
            {
                "assessment_name": "score",
                "feedback": {"value": 0.5},
                "span_id": SPAN,
                "create_time": "2026-11-21T00:00:00Z",
            },
            {"assessment_name": "old", "feedback": {"value": 1}, "valid": False},
            {"assessment_name": "want", "expectation": {"value": {"a": 1}}},
            "junk",
        ]
        info = {
            "trace_id": "tr-" + TRACE,
            "trace_metadata": {"mlflow.trace.session": "s1"},
            "tags": {"mlflow.traceName": "agent", "k": "v"},
            "assessments": assessments,
        }
        raws = read(json.dumps([{"info": info, "data": {"spans": [made]}}]))
        (got,) = spans_of(raws)
        assert (got.trace_id, got.span_id, got.status, got.status_message) == (TRACE, SPAN, 2, "boom")
        assert got.attributes == {
            "mlflow.trace.session": "s1",
            "mlflow.traceName": "agent",
            "mlflow.trace.tag.k": "v",
            "mlflow.spanType": '"AGENT"',
        }
        scores = [raw for raw in raws if isinstance(raw, RawScore)]
        assert [(each.name, each.value, each.label, each.source, each.span_id) for each in scores] == [
            ("tone", None, "rude", "judge", None),
            ("score", 0.5, None, None, SPAN),
            ("want", None, '{"a":1}', None, None),
        ]
        assert [problem.reason for problem in problems_of(raws)] == [
            "an assessment was superseded by a later one",
            "an assessment is not an object",
        ]

    def test_other_json_is_not_taken_for_a_trace(self) -> None:
        langfuse = {"id": "1", "traceId": TRACE, "parentObservationId": None, "startTime": "2026-11-21T00:00:00Z"}
        score = {"id": "1", "traceId": TRACE, "name": "s", "timestamp": "2026-11-21T00:00:00Z"}
        event = {"id": "1", "span_id": SPAN, "trace_id": TRACE, "vendor": "openai"}
        for document in (langfuse, score, event, {"prompt": "hi"}, 7, "text", None):
            raws = read('{"resourceSpans":[]}\n' + json.dumps(document))
            assert [problem.action for problem in problems_of(raws)] == ["dropped"]
            assert spans_of(raws) == []

    def test_an_empty_message_is_no_problem(self) -> None:
        assert read("{}\n") == []
        assert read('{"resourceSpans":null}\n{"data":[]}\n[]\n') == []


class TestFrames:
    @staticmethod
    def framed(*messages: bytes) -> bytes:
        return b"".join(len(message).to_bytes(4, "big") + message for message in messages)

    def test_frames_of_json_and_of_zstd_are_read_and_counted(self) -> None:
        message = json.dumps(request(span())).encode()
        raws = read(self.framed(message, zstandard.compress(message), b"", message))
        assert [raw.line for raw in spans_of(raws)] == [1, 2, 4]
        assert problems_of(raws) == []

    def test_a_torn_last_frame_is_a_problem(self) -> None:
        message = json.dumps(request(span())).encode()
        for cut in (1, len(message) + 2):
            raws = read(self.framed(message, message)[:-cut])
            assert len(spans_of(raws)) == 1
            assert [(problem.line, problem.action) for problem in problems_of(raws)] == [(2, "dropped")]

    def test_a_broken_or_too_large_frame_costs_only_itself(self) -> None:
        message = json.dumps(request(span())).encode()
        bomb, broken = zstandard.compress(b" " * 10_000_000), zstandard.compress(message)[:-4] + b"abcd"
        raws = read(self.framed(zstandard.compress(message), bomb, broken, message), max_document=100_000)
        assert [raw.line for raw in spans_of(raws)] == [1, 4]
        assert [problem.line for problem in problems_of(raws)] == [2, 3]

    def test_a_frame_that_claims_too_much_ends_the_reading(self) -> None:
        message = json.dumps(request(span())).encode()
        raws = read(self.framed(message) + b"\xff\xff\xff\xff" + message, max_document=100_000)
        assert len(spans_of(raws)) == 1
        assert "claims" in problems_of(raws)[0].reason


class TestBadInput:
    LINE = json.dumps(request(span()))

    def test_a_torn_last_line_and_junk_in_the_middle_are_problems_with_their_line(self) -> None:
        raws = read("\n".join([self.LINE, "this is not json", self.LINE, "", self.LINE, self.LINE[:-40]]))
        assert [raw.line for raw in spans_of(raws)] == [1, 3, 5]
        assert [(problem.line, problem.action) for problem in problems_of(raws)] == [(2, "dropped"), (6, "dropped")]
        assert "torn" in problems_of(raws)[1].reason

    @pytest.mark.parametrize("cut", range(1, 400, 7))
    def test_a_line_torn_anywhere_does_not_swallow_the_next(self, cut: int) -> None:
        raws = read("\n".join([self.LINE[:cut], self.LINE, self.LINE]))
        assert [raw.line for raw in spans_of(raws)] == [2, 3]
        assert [problem.line for problem in problems_of(raws)] == [1]

    @pytest.mark.parametrize("indent", [0, 1, 4])
    def test_pretty_printed_documents_after_each_other_are_told_apart(self, indent: int) -> None:
        one = json.dumps(request(span()), indent=indent)
        lines = one.count("\n") + 1
        raws = read(f"{one}\n{one}\n{self.LINE}\n{one}")
        assert [raw.line for raw in spans_of(raws)] == [1, lines + 1, 2 * lines + 1, 2 * lines + 2]
        assert problems_of(raws) == []

    def test_a_torn_pretty_document_does_not_swallow_the_next(self) -> None:
        one = json.dumps(request(span()), indent=2)
        raws = read(one[:200] + "\n" + one + "\nlog line in between\n" + one)
        assert len(spans_of(raws)) == 2
        assert len(problems_of(raws)) == 2

    def test_a_list_with_an_object_a_line_is_read_even_when_torn(self) -> None:
        whole = "[\n" + ",\n".join([self.LINE] * 3) + "\n]"
        assert len(spans_of(read(whole))) == 3
        raws = read(whole[:-20])
        assert len(spans_of(raws)) == 2
        assert "torn" in problems_of(raws)[0].reason

    def test_documents_on_one_line_are_told_apart(self) -> None:
        raws = read(self.LINE + self.LINE + " " + self.LINE + "\x1e")
        assert len(spans_of(raws)) == 3

    def test_nan_and_infinity_are_read(self) -> None:
        made = {"context": {"trace_id": TRACE, "span_id": SPAN}, "attributes": {"a": math.nan, "b": math.inf}}
        (got,) = spans_of(read(json.dumps(made)))
        assert got.attributes == {"a": "NaN", "b": "Infinity"}

    def test_lone_surrogates_and_bad_utf8_are_replaced_and_noted(self) -> None:
        text = self.LINE.replace("chat", r"\ud83d \ud83d\ude42 \\ud83d")
        raws = read(text)
        assert spans_of(raws)[0].name == "\ufffd \N{SLIGHTLY SMILING FACE} \\ud83d"
        assert reasons(raws) == [("repaired", "lone surrogates were replaced")]
        raws = read(self.LINE.encode().replace(b"chat", b"\xff"))
        assert spans_of(raws)[0].name == "\ufffd"
        assert reasons(raws) == [("repaired", "bytes that are not UTF-8 were replaced")]

    @pytest.mark.parametrize("depth", [300, 1_000, 200_000])
    def test_deep_json_is_a_problem_and_the_next_line_is_read(self, depth: int) -> None:
        deep = '{"resourceSpans":' + '[{"a":' * depth + "1" + "}]" * depth + "}"
        raws = read(deep + "\n" + self.LINE)
        assert len(spans_of(raws)) == 1
        assert [problem.line for problem in problems_of(raws) if depth > 300] == [1] * (depth > 300)

    def test_a_deep_attribute_is_cut_and_noted(self) -> None:
        value: dict[str, Any] = {"stringValue": "x"}
        for _ in range(150):
            value = {"arrayValue": {"values": [value]}}
        raws = decoded(attributes=[{"key": "k", "value": value}])
        assert json.dumps(spans_of(raws)[0].attributes).count("[") == 100
        assert reasons(raws) == [("repaired", "an attribute nested deeper than 100 levels was cut")]

    def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(self) -> None:
        raws = read(b"\xef\xbb\xbf" + self.LINE.encode() + b"\r\n" + self.LINE.encode() + b"\r\n")
        assert len(spans_of(raws)) == 2
        assert problems_of(raws) == []

    @pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\n" * 5_000])
    def test_nothing_gives_nothing(self, data: bytes) -> None:
        assert read(data) == []

    def test_lines_are_counted_over_many_blank_ones(self) -> None:
        raws = read(self.LINE + "\n" * 3_000_000 + self.LINE)
        assert [raw.line for raw in spans_of(raws)] == [1, 3_000_001]

    @pytest.mark.parametrize(
        ("data", "what"),
        [(b"a,b\n1,2\n", "CSV"), (b"PAR1....", "Parquet"), (b"hello\n", "text"), (b"\0\1\2\3" * 9, "neither JSON nor")],
    )
    def test_other_files_are_one_problem(self, data: bytes, what: str) -> None:
        (problem,) = problems_of(read(data))
        assert what in problem.reason
        assert problem.action == "dropped"

    def test_a_line_beyond_the_limit_is_skipped(self) -> None:
        long = json.dumps(request(span(name="x" * 5_000)))
        raws = read(f"{self.LINE}\n{long}\n{self.LINE}", max_document=2_000)
        assert [raw.line for raw in spans_of(raws)] == [1, 3]
        assert [problem.line for problem in problems_of(raws)] == [2]

    def test_endless_junk_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dialects, "_MAX_JUNK", 100)
        raws = read(self.LINE + "\n" + "x\n" * 99 + self.LINE + "\n" + "x\n" * 150 + self.LINE)
        assert [raw.line for raw in spans_of(raws)] == [1, 101]
        assert len(problems_of(raws)) == 200
        assert "reading ended" in problems_of(raws)[-1].reason

    def test_unpacking_problems_are_told(self, tmp_path: Path) -> None:
        path = tmp_path / "torn.gz"
        path.write_bytes(gzip.compress(self.LINE.encode() + b"\n")[:-4])
        with open_binary(path) as source:
            raws = list(decode(source))
        assert len(spans_of(raws)) == 1
        assert "torn" in problems_of(raws)[0].reason

    def test_torn_text_full_of_quotes_is_read_in_linear_time(self) -> None:
        torn = b'{"resourceSpans":[{"a":"' + rb"\"" * 200_000 + b"\n"
        assert len(problems_of(read(torn + self.LINE.encode()))) == 1


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=8)
WHOLE = st.dictionaries(
    st.text(max_size=8), st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=5), max_size=3
)
FIELDS = st.sampled_from(
    ["traceId", "spanId", "parentSpanId", "name", "startTimeUnixNano", "endTimeUnixNano", "attributes", "status",
     "events", "links", "context", "trace_id"],
)  # fmt: skip
VALUE_KEYS = st.sampled_from(["stringValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "values"])
PAIRS = st.fixed_dictionaries({"key": JUNK, "value": st.dictionaries(VALUE_KEYS, JUNK, max_size=2)})
PARTS = st.fixed_dictionaries({"name": JUNK, "timeUnixNano": JUNK, "attributes": JUNK, "traceId": JUNK})
NEAR = st.one_of(
    JUNK,
    st.lists(PAIRS, max_size=3),
    st.lists(PARTS, max_size=2),
    st.fixed_dictionaries({"code": JUNK, "message": JUNK}),
)
SPANS = st.dictionaries(FIELDS, NEAR, max_size=3).map(lambda changes: {**span(), **changes}) | JUNK


TOP_KEYS = st.sampled_from(
    ["resourceSpans", "batches", "resourceLogs", "data", "trace", "spans", "info", "traceID", "processes", "traceId",
     "id", "context", "timestamp", "spanId", "scopeSpans", "startTime"],
)  # fmt: skip
INNER_KEYS = st.sampled_from(["spans", "scopeSpans", "traceID", "spanID", "tags", "logs", "resource", "logRecords"])


class TestProperties:
    @examples(300)
    @given(st.lists(SPANS, max_size=5))
    def test_every_span_met_is_a_span_or_a_dropped_problem(self, made: list[Any]) -> None:
        raws = read(json.dumps(request(*made)))
        spans = spans_of(raws)
        lost = [p for p in problems_of(raws, "dropped") if "of a span is" in p.reason or "span is not" in p.reason]
        assert len(spans) + sum(problem.count for problem in lost) == len(made)
        for each in spans:
            assert len(each.trace_id) == 32
            assert len(each.span_id) in {16, 32}
            assert each.status in {0, 1, 2}
            assert all(isinstance(text, str) for text in [each.name, *each.attributes])

    @given(JUNK | st.dictionaries(TOP_KEYS, JUNK | st.lists(st.dictionaries(INNER_KEYS, JUNK)), max_size=4))
    def test_no_document_makes_it_fail(self, document: Any) -> None:
        for raw in decode_document(document):
            assert isinstance(raw, (RawSpan, RawLog, RawScore, Problem))

    @given(st.binary(max_size=200), st.sampled_from([b"", b"{", b'{"resourceSpans":', b"\0\0\0\x09\n", b"\n\x04"]))
    def test_no_bytes_make_it_fail(self, data: bytes, head: bytes) -> None:
        for raw in read(head + data):
            assert isinstance(raw, (RawSpan, RawLog, RawScore, Problem))

    @given(st.lists(WHOLE, max_size=4), st.sampled_from([None, 0, 1, 4]))
    def test_documents_are_cut_as_they_were_written(self, made: list[Any], indent: int | None) -> None:
        text = "\n".join(json.dumps(document, indent=indent) for document in made)
        assert [each[1] for each in documents(io.BytesIO(text.encode())) if not isinstance(each, Problem)] == made

    @given(st.binary(min_size=8, max_size=8).filter(any))
    def test_an_id_is_the_same_in_every_spelling(self, raw: bytes) -> None:
        want = raw.hex()
        for text in (
            want,
            want.upper(),
            "0x" + want,
            base64.b64encode(raw).decode(),
            base64.urlsafe_b64encode(raw).decode(),
        ):
            assert hex_id(text, 16) == want

    @given(st.integers(3 * 10**8, 7 * 10**9), st.integers(0, 999_999_999))
    def test_iso_times_keep_their_nanoseconds(self, seconds: int, nanos: int) -> None:
        from datetime import UTC, datetime

        text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"
        assert time_ns(text, Notes(1), "start") == seconds * 10**9 + nanos

    @given(JUNK)
    def test_values_and_clips_never_fail(self, value: Any) -> None:
        json.dumps(any_value(value, Notes(1)))
        assert len(clip(value)) <= 200
        assert status_code(value, Notes(1)) in {0, 1, 2}
        time_ns(value, Notes(1), "start")
