"""Writes the same spans as a table, one row per span, the way a team logs them without any convention."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from .conversation import as_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scenario import Scenario
    from .tracing import Span

COLUMNS = (
    "timestamp", "trace_id", "span_id", "parent_span_id", "session_id", "user_id",
    "feature", "service", "release", "environment", "operation", "kind",
    "provider", "model", "prompt_name", "prompt_version",
    "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
    "latency_ms", "ttft_ms", "status", "error", "http_status",
    "tool", "tool_arguments", "tool_result", "quality_score", "thumbs",
    "tenant", "region", "country", "channel", "language", "question", "answer",
)  # fmt: skip


def lines(scenario: Scenario, spans: list[Span]) -> Iterator[bytes]:
    """Give the header and one row per span, in the order in which they started."""
    scores = {span.context.trace_id: span.judgement.value for span in spans if span.judgement}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for span in sorted(spans, key=lambda span: (span.start_us, span.context.trace_id, -span.end_us)):
        writer.writerow(_row(scenario, span, scores))
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()


def _row(scenario: Scenario, span: Span, scores: dict[str, float]) -> dict[str, object]:
    context, customer = span.context, span.context.customer
    row: dict[str, object] = {
        "timestamp": scenario.when(span.start_us).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "trace_id": context.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "session_id": context.session_id,
        "user_id": customer.id,
        "feature": context.feature,
        "service": context.service,
        "release": context.release,
        "environment": context.environment,
        "operation": span.name,
        "kind": span.kind,
        "latency_ms": round((span.end_us - span.start_us) / 1000),
        "status": "error" if span.status == "error" else "ok",
        "error": f"{span.error_type}: {span.status_message}" if span.error_type else "",
        "tenant": customer.country.tenant,
        "region": customer.country.region,
        "country": customer.country.code,
        "channel": customer.channel,
        "language": customer.language,
    }
    if span.model and span.kind != "agent":
        call = span.model
        row |= {
            "provider": call.provider,
            "model": call.response_model or call.request_model,
            "prompt_name": call.prompt_name,
            "prompt_version": call.prompt_version,
        }
        if call.input_tokens is not None:
            row |= {
                "input_tokens": call.input_tokens,
                "output_tokens": call.output_tokens,
                "cached_tokens": call.cache_read_tokens,
                "cache_write_tokens": call.cache_write_tokens,
            }
        if call.ttft_us is not None:
            row["ttft_ms"] = round(call.ttft_us / 1000)
    if span.tool:
        row |= {"tool": span.tool.name, "tool_arguments": as_json(span.tool.arguments), "tool_result": span.output}
    if not span.parent_id:
        row |= {
            "question": span.input,
            "answer": span.output,
            "http_status": span.http_status,
            "quality_score": scores.get(context.trace_id, ""),
        }
        row["thumbs"] = next((r.label for r in span.reactions if r.name == "thumbs"), "")
    return row
