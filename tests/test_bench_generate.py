"""The generator of big dumps writes what the collector writes, the same every time."""

from __future__ import annotations

import gzip
import importlib.util
import struct
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

PROGRAM = Path(__file__).resolve().parents[1] / "bench" / "generate.py"


@pytest.fixture(scope="module")
def generate() -> Any:
    spec = importlib.util.spec_from_file_location("bench_generate", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def written(generate: Any, tmp_path: Path, form: str, spans: int = 500) -> bytes:
    out = tmp_path / f"dump.{form}"
    assert generate.main(["--spans", str(spans), "--out", str(out), "--format", form]) == 0
    return out.read_bytes()


def spans_of(line: bytes) -> list[dict[str, Any]]:
    return [s for r in orjson.loads(line)["resourceSpans"] for scope in r["scopeSpans"] for s in scope["spans"]]


def test_it_writes_as_many_spans_as_asked_for(generate: Any, tmp_path: Path) -> None:
    lines = written(generate, tmp_path, "jsonl").splitlines()
    counts = [len(spans_of(line)) for line in lines]
    assert counts == [70] * 7 + [10]


def test_the_same_seed_gives_the_same_bytes(generate: Any) -> None:
    assert list(generate.make_lines(300, 5)) == list(generate.make_lines(300, 5))
    assert list(generate.make_lines(300, 5)) != list(generate.make_lines(300, 6))


def test_no_slot_is_left_unfilled_and_nested_json_is_json(generate: Any) -> None:
    content = b"".join(generate.make_lines(400, 1))
    assert b"@@" not in content
    for line in content.splitlines():
        for span in spans_of(line):
            for attribute in span["attributes"]:
                if attribute["key"] in ("metadata", "gen_ai.input.messages", "traceloop.entity.output"):
                    assert orjson.loads(attribute["value"]["stringValue"])


def test_ids_are_unique_and_parents_are_in_the_trace(generate: Any) -> None:
    spans = [span for line in generate.make_lines(5000, 1) for span in spans_of(line)]
    assert max(Counter((s["traceId"], s["spanId"]) for s in spans).values()) == 1
    by_trace = defaultdict(set)
    for span in spans:
        by_trace[span["traceId"]].add(span["spanId"])
    orphans = sum(bool(s["parentSpanId"]) and s["parentSpanId"] not in by_trace[s["traceId"]] for s in spans)
    assert orphans < 400  # only of the traces that the end of the dump cuts off


def test_a_span_has_about_three_and_a_half_kilobytes(generate: Any) -> None:
    assert 3200 < sum(map(len, generate.make_lines(7000, 1))) / 7000 < 3900


@pytest.mark.parametrize(("form", "decompress"), [("gz", gzip.decompress), ("zst", None)])
def test_compressed_dumps_hold_the_same_lines(generate: Any, tmp_path: Path, form: str, decompress: Any) -> None:
    packed = written(generate, tmp_path, form)
    plain = decompress(packed) if decompress else zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    assert plain == b"".join(generate.make_lines(500, 1))


def test_frames_of_protobuf_hold_the_same_spans(generate: Any, tmp_path: Path) -> None:
    content, at, found = written(generate, tmp_path, "pb"), 0, []
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        batch = TracesData.FromString(content[at + 4 : at + 4 + size])
        at += 4 + size
        found += [s for r in batch.resource_spans for scope in r.scope_spans for s in scope.spans]
    expected = [span for line in generate.make_lines(500, 1) for span in spans_of(line)]
    assert [(s.trace_id.hex(), s.span_id.hex(), s.name) for s in found] == [
        (s["traceId"], s["spanId"], s["name"]) for s in expected
    ]
    assert [len(s.attributes) for s in found] == [len(s["attributes"]) for s in expected]


def test_an_unknown_format_is_refused(generate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        generate.main(["--out", str(tmp_path / "x"), "--format", "xml"])
    assert "invalid choice: 'xml'" in capsys.readouterr().err
