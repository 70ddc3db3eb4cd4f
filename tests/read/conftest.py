"""Recordings of real instrumentations, as the functions of `llmlens.read.contents` take them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from llmlens import Traces, read_otlp
from llmlens.read.contents import SpanContent

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/recorded"

# Enough of the precedence of kinds for these recordings.
KIND_OF: tuple[tuple[str, dict[str, str | None]], ...] = (
    ("langfuse.observation.type", {"generation": "llm"}),
    ("openinference.span.kind", {"PROMPT": "span", "UNKNOWN": "span"}),
    ("langsmith.span.kind", {"prompt": "chain", "parser": "chain"}),
    ("mlflow.spanType", {'"CHAT_MODEL"': "llm"}),
    ("traceloop.span.kind", {"workflow": "chain", "task": None}),
    (
        "gen_ai.operation.name",
        {
            "chat": "llm",
            "execute_tool": "tool",
            "embeddings": "embedding",
            "retrieval": "retriever",
            "vector_db_retrieve": "retriever",
            "invoke_agent": "agent",
        },
    ),
)
INPUTS = ("langfuse.observation.input", "input.value", "traceloop.entity.input", "mlflow.spanInputs", "gen_ai.prompt")
OUTPUTS = (
    "langfuse.observation.output",
    "output.value",
    "traceloop.entity.output",
    "mlflow.spanOutputs",
    "gen_ai.completion",
)


def plain(value: Any) -> Any:
    """Give an OTLP AnyValue as plain Python."""
    if not value:
        return None
    ((kind, inner),) = value.items()
    if kind == "intValue":
        return int(inner)
    if kind == "arrayValue":
        return [plain(one) for one in inner.get("values", [])]
    if kind == "kvlistValue":
        return attributes(inner.get("values", []))
    return inner


def attributes(pairs: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Give a list of OTLP key-value pairs as a dict."""
    return {pair["key"]: plain(pair.get("value")) for pair in pairs or []}


def kind_of(found: dict[str, Any]) -> str:
    """Give the kind of a recorded span."""
    for key, kinds in KIND_OF:
        if key in found:
            kind = kinds.get(found[key], str(found[key]).strip('"').lower())
            if kind is not None:
                return kind
    return "span"


def span_of(span: dict[str, Any], logs: list[dict[str, Any]]) -> SpanContent:
    """Make the content of a recorded span and its log records."""
    found = attributes(span.get("attributes"))
    events = [
        {"name": e["name"], "time": None, "attributes": attributes(e.get("attributes"))} for e in span.get("events", [])
    ]
    for log in logs:
        body = plain(log.get("body"))
        said = attributes(log.get("attributes")) | ({} if body is None else {"body": body})
        events.append({"name": log.get("eventName"), "time": None, "attributes": said})
    return SpanContent(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId") or None,
        kind=kind_of(found),
        name=span["name"],
        status="error" if span.get("status", {}).get("code") == 2 else "ok",
        input=next((found[key] for key in INPUTS if isinstance(found.get(key), str)), None),
        output=next((found[key] for key in OUTPUTS if isinstance(found.get(key), str)), None),
        attributes=found,
        events=events,
    )


def read(name: str) -> list[SpanContent]:
    """Read the spans of a recording in order of start."""
    spans: list[dict[str, Any]] = []
    logs: dict[str, list[dict[str, Any]]] = {}
    for path in (RECORDED / f"{name}.otlp.jsonl", RECORDED / f"{name}.logs.otlp.jsonl"):
        for line in path.read_bytes().splitlines() if path.exists() else ():
            batch = orjson.loads(line)
            for resource in batch.get("resourceSpans", []):
                spans += [span for scope in resource["scopeSpans"] for span in scope["spans"]]
            for resource in batch.get("resourceLogs", []):
                for log in (log for scope in resource["scopeLogs"] for log in scope["logRecords"]):
                    logs.setdefault(log.get("spanId"), []).append(log)
    spans.sort(key=lambda span: int(span["startTimeUnixNano"]))
    return [span_of(span, logs.get(span["spanId"], [])) for span in spans]


@pytest.fixture
def recorded() -> Callable[[str], list[SpanContent]]:
    """Give a function that reads a recording by name; skips where the recordings are not there."""
    if not RECORDED.is_dir():
        pytest.skip("the recordings are not beside the project")
    return read


class Otlp:
    """Makes OTLP files by hand, and reads them."""

    start = 1_790_000_000_000_000_000

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def value(self, plain: Any) -> dict[str, Any]:
        """Write an AnyValue as the collector does."""
        if plain is None:
            return {}
        if isinstance(plain, bool):
            return {"boolValue": plain}
        if isinstance(plain, int):
            return {"intValue": str(plain)}
        if isinstance(plain, float):
            return {"doubleValue": plain if math.isfinite(plain) else str(plain).replace("inf", "Infinity")}
        if isinstance(plain, str):
            return {"stringValue": plain}
        if isinstance(plain, list):
            return {"arrayValue": {"values": [self.value(one) for one in plain]}}
        return {"kvlistValue": {"values": self.attributes(plain)}}

    def attributes(self, plain: dict[str, Any]) -> list[dict[str, Any]]:
        """Write attributes."""
        return [{"key": key, "value": self.value(each)} for key, each in plain.items()]

    def span(self, attributes: dict[str, Any] | None = None, /, **changes: Any) -> dict[str, Any]:
        """Make a span of one second.

        `n`, `trace` and `parent` are small numbers for ids, `at` is its start in seconds after `start`, `events` are
        (name, seconds after its start, attributes); other keywords are fields of the span. `None` leaves a field out.
        """
        n, trace, parent, at = (changes.pop(key, default) for key, default in _SPAN_DEFAULTS.items())
        start = self.start + round(at * 1e9)
        made: dict[str, Any] = {
            "traceId": f"{trace:032x}",
            "spanId": f"{n:016x}",
            "parentSpanId": f"{parent:016x}" if parent else "",
            "name": f"span {n}",
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(start + 10**9),
            "attributes": self.attributes(attributes or {}),
            "status": {},
            "events": [
                {"name": name, "timeUnixNano": str(start + round(after * 1e9)), "attributes": self.attributes(said)}
                for name, after, said in changes.pop("events", ())
            ],
        }
        made.update(changes)
        return {key: each for key, each in made.items() if each is not None}

    def log(self, name: str, attributes: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
        """Make a log record of a span; `n`, `trace` and `at` as in `span`."""
        n, trace, _, at = (changes.pop(key, default) for key, default in _SPAN_DEFAULTS.items())
        return {
            "traceId": f"{trace:032x}",
            "spanId": f"{n:016x}",
            "eventName": name,
            "timeUnixNano": str(self.start + round(at * 1e9)),
            "attributes": self.attributes(attributes),
            **changes,
        }

    def line(self, *spans: Any, logs: Any = (), resource: dict[str, Any] | None = None) -> str:
        """Write one line as the collector does."""
        made: dict[str, Any] = {}
        of = {"attributes": self.attributes(resource or {})}
        if spans:
            made["resourceSpans"] = [{"resource": of, "scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}]
        if logs:
            made["resourceLogs"] = [{"resource": of, "scopeLogs": [{"scope": {"name": "test"}, "logRecords": logs}]}]
        return json.dumps(made) + "\n"

    def write(self, name: str, *lines: str) -> Path:
        """Write a file of lines."""
        path = self.folder / name
        path.write_text("".join(lines), encoding="utf-8")
        return path

    def read(self, *spans: Any, logs: Any = (), resource: dict[str, Any] | None = None, **options: Any) -> Traces:
        """Read spans, one line each, as a user would."""
        lines = [self.line(span, resource=resource) for span in spans] + ([self.line(logs=logs)] if logs else [])
        return read_otlp(self.write("made.jsonl", *lines), **options)


_SPAN_DEFAULTS = {"n": 1, "trace": 1, "parent": 0, "at": 0.0}


@pytest.fixture
def otlp(tmp_path: Path) -> Otlp:
    """Give what makes OTLP files by hand."""
    return Otlp(tmp_path)
