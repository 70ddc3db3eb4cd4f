"""Write a big dump of made-up spans, as the OpenTelemetry Collector would.

    python bench/generate.py --spans 1000000 --out bench/data/1m.jsonl
    python bench/generate.py --spans 100000 --out bench/data/100k.jsonl.zst --format zst

The spans of span_patterns.toml are rendered once, with slots for ids, times, numbers and texts;
a span is then a join of bytes. The same seed gives the same bytes (before compression).
"""

from __future__ import annotations

import argparse
import gzip
import re
import struct
import sys
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATTERNS = Path(__file__).with_name("span_patterns.toml")
SLOT = re.compile(rb'"@@!(\w+)@@"|@@(\w+)@@')  # with a "!" the quotes go: the slot holds bare JSON
POOL_BITS = 12
SPANS_PER_LINE = 70
TRACES_AT_ONCE = 24
FAILED_SHARE = 0.02
START_NS = 1_793_577_600_000_000_000  # 2026-11-02
NS_PER_MS = 1_000_000

Pools: TypeAlias = "dict[str, list[bytes]]"

FEATURES = ("refunds", "order_status", "product_search", "returns_policy", "product_qa", "small_talk")
MODELS = ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06", "claude-sonnet-4-20250514")
COUNTRIES = ("US", "GB", "DE", "FR", "ES")


@dataclass(frozen=True)
class Pattern:
    """A rendered span: fixed bytes, and between them the names of the slots."""

    pieces: tuple[bytes, ...]
    slots: tuple[str, ...]


@dataclass(frozen=True)
class Convention:
    """The spans of a trace, root first, and the head of the resource and scope that they come in."""

    head: bytes
    patterns: tuple[Pattern, ...]


def otlp_value(value: Any) -> dict[str, Any]:
    """Write an attribute's value; `#name` and `~name` are slots for an integer and a float."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [otlp_value(v) for v in value]}}
    if value.startswith("#"):
        return {"intValue": f"@@{value[1:]}@@"}
    if value.startswith("~"):
        return {"doubleValue": f"@@!{value[1:]}@@"}
    return {"stringValue": value}


def key_values(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """Write attributes; a key with a star stands for five keys."""
    keys = ((key.replace("*", str(i)), v) for key, v in attributes.items() for i in range(5 if "*" in key else 1))
    return [{"key": key, "value": otlp_value(value)} for key, value in keys]


def make_pattern(name: str, attributes: dict[str, Any]) -> Pattern:
    """Render a span with its slots."""
    span = {
        "traceId": "@@trace@@",
        "spanId": "@@span@@",
        "parentSpanId": "@@parent@@",
        "flags": 256,
        "name": name,
        "kind": 1,
        "startTimeUnixNano": "@@start@@",
        "endTimeUnixNano": "@@end@@",
        "attributes": key_values(attributes),
        "events": "@@!events@@",
        "status": "@@!status@@",
    }
    parts = SLOT.split(orjson.dumps(span))
    bare, quoted = parts[1::3], parts[2::3]
    return Pattern(tuple(parts[0::3]), tuple((a or b).decode() for a, b in zip(bare, quoted, strict=True)))


def read_patterns() -> tuple[list[Convention], list[str]]:
    """Read span_patterns.toml: the conventions, and the words that texts are made of."""
    read = tomllib.loads(PATTERNS.read_text(encoding="utf-8"))
    conventions = []
    for convention in read["conventions"].values():
        resource = {
            "service.name": convention["service"],
            "service.version": "4.2.0",
            "deployment.environment.name": "production",
        }
        scope = {"scope": {"name": convention["scope"], "version": "1.0"}}
        head = {"resource": {"attributes": key_values(resource)}, "scopeSpans": [scope]}
        spans = [dict(span) for span in convention["spans"]]
        patterns = tuple(make_pattern(span.pop("name"), convention["common"] | span) for span in spans)
        conventions.append(Convention(orjson.dumps(head)[: -len("}]}")] + b',"spans":[', patterns))
    return conventions, read["words"]


def make_pools(rng: Random, vocabulary: list[str]) -> Pools:
    """Make the values that slots draw from, each pool 2 ** POOL_BITS long."""
    size = range(1 << POOL_BITS)

    def text(words: int, times: int) -> bytes:
        escaped = " ".join(rng.choices(vocabulary, k=words))
        for _ in range(times):
            escaped = orjson.dumps(escaped)[1:-1].decode()
        return escaped.encode()

    return {
        "medium": [text(rng.randint(12, 40), 1) for _ in size],
        "medium_json": [text(rng.randint(12, 40), 2) for _ in size],
        "long": [text(rng.randint(50, 140), 1) for _ in size],
        "long_json": [text(rng.randint(50, 140), 2) for _ in size],
        "id": [f"{rng.getrandbits(32):08x}".encode() for _ in size],
        "digit": [b"%d" % rng.randint(1, 9) for _ in size],
        "share": [b"%.4f" % rng.random() for _ in size],
        "tokens_in": [b"%d" % rng.randint(300, 4000) for _ in size],
        "tokens_out": [b"%d" % rng.randint(10, 800) for _ in size],
        "tokens_cached": [b"%d" % rng.randint(0, 256) for _ in size],
    }


def make_spans(rng: Random, conventions: Sequence[Convention], pools: Pools) -> Iterator[tuple[int, bytes]]:
    """Give spans without end, each with the number of its convention; those of a few traces are interleaved."""
    now_ns = START_NS
    while True:
        ended: list[tuple[int, int, bytes]] = []
        for _ in range(TRACES_AT_ONCE):
            now_ns += rng.randint(1, 400) * NS_PER_MS
            ended += make_trace(rng, conventions, pools, now_ns)
        ended.sort()
        for _, number, span in ended:
            yield number, span


def make_trace(
    rng: Random, conventions: Sequence[Convention], pools: Pools, start_ns: int
) -> list[tuple[int, int, bytes]]:
    """Make one trace: the end time, the number of the convention and the bytes of each span."""
    number = rng.randrange(len(conventions))
    root, *steps = conventions[number].patterns
    steps *= rng.randint(1, 2)
    root_id = b"%016x" % rng.getrandbits(64)
    shared = {
        "trace": b"%032x" % rng.getrandbits(128),
        "session": b"s%05d" % rng.randrange(100_000),
        "user": b"u%04d" % rng.randrange(5_000),
        "tenant": b"tenant-%02d" % rng.randrange(50),
        "feature": rng.choice(FEATURES).encode(),
        "model": rng.choice(MODELS).encode(),
        "country": rng.choice(COUNTRIES).encode(),
    }
    at_ns, made = start_ns, []
    for pattern in steps:
        end_ns = at_ns + rng.randint(5, 2500) * NS_PER_MS
        values = shared | timing(rng, b"%016x" % rng.getrandbits(64), root_id, at_ns, end_ns)
        made.append((end_ns, number, fill(rng, pattern, values, pools)))
        at_ns = end_ns + rng.randint(1, 5) * NS_PER_MS
    values = shared | timing(rng, root_id, b"", start_ns, at_ns)
    made.append((at_ns, number, fill(rng, root, values, pools)))
    return made


def timing(rng: Random, span_id: bytes, parent_id: bytes, start_ns: int, end_ns: int) -> dict[str, bytes]:
    """Give the values of the slots that every span has; now and then the span failed."""
    end = b"%d" % end_ns
    values = {
        "span": span_id,
        "parent": parent_id,
        "start": b"%d" % start_ns,
        "end": end,
        "events": b"[]",
        "status": b"{}",
    }
    if rng.random() < FAILED_SHARE:
        values["status"] = b'{"code":2,"message":"upstream timeout"}'
        values["events"] = (
            b'[{"name":"exception","timeUnixNano":"' + end + b'","attributes":['
            b'{"key":"exception.type","value":{"stringValue":"TimeoutError"}},'
            b'{"key":"exception.message","value":{"stringValue":"upstream timeout"}}]}]'
        )
    return values


def fill(rng: Random, pattern: Pattern, values: dict[str, bytes], pools: Pools) -> bytes:
    """Join the pieces of `pattern` with `values`, and with draws from the pools for what is not among them."""
    parts = [pattern.pieces[0]]
    for slot, piece in zip(pattern.slots, pattern.pieces[1:], strict=True):
        parts.append(values[slot] if slot in values else pools[slot][rng.getrandbits(POOL_BITS)])
        parts.append(piece)
    return b"".join(parts)


def make_lines(spans: int, seed: int) -> Iterator[bytes]:
    """Give the dump line by line, each a batch of up to SPANS_PER_LINE spans grouped by resource."""
    rng = Random(seed)
    conventions, vocabulary = read_patterns()
    source = make_spans(rng, conventions, make_pools(rng, vocabulary))
    for start in range(0, spans, SPANS_PER_LINE):
        groups: dict[int, list[bytes]] = {}
        for _ in range(min(SPANS_PER_LINE, spans - start)):
            number, span = next(source)
            groups.setdefault(number, []).append(span)
        resources = (conventions[number].head + b",".join(group) + b"]}]}" for number, group in groups.items())
        yield b'{"resourceSpans":[' + b",".join(resources) + b"]}\n"


def frame(line: bytes) -> bytes:
    """Turn a line into a frame of the collector's proto format: four bytes of length, big-endian, then TracesData."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

    batch = orjson.loads(line)
    written = TracesData()
    for resource in batch["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            spans = scope.pop("spans")
            scope["spans"] = [{k: v for k, v in s.items() if not k.endswith("Id")} for s in spans]
            scope["ids"] = [(s["traceId"], s["spanId"], s["parentSpanId"]) for s in spans]
    ids = [scope.pop("ids") for resource in batch["resourceSpans"] for scope in resource["scopeSpans"]]
    ParseDict(batch, written)
    scopes = [scope for resource in written.resource_spans for scope in resource.scope_spans]
    for scope, its_ids in zip(scopes, ids, strict=True):
        for span, (trace_id, span_id, parent_id) in zip(scope.spans, its_ids, strict=True):
            span.trace_id, span.span_id, span.parent_span_id = map(bytes.fromhex, (trace_id, span_id, parent_id))
    message: bytes = written.SerializeToString()
    return struct.pack(">I", len(message)) + message


@contextmanager
def opened(path: Path, compression: str) -> Iterator[BinaryIO]:
    """Open `path` for writing, compressed as a whole where asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw:
        if compression == "gz":
            with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed:
                yield cast("BinaryIO", packed)
        elif compression == "zst":
            import zstandard

            with zstandard.ZstdCompressor(level=3).stream_writer(raw) as packed:
                yield packed
        else:
            yield raw


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--format", choices=("jsonl", "gz", "zst", "pb"), default="jsonl")
    arguments = parser.parse_args(argv)
    with opened(arguments.out, arguments.format) as out:
        for line in make_lines(arguments.spans, arguments.seed):
            out.write(frame(line) if arguments.format == "pb" else line)
    print(f"{arguments.out}: {arguments.spans:,} spans, {arguments.out.stat().st_size / 1e6:,.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
