"""Whatever is in a file, reading it neither fails nor hangs, and what is not in the tables is in `problems`."""

from __future__ import annotations

import gzip
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from llmlens import ReadError, Traces, read_otlp
from llmlens.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable

DEEP = 200_000


def problems(traces: Traces, *actions: str) -> list[tuple[str, int | None, int]]:
    """List (reason, line, count) of the problems with these actions, all of them without any."""
    found = traces.problems
    found = found[found["action"].isin(actions)] if actions else found
    lines = [None if line == 0 else int(line) for line in found["line"].fillna(0)]
    return list(zip(found["reason"], lines, map(int, found["count"]), strict=True))


def read_all(traces: Traces) -> Traces:
    """Make every table: none of them may stumble either."""
    for table in TABLES:
        assert set(getattr(traces, table).columns) == set(TABLES[table].names)
    return traces


def one(otlp: Any, *spans: Any, **changes: Any) -> str:
    return str(otlp.line(*(spans or (otlp.span(**changes),))))


def deep(opening: str, closing: str, inner: str = "") -> str:
    return opening * DEEP + inner + closing * DEEP


#: name -> (makes the bytes of a file, spans that come out, things dropped, what the problem says, its line)
Case = tuple["Callable[[Any], bytes | str]", int, int, str, int | None]
CASES: dict[str, Case] = {
    "torn last line": (lambda o: one(o) + one(o)[:200], 1, 1, "torn", 2),
    "invalid JSON in the middle": (lambda o: one(o) + "{nonsense}\n" + one(o, n=2), 2, 1, "not JSON", 2),
    "something else than JSON in the middle": (lambda o: one(o) + "Traceback\n" + one(o, n=2), 2, 1, "not JSON", 2),
    "deep value": (
        lambda o: one(o) + one(o, n=2).replace('"attributes": []', f'"x": {deep("[", "]")}') + one(o, n=3),
        2,
        1,
        "nested too deeply",
        2,
    ),
    "span that is no object": (lambda o: one(o, o.span(), 5), 1, 1, "a span is not an object", 1),
    "no ids": (lambda o: one(o, o.span(), o.span(traceId=None)), 1, 1, "the trace id of a span is missing", 1),
    "ids of zeros": (lambda o: one(o, o.span(), o.span(spanId="0" * 16)), 1, 1, "is all zeros", 1),
    "ids too long": (lambda o: one(o, o.span(), o.span(spanId="a" * 18)), 1, 1, "of 18 hex digits instead of 16", 1),
    "same span twice": (lambda o: one(o) + one(o), 1, 1, "all the same: one was kept", 2),
    "conflicting spans": (lambda o: one(o) + one(o, name="other", at=1), 1, 1, "the most complete one was kept", 1),
    "only logs": (
        lambda o: o.line(logs=[o.log("gen_ai.choice", {}), o.log("gen_ai.choice", {}, n=2)]),
        0,
        2,
        "log record of a span",
        1,
    ),
    "log record without a span": (
        lambda o: one(o) + o.line(logs=[{"body": {}}]),
        1,
        1,
        "a log record without a span",
        2,
    ),
    "not traces": (lambda o: one(o) + '{"a": 1}\n', 1, 1, "no key of a known dialect", 2),
    "binary": (lambda _: b"\x00\x01\x02\xff" * 50, 0, 1, "neither JSON nor OTLP protobuf", None),
    "text": (lambda _: "once upon a time\n" * 9, 0, 1, "it is text", None),
    "csv": (lambda _: "id,name\n1,a\n2,b\n", 0, 1, "looks like a CSV", None),
    "torn gzip": (lambda o: gzip.compress((one(o) + one(o, n=2)).encode())[:-8], 2, 1, "torn", None),
}
#: Things that are kept, repaired or as they came.
KEPT: dict[str, tuple[Callable[[Any], str], str, str]] = {
    "short ids": (lambda o: one(o, traceId="abc"), "repaired", "padded with zeros"),
    "lone surrogates": (lambda o: one(o, name="\ud800"), "repaired", "lone surrogates"),
    "times in seconds": (lambda o: one(o, startTimeUnixNano=1_790_000_000), "repaired", "given in seconds"),
    "times in ms": (lambda o: one(o, startTimeUnixNano=1_790_000_000_000), "repaired", "given in milliseconds"),
    "times in µs": (lambda o: one(o, startTimeUnixNano=1_790_000_000_000_000), "repaired", "given in microseconds"),
    "unknown status": (lambda o: one(o, status={"code": 9}), "repaired", "unknown status code"),
    "self-parent": (lambda o: one(o, parent=1), "repaired", "its own ancestor"),
    "cycle": (lambda o: one(o, n=1, parent=2) + one(o, n=2, parent=1), "repaired", "its own ancestor"),
    "orphan": (lambda o: one(o, parent=9), "noted", "parent of the span is not in the load"),
    "no end": (lambda o: one(o, endTimeUnixNano=None), "noted", "a span has no end"),
    "no start": (lambda o: one(o, startTimeUnixNano=None), "noted", "a span has no start"),
    "end before start": (lambda o: one(o, endTimeUnixNano=str(o.start - 1)), "noted", "ends before it starts"),
    "NaN": (lambda o: one(o, o.span({"x": float("nan")})), "noted", "NaN"),
    "infinity in a list": (lambda o: one(o, o.span({"x": [1.5, float("inf")]})), "noted", "infinite"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cannot_be_taken_is_dropped_counted_and_raised_if_strict(otlp: Any, name: str) -> None:
    make, spans, dropped, reason, line = CASES[name]
    path = otlp.folder / "bad.jsonl"
    data = make(otlp)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    traces = read_otlp(path)
    found = problems(traces, "dropped")
    assert len(traces.spans) == spans
    assert sum(count for _, _, count in found) == dropped
    assert any(reason in said and at == line for said, at, _ in found), found
    assert set(traces.problems["source"]) == {str(path)}
    place = f"bad.jsonl:{line}: " if line is not None else "bad.jsonl: "
    with pytest.raises(ReadError, match=place) as raised:
        read_otlp(path, strict=True)
    assert reason in str(raised.value)
    assert "Without strict=True it is counted" in str(raised.value)


@pytest.mark.parametrize("name", KEPT)
def test_what_is_odd_is_kept_and_counted(otlp: Any, name: str) -> None:
    make, action, reason = KEPT[name]
    text = make(otlp)
    path = otlp.write("odd.jsonl", one(otlp, trace=7), text)
    traces = read_otlp(path)
    assert len(traces.spans) == 1 + text.count("\n")
    assert problems(traces, "dropped") == []
    assert [line for said, line, _ in problems(traces, action) if reason in said] == [2]
    if action == "repaired":
        with pytest.raises(ReadError, match=rf"odd\.jsonl:2: .*{reason}"):
            read_otlp(path, strict=True)


def test_all_bad_things_in_one_folder_are_counted_exactly(otlp: Any) -> None:
    spans = dropped = 0
    for number, (make, out, lost, _, _) in enumerate(CASES.values()):
        otlp.start += 10**12  # other times; and other ids, so that the files do not overlap
        data = make(_Shifted(otlp, number + 1))
        (otlp.folder / f"{number:02}.dump").write_bytes(data if isinstance(data, bytes) else data.encode())
        spans, dropped = spans + out, dropped + lost
    (otlp.folder / "empty").write_bytes(b"")
    (otlp.folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    dropped += 1
    traces = read_all(read_otlp(otlp.folder))
    assert len(traces.spans) == spans
    assert sum(count for _, _, count in problems(traces, "dropped")) == dropped
    assert len(traces.contents) == spans


class _Shifted:
    """Makes the same things with ids of their own."""

    def __init__(self, otlp: Any, by: int) -> None:
        self._otlp, self._by = otlp, by * 1000
        self.start = otlp.start

    def span(self, *given: Any, **changes: Any) -> Any:
        return self._otlp.span(*given, **{"trace": self._by, **changes})

    def log(self, *given: Any, **changes: Any) -> Any:
        return self._otlp.log(*given, **{"trace": self._by, **changes})

    def line(self, *given: Any, **more: Any) -> Any:
        return self._otlp.line(*given, **more)


def test_empty_files_hold_nothing_and_say_so(otlp: Any) -> None:
    for number, text in enumerate(("", "\n \n", "[]\n", '{"resourceSpans": []}\n')):
        traces = read_otlp(otlp.write(f"{number}.jsonl", text))
        assert traces.spans.empty
        assert len(traces.problems) == 1
        assert (traces.problems["action"] == "noted").all()


def test_a_gzip_bomb_stops_at_the_cap_and_keeps_what_came_before(otlp: Any) -> None:
    path = otlp.folder / "bomb.gz"
    path.write_bytes(gzip.compress(one(otlp).encode() + b" " * 30_000_000))
    traces = read_otlp(path, max_bytes=1_000_000)
    assert len(traces.spans) == 1
    assert any("unpacks to more than 1,000,000 bytes" in reason for reason, _, _ in problems(traces, "dropped"))
    with pytest.raises(ReadError, match=r"bomb\.gz: .*more than"):
        read_otlp(path, max_bytes=1_000_000, strict=True)


def test_deep_json_in_texts_is_kept_as_it_came(otlp: Any) -> None:
    said = {name: deep("[", "]") for name in ("input.value", "metadata", "langfuse.trace.tags", "mlflow.spanOutputs")}
    said |= {"gen_ai.output.messages": "[" * DEEP, "llm.invocation_parameters": deep('{"model":', "}", "1")}
    traces = read_all(otlp.read(otlp.span({"gen_ai.operation.name": "chat", **said})))
    kept = json.loads(traces.contents["attributes"][0])
    assert {name: kept[name] for name in said} == said
    assert traces.contents["input"][0] == said["input.value"]


def test_hostile_keys_and_texts_reach_the_tables_as_they_are(otlp: Any) -> None:
    said = {
        "__proto__": "a",
        "metadata.__proto__": "b",
        'quo"te': "c",
        "": "d",
        "a\0b": "e\0f",
        "'; DROP TABLE spans; --": "g",
        "$.x[": {"__proto__": {"x": 1}},
        "input.value": "<script>\u2028",
        "session.id": "\0",
    }
    traces = read_all(otlp.read(otlp.span(said, name="'\"\\\0"), resource={"service.name": '"'}))
    assert json.loads(traces.contents["attributes"][0]) == said
    assert json.loads(traces.spans["metadata"][0]) == {"__proto__": "b"}
    assert traces.spans["name"][0] == "'\"\\\0"
    assert traces.contents["input"][0] == "<script>\u2028"


TEXTS = (
    '{"a\\"b":1}',
    '{"input_\\"x":1,"total":"x"}',
    '{"input":1e300,"output":"NaN"}',
    '{"input":"NaN","input_cached_tokens":1e30}',
    '{"input":Infinity}',
    "[1]",
    "[",
    "{",
    '{"input":{"a":1}}',
    "null",
    '{"":1}',
    '{"a.b[":1,"$":2}',
    '"',
    "[null]",
    "\0",
)


def test_no_text_where_json_should_be_breaks_the_mapping(otlp: Any) -> None:
    names = (
        "langfuse.observation.usage_details",
        "langfuse.observation.cost_details",
        "mlflow.chat.tokenUsage",
        "metadata",
        "llm.invocation_parameters",
        "metadata.usage_object",
        "langfuse.trace.tags",
        "gen_ai.response.finish_reasons",
        "langsmith.metadata.usage_metadata",
        "gen_ai.output.messages",
        "mlflow.llm.model",
        "mlflow.spanInputs",
        "tag.tags",
        "langfuse.observation.model.parameters",
        "langfuse.observation.completion_start_time",
        "gen_ai.usage.input_tokens",
        "gen_ai.server.time_to_first_token",
        "langsmith.span.tags",
        "x.feature",
        "gen_ai.usage.cost",
    )
    said = [{"langfuse.observation.type": "generation", **dict.fromkeys(names, text)} for text in TEXTS]
    traces = read_all(otlp.read(*(otlp.span(each, n=n) for n, each in enumerate(said, 1))))
    assert [json.loads(kept) for kept in traces.contents.sort_values("span_id")["attributes"]] == said
    costs = traces.spans["cost_usd"].dropna()
    assert 1.0 in set(costs)
    assert (costs < float("inf")).all()


def test_numbers_that_json_does_not_have_are_kept_as_texts_and_fill_no_column(otlp: Any) -> None:
    nan, infinity = float("nan"), float("inf")
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.cost": nan,
        "gen_ai.response.time_to_first_chunk": infinity,
        "gen_ai.usage.input_tokens": nan,
        "x": [-infinity],
        "y": "\ud800",
    }
    traces = read_all(otlp.read(otlp.span(said, events=[("e", 0, {"z": nan})])))
    kept = json.loads(traces.contents["attributes"][0])
    assert (kept["gen_ai.usage.cost"], kept["gen_ai.response.time_to_first_chunk"], kept["x"]) == (
        "NaN",
        "Infinity",
        ["-Infinity"],
    )
    assert json.loads(traces.contents["events"][0])[0]["attributes"] == {"z": "NaN"}
    assert traces.spans[["cost_usd", "ttft_s", "input_tokens"]].isna().all(axis=None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has file names that are no text")
def test_a_file_name_that_is_no_text_is_named_as_well_as_it_can_be(otlp: Any) -> None:
    path = os.fsencode(otlp.folder) + b"/\xff.jsonl"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(one(otlp).encode() + b"{bad\n")
    traces = read_all(read_otlp(otlp.folder))
    assert traces.spans["source"][0].endswith("?.jsonl")
    assert len(traces.problems) == 1


def test_two_roots_are_both_roots(otlp: Any) -> None:
    traces = otlp.read(otlp.span(), otlp.span(n=2, at=1), otlp.span(n=3, parent=2))
    assert traces.spans.sort_values("span_id")["depth"].tolist() == [0, 0, 1]
    assert traces.problems.empty


def test_strict_stops_at_the_first_problem_and_a_sound_file_passes(otlp: Any) -> None:
    sound = otlp.write("sound.jsonl", one(otlp), one(otlp, n=2, parent=1))
    assert len(read_otlp(sound, strict=True).spans) == 2
    bad = otlp.write("bad.jsonl", "nonsense\n", one(otlp), "nonsense too\n")
    with pytest.raises(ReadError, match=r"bad\.jsonl:1: not JSON"):
        read_otlp([sound, bad], strict=True)


def test_counts_that_no_call_can_have_fill_no_column(otlp: Any) -> None:
    said = {"gen_ai.operation.name": "chat", "gen_ai.usage.output_tokens": 2**62, "gen_ai.usage.input_tokens": -(2**62)}
    traces = read_all(otlp.read(*(otlp.span(said, n=n) for n in (1, 2, 3))))
    assert traces.spans[["input_tokens", "output_tokens"]].isna().all(axis=None)
    assert "4611686018427387904" in traces.contents["attributes"][0]
