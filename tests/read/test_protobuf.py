"""Protobuf decoding, held against the generated classes of opentelemetry-proto."""

from __future__ import annotations

import base64
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status, TracesData

from llmlens.read.dialects.protobuf import decode_export_request, decode_logs, decode_traces
from llmlens.read.raw import Origin, Problem, RawEvent, RawLink, RawLog, RawSpan
from tests.examples import examples

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/recorded"
TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))
TIME = 1_795_236_127_460_244_878


# --- the oracle: plain reading of the generated classes


def plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return plain_dict(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)


def plain_dict(pairs: Any) -> dict[str, Any]:
    return {pair.key: plain(pair.value) for pair in pairs}


def plain_spans(message: TracesData, line: int) -> list[RawSpan]:
    return [
        RawSpan(
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex() if any(span.parent_span_id) else None,
            span.name,
            span.start_time_unix_nano or None,
            span.end_time_unix_nano or None,
            span.status.code,
            span.status.message or None,
            plain_dict(span.attributes),
            [RawEvent(e.name, e.time_unix_nano or None, plain_dict(e.attributes)) for e in span.events],
            [RawLink(k.trace_id.hex(), k.span_id.hex(), plain_dict(k.attributes)) for k in span.links],
            Origin(
                plain_dict(resource.resource.attributes),
                scope.scope.name,
                scope.scope.version,
                plain_dict(scope.scope.attributes),
            ),
            line,
        )
        for resource in message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def plain_logs(message: LogsData, line: int) -> list[RawLog]:
    return [
        RawLog(
            record.trace_id.hex(),
            record.span_id.hex(),
            record.event_name,
            record.time_unix_nano or record.observed_time_unix_nano or None,
            plain_dict(record.attributes),
            plain(record.body),
            line,
        )
        for resource in message.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


# --- builders


def traces(*spans: Span) -> TracesData:
    return TracesData(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])])


def logs(*records: LogRecord) -> LogsData:
    return LogsData(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])])


def span(**fields: Any) -> Span:
    usual: dict[str, Any] = {"trace_id": TRACE, "span_id": SPAN, "name": "chat", "start_time_unix_nano": TIME}
    return Span(**usual | fields)


def attribute(key: str, **value: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


def field(number: int, content: bytes) -> bytes:
    """Encode a length-delimited protobuf field."""
    size, encoded = len(content), bytearray([number << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([*encoded, size]) + content


def message_with(*fields: bytes) -> bytes:
    """Serialize a message of one good span that also has these already encoded fields."""
    return field(1, field(2, field(2, span().SerializeToString() + b"".join(fields))))


def only_span(data: bytes) -> tuple[RawSpan, list[Problem]]:
    found = list(decode_traces(data, 1))
    (decoded,) = [item for item in found if isinstance(item, RawSpan)]
    return decoded, [item for item in found if isinstance(item, Problem)]


def only_problem(items: Any) -> Problem:
    (problem,) = items
    assert isinstance(problem, Problem)
    return problem


# --- strategies

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from([30, 63, 64, 100, 9_000]).map(
    "é".__mul__
)
any_values = st.recursive(
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=texts)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1))
    | st.builds(AnyValue, double_value=st.floats(allow_nan=False, allow_infinity=False))
    | st.builds(AnyValue, bytes_value=st.binary(max_size=200)),
    lambda inner: (
        st.builds(AnyValue, array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=4)))
        | st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=texts, value=inner), max_size=4)
            ),
        )
    ),
    max_leaves=8,
)
pair_lists = st.lists(st.builds(KeyValue, key=texts, value=any_values) | st.builds(KeyValue, key=texts), max_size=6)
trace_ids = st.binary(min_size=16, max_size=16).filter(any)
span_ids = st.binary(min_size=8, max_size=8).filter(any)
times = st.integers(0, 2**63 - 1)
spans = st.builds(
    Span,
    trace_id=trace_ids,
    span_id=span_ids,
    parent_span_id=st.sampled_from([b"", bytes(8)]) | span_ids,
    name=texts,
    kind=st.integers(0, 5),
    trace_state=texts,
    flags=st.integers(0, 2**32 - 1),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=pair_lists,
    dropped_attributes_count=st.integers(0, 9),
    events=st.lists(st.builds(Span.Event, name=texts, time_unix_nano=times, attributes=pair_lists), max_size=2),
    links=st.lists(st.builds(Span.Link, trace_id=trace_ids, span_id=span_ids, attributes=pair_lists), max_size=2),
    status=st.builds(Status, code=st.integers(0, 2), message=texts),
)
records = st.builds(
    LogRecord,
    trace_id=trace_ids,
    span_id=span_ids,
    time_unix_nano=times,
    observed_time_unix_nano=times,
    event_name=texts,
    attributes=pair_lists,
    body=any_values,
)


# --- equal to the oracle


@pytest.mark.parametrize("path", sorted(RECORDED.glob("*.otlp.pb")) or [None], ids=lambda p: p.name if p else "none")
def test_decodes_recorded_frames_as_the_generated_classes_do(path: Path | None) -> None:
    if path is None:
        pytest.skip("no recordings beside the checkout")
    data, at, line, count = path.read_bytes(), 0, 0, 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        frame = data[at + 4 : at + 4 + size]
        at, line = at + 4 + size, line + 1
        expected = plain_spans(TracesData.FromString(frame), line)
        assert list(decode_traces(frame, line)) == expected
        assert list(decode_export_request(frame, line)) == expected
        count += len(expected)
    assert count > 0


@examples(60)
@given(st.lists(spans, max_size=3), pair_lists, texts, pair_lists)
def test_decodes_any_spans_as_the_generated_classes_do(
    made: list[Span], resource: list[KeyValue], name: str, scope: list[KeyValue]
) -> None:
    message = traces(*made)
    message.resource_spans[0].resource.attributes.extend(resource)
    message.resource_spans[0].scope_spans[0].scope.name = name
    message.resource_spans[0].scope_spans[0].scope.attributes.extend(scope)
    data = message.SerializeToString()
    assert list(decode_traces(data, 7)) == plain_spans(message, 7)
    assert list(decode_export_request(data, 7)) == plain_spans(message, 7)


@examples(60)
@given(st.lists(records, max_size=3))
def test_decodes_any_log_records_as_the_generated_classes_do(made: list[LogRecord]) -> None:
    message = logs(*made)
    data = message.SerializeToString()
    assert list(decode_logs(data, 7)) == plain_logs(message, 7)
    assert list(decode_export_request(data, 7)) == plain_logs(message, 7)


@pytest.mark.parametrize("size", [*range(50, 150), 16_370, *range(16_376, 16_392), 2_097_151, 2_097_153])
def test_texts_of_every_length_around_the_steps_of_the_encoding_come_whole(size: int) -> None:
    text = "x" * size
    data = traces(span(attributes=[attribute("k", string_value=text)])).SerializeToString()
    decoded, problems = only_span(data)
    assert decoded.attributes == {"k": text}
    assert problems == []


@pytest.mark.parametrize("size", [0, *range(110, 145), 16_380, 16_384])
def test_other_values_of_every_length_around_the_steps_of_the_encoding_come_whole(size: int) -> None:
    pairs = [
        attribute("bytes", bytes_value=b"\xff" * size),
        attribute("list", array_value=ArrayValue(values=[AnyValue(string_value="y" * size)])),
        attribute("k" * size, int_value=size),
    ]
    decoded, problems = only_span(traces(span(attributes=pairs)).SerializeToString())
    assert decoded.attributes == plain_dict(pairs)
    assert problems == []


def test_values_have_python_types_also_when_they_come_again() -> None:
    pairs = [
        attribute("text", string_value="1"),
        attribute("int", int_value=-1),
        attribute("double", double_value=1.0),
        attribute("bool", bool_value=True),
        attribute("none"),
        attribute("bytes", bytes_value=b"\xff\x00"),
        attribute("list", array_value=ArrayValue(values=[AnyValue(bool_value=False), AnyValue(int_value=0)])),
        attribute("dict", kvlist_value=KeyValueList(values=[attribute("a", int_value=1)])),
    ]
    data = traces(span(attributes=pairs), span(attributes=pairs)).SerializeToString()
    for decoded in decode_traces(data, 1):
        assert isinstance(decoded, RawSpan)
        assert repr(decoded.attributes) == (
            "{'text': '1', 'int': -1, 'double': 1.0, 'bool': True, 'none': None, 'bytes': '/wA=',"
            " 'list': [False, 0], 'dict': {'a': 1}}"
        )


def test_double_that_is_no_number_stays_one() -> None:
    data = traces(span(attributes=[attribute("score", double_value=math.nan)])).SerializeToString()
    decoded, problems = only_span(data)
    assert decoded.attributes["score"] == "NaN"
    assert [problem.action for problem in problems] == ["noted"]


def test_list_of_one_span_can_be_changed_without_changing_that_of_another() -> None:
    pairs = [attribute("tags", array_value=ArrayValue(values=[AnyValue(string_value="a")]))]
    data = traces(span(attributes=pairs)).SerializeToString()
    for _ in range(3):
        decoded, _ = only_span(data)
        assert decoded.attributes == {"tags": ["a"]}
        tags = decoded.attributes["tags"]
        assert isinstance(tags, list)
        tags.append("b")


def test_last_of_two_equal_keys_wins() -> None:
    pairs = [attribute("k", int_value=1), attribute("k", int_value=2)]
    assert only_span(traces(span(attributes=pairs)).SerializeToString())[0].attributes == {"k": 2}


def test_memory_of_short_attributes_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from llmlens.read.dialects import anyvalue

    monkeypatch.setattr(anyvalue, "_REMEMBERED", 10)
    pairs = [attribute(f"key {i}", int_value=i) for i in range(100)]
    pairs += [attribute(f"list {i}", array_value=ArrayValue(values=[AnyValue(int_value=i)])) for i in range(100)]
    pairs += [attribute(f"long {i}", string_value="x" * 200) for i in range(100)]
    monkeypatch.setattr(anyvalue, "_pairs", {})
    monkeypatch.setattr(anyvalue, "_lists", {})
    monkeypatch.setattr(anyvalue, "_keys", anyvalue._Keys())
    decoded, _ = only_span(traces(span(attributes=pairs)).SerializeToString())
    assert decoded.attributes == plain_dict(pairs)
    for memory in (anyvalue._pairs, anyvalue._lists, anyvalue._keys):
        assert 0 < len(memory) <= 10


# --- unusual but valid encodings


def test_lengths_encoded_longer_than_needed_are_read() -> None:
    value = b"\x0a\x82\x00hi"
    pair = b"\x0a\x81\x00k" + b"\x12\x85\x00" + value
    decoded, problems = only_span(message_with(field(9, pair)))
    assert decoded.attributes == {"k": "hi"}
    assert problems == []


def test_value_before_key_and_unknown_fields_are_read() -> None:
    text = "y" * 200
    pair = field(2, field(1, text.encode())) + field(15, b"new") + field(1, b"k")
    decoded, problems = only_span(message_with(field(9, pair), field(14, b"from the future")))
    assert decoded.attributes == {"k": text}
    assert problems == []


def test_unknown_kind_of_value_is_none() -> None:
    pair = field(1, b"k") + field(2, field(14, b"from the future"))
    assert only_span(message_with(field(9, pair)))[0].attributes == {"k": None}


# --- repaired


@pytest.mark.parametrize("padding", [0, 200])
@pytest.mark.parametrize("kind", ["text", "key"])
def test_invalid_utf8_is_replaced_every_time_and_the_span_kept(padding: int, kind: str) -> None:
    broken, sound = b"a\xffb" + b"x" * (padding if kind == "text" else 0), b"k" * (padding or 1)
    key, value = (sound, broken) if kind == "text" else (broken, sound)
    for _ in range(2):
        decoded, problems = only_span(message_with(field(9, field(1, key) + field(2, field(1, value)))))
        assert decoded.attributes == {key.decode(errors="replace"): value.decode(errors="replace")}
        assert "\ufffd" in str(decoded.attributes)
        assert [(p.action, p.line) for p in problems] == [("repaired", 1)]
        assert "UTF-8" in problems[0].reason


def test_invalid_utf8_in_names_is_replaced() -> None:
    data = field(1, field(2, field(1, field(1, b"sco\xffpe")) + field(2, span(name="").SerializeToString())))
    decoded, problems = only_span(data)
    assert decoded.origin.scope_name == "sco\ufffdpe"
    decoded, more = only_span(message_with(field(5, b"na\xffme"), field(15, field(2, b"sta\xfftus"))))
    assert (decoded.name, decoded.status_message) == ("na\ufffdme", "sta\ufffdtus")
    assert [p.action for p in problems + more] == ["repaired"] * 3


@pytest.mark.parametrize("garbage", [b"\xff", b"\x0a", b"\x0a\x7fk", b"\x0a\x01k\x12\x05\x0a\xff", b"\x0a" * 150])
def test_attribute_that_is_not_protobuf_is_left_out_and_counted(garbage: bytes) -> None:
    good = attribute("good", int_value=1).SerializeToString()
    for _ in range(2):
        decoded, problems = only_span(message_with(field(9, garbage), field(9, good)))
        assert decoded.attributes == {"good": 1}
        assert [p.action for p in problems] == ["repaired"]
        assert "not valid protobuf" in problems[0].reason


def test_empty_attribute_has_an_empty_key_as_in_the_generated_classes() -> None:
    assert only_span(message_with(field(9, b"")))[0].attributes == {"": None}


def test_unknown_or_broken_status_becomes_unset() -> None:
    for status in (b"\x18\x07", b"\x18", b"\xff"):
        decoded, problems = only_span(message_with(field(15, status)))
        assert decoded.status == 0
        assert [p.action for p in problems] == ["repaired"]
        assert "status" in problems[0].reason


def test_time_beyond_64_signed_bits_is_left_out() -> None:
    decoded, problems = only_span(traces(span(start_time_unix_nano=2**64 - 1)).SerializeToString())
    assert decoded.start_ns is None
    assert [(p.action, p.example) for p in problems] == [("repaired", str(2**64 - 1))]


def test_broken_body_of_a_log_record_is_left_out() -> None:
    record = LogRecord(trace_id=TRACE, span_id=SPAN, time_unix_nano=TIME).SerializeToString() + field(5, b"\xff")
    log, problem = decode_logs(field(1, field(2, field(2, record))), 1)
    assert isinstance(log, RawLog)
    assert log.body is None
    assert isinstance(problem, Problem)
    assert problem.action == "repaired"


def test_link_without_ids_is_left_out_and_counted() -> None:
    decoded, problems = only_span(traces(span(links=[Span.Link(trace_id=TRACE)])).SerializeToString())
    assert decoded.links == []
    assert [p.action for p in problems] == ["repaired"]


def test_kvlists_nested_200_000_deep_are_cut() -> None:
    chunks: list[bytes] = []
    size = 0
    for _ in range(200_000):  # from the inside out; joined once, as each level stands before the one inside it
        head = b""
        for tag in (0x0A, 0x32, 0x12):
            wrapped, rest = bytearray([tag]), size + len(head)
            while rest > 0x7F:
                wrapped.append(rest & 0x7F | 0x80)
                rest >>= 7
            head = bytes([*wrapped, rest]) + head
        chunks.append(head)
        size += len(head)
    nested = b"".join(reversed(chunks))
    decoded, problems = only_span(message_with(field(9, field(1, b"deep") + nested)))
    assert "nested deeper" in str(decoded.attributes["deep"])
    assert [p.action for p in problems] == ["repaired"]


# --- ids


@pytest.mark.parametrize("parent", [b"", bytes(8)])
def test_root_has_no_parent(parent: bytes) -> None:
    decoded, problems = only_span(traces(span(parent_span_id=parent)).SerializeToString())
    assert decoded.parent_id is None
    assert problems == []


@pytest.mark.parametrize("ids", [(b"", SPAN), (bytes(16), SPAN), (TRACE, b""), (TRACE, bytes(8)), (b"x" * 17, SPAN)])
def test_span_that_cannot_be_identified_is_dropped_with_an_example(ids: tuple[bytes, bytes]) -> None:
    data = traces(span(trace_id=ids[0], span_id=ids[1]), span()).SerializeToString()
    for decode in (decode_traces, decode_export_request):
        problem, kept = decode(data, 3)
        assert isinstance(problem, Problem)
        assert isinstance(kept, RawSpan)
        assert (problem.line, problem.action, problem.count) == (3, "dropped", 1)
        assert "chat" in problem.example


def test_short_ids_are_padded_and_counted() -> None:
    decoded, problems = only_span(traces(span(trace_id=SPAN, span_id=b"\x01")).SerializeToString())
    assert decoded.trace_id == SPAN.hex().zfill(32)
    assert decoded.span_id == "01".zfill(16)
    assert [p.action for p in problems] == ["repaired", "repaired"]


def test_log_record_outside_any_span_is_dropped() -> None:
    record = LogRecord(time_unix_nano=TIME, event_name="boot")
    problem = only_problem(decode_export_request(logs(record).SerializeToString(), 2))
    assert (problem.line, problem.action) == (2, "dropped")
    assert "outside any span" in problem.reason
    assert "boot" in problem.example


# --- what a message is


def test_log_record_without_any_time_is_told_by_its_ids() -> None:
    (log,) = decode_export_request(logs(LogRecord(trace_id=TRACE, span_id=SPAN)).SerializeToString(), 1)
    assert isinstance(log, RawLog)
    assert log.time_ns is None


def test_span_without_ids_is_told_by_its_time() -> None:
    bad = Span(start_time_unix_nano=TIME, attributes=[attribute("k", int_value=1)])
    problem = only_problem(decode_export_request(traces(bad).SerializeToString(), 1))
    assert "span" in problem.reason


def test_metrics_are_one_counted_problem() -> None:
    message = MetricsData()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    for name in ("tokens", "latency"):
        metrics.add(name=name, description=name).gauge.data_points.add(time_unix_nano=TIME, as_int=1)
    problem = only_problem(decode_export_request(message.SerializeToString(), 1))
    assert (problem.count, problem.action) == (2, "dropped")


def test_empty_export_request_holds_nothing() -> None:
    assert list(decode_export_request(b"", 1)) == []
    assert list(decode_export_request(traces().SerializeToString(), 1)) == []


@pytest.mark.parametrize("data", [b"hello, world", b"\x0a\xff\xff", b"\xff" * 40, b"x\x01"])
@pytest.mark.parametrize("decode", [decode_traces, decode_logs, decode_export_request])
def test_what_is_no_message_is_one_problem(decode: Any, data: bytes) -> None:
    problem = only_problem(decode(data, 9))
    assert problem.reason.startswith("not a valid OTLP protobuf message")
    assert (problem.line, problem.action) == (9, "dropped")
    assert problem.example.startswith(data[:2].hex(" "))


@examples(150)
@given(st.binary(max_size=300))
def test_random_bytes_never_raise(data: bytes) -> None:
    for decode in (decode_traces, decode_logs, decode_export_request):
        assert all(isinstance(item, (RawSpan, RawLog, Problem)) for item in decode(data, 1))
    wrapped = message_with(data, field(9, data), field(9, field(1, data) + field(2, data)), field(11, data))
    assert all(isinstance(item, (RawSpan, Problem)) for item in decode_traces(wrapped, 1))


@examples(60)
@given(spans, st.data())
def test_cut_off_messages_never_raise(made: Span, data: st.DataObject) -> None:
    whole = traces(made, made).SerializeToString()
    torn = whole[: data.draw(st.integers(1, len(whole) - 1))]
    for decode in (decode_traces, decode_logs, decode_export_request):
        assert only_problem(decode(torn, 1)).action == "dropped"
