"""Writes spans as the OpenTelemetry Collector does: one batch a line, grouped by resource and scope."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import orjson

from .conventions import CONVENTIONS, Attributes, Scope, common, common_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenario import Scenario
    from .tracing import Span

KINDS = {"chain": 2, "llm": 3, "embedding": 3}  # SERVER, CLIENT; everything else is INTERNAL
STATUS = {"unset": {}, "ok": {"code": 1}}


def lines(scenario: Scenario, spans: list[Span], seed: int) -> Iterator[bytes]:
    """Give the lines of the dump; `spans` are in the order in which they ended."""
    rng, at = Random(f"{seed}/batches"), 0
    epoch_ns = int(scenario.start.timestamp()) * 1_000_000_000
    while at < len(spans):
        size = rng.randint(40, 90)
        yield orjson.dumps(_batch(spans[at : at + size], epoch_ns)) + b"\n"
        at += size


def _batch(spans: list[Span], epoch_ns: int) -> dict[str, object]:
    resources: dict[tuple[str, str, str], dict[Scope, list[dict[str, object]]]] = {}
    for span in spans:
        context = span.context
        scope_of, _ = CONVENTIONS[context.service]
        scopes = resources.setdefault((context.service, context.release, context.environment), {})
        scopes.setdefault(scope_of(span), []).append(_span(span, epoch_ns))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _key_values(_resource(*resource))},
                "scopeSpans": [
                    {"scope": {"name": scope.name, "version": scope.version}, "spans": written}
                    for scope, written in scopes.items()
                ],
            }
            for resource, scopes in resources.items()
        ]
    }


def _resource(service: str, release: str, environment: str) -> Attributes:
    return {
        "service.name": service,
        "service.version": release,
        "deployment.environment.name": environment,
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
    }


def _span(span: Span, epoch_ns: int) -> dict[str, object]:
    _, describe = CONVENTIONS[span.context.service]
    attributes, events = describe(span)
    written: dict[str, object] = {
        "traceId": span.context.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_id,
        "flags": 256,
        "name": span.name,
        "kind": KINDS.get(span.kind, 1),
        "startTimeUnixNano": _time(span.start_us, epoch_ns),
        "endTimeUnixNano": _time(span.end_us, epoch_ns),
        "attributes": _key_values(common(span) | attributes),
        "status": STATUS.get(span.status)
        or ({"code": 2, "message": span.status_message} if span.status == "error" else {}),
    }
    if all_events := common_events(span) + events:
        written["events"] = [
            {
                "timeUnixNano": _time(event.time_us, epoch_ns),
                "name": event.name,
                "attributes": _key_values(event.attributes),
            }
            for event in all_events
        ]
    return written


def _time(time_us: int, epoch_ns: int) -> str:
    return str(epoch_ns + time_us * 1000)


def _key_values(attributes: Attributes) -> list[dict[str, object]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(v) for v in value]}}
    return {"stringValue": value}
