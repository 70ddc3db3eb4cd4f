"""A span that Langfuse took in and gave out again reads like the span itself, wherever Langfuse lost nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from llmlens import read_otlp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Columns that differ everywhere: times are cut to milliseconds, and Langfuse writes "default" where nothing was set.
EVERYWHERE = {"source", "start", "end", "duration_s", "environment"}
#: Langfuse reports the costs that are priced here otherwise.
PRICED = {"cost_source"}
#: What else differs, and why.
DIFFERENT: dict[str, set[str]] = {
    "genai_semconv_new": PRICED | {"params"},  # the same ones in another order
    "genai_tool": {"name", "feature"},  # Langfuse names a span after its tool
    "genai_agent": set(),
    "genai_embed": PRICED,
    "genai_events_old": set(),
    "openinference_llm": PRICED,
    "openinference_retriever": set(),
    "traceloop": PRICED,
    "traceloop_workflow": set(),
    "vercel_gen": PRICED | {"name", "feature", "metadata"},  # user and session are taken out of the metadata
    "vercel_tool": {"name", "feature"},
    "mlflow": set(),
    "langfuse_native": set(),
    "plain_error": {"convention"},
    "pydantic_ai": set(),
    # Langfuse reads Genkit, which has no place in conventions.toml.
    "genkit": {
        "name", "feature", "model", "params", "input_tokens", "output_tokens", "reasoning_tokens", "usage_source",
        "convention",
    },
    "cost_attr": set(),
    "logfire": {"name", "feature"},
}  # fmt: skip
#: Messages that Langfuse loses: it takes `input.value` for the input, or a log line.
LOST = {"openinference_llm", "genkit", "logfire"}


def same(one: Any, other: Any) -> bool:
    """Compare two cells, costs to the rounding of the server."""
    if isinstance(one, float) and isinstance(other, float) and one == one and other == other:  # noqa: PLR0124  # NaN
        return one == pytest.approx(other)
    return str(one) == str(other)


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_columns_of_an_observation_are_those_of_its_span(
    langfuse: Any, captured: Callable[[str], Any], tmp_path: Path, name: str
) -> None:
    case = captured("golden_otel")[name]
    attributes = [{"key": f"service.{k}", "value": {"stringValue": v}} for k, v in (("name", "svc"), ("version", "9"))]
    scoped = [{"scope": {"name": case["scope"], "version": "1"}, "spans": [case["span"]]}]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scoped}]}))
    direct, through = read_otlp(path), langfuse.read(case["observation"])
    one, other = direct.spans.iloc[0], through.spans.iloc[0]
    assert {column for column in one.index if not same(one[column], other[column])} - EVERYWHERE == DIFFERENT[name]
    if name not in LOST:
        assert direct.messages.equals(through.messages)
    assert direct.documents.equals(through.documents)
    assert direct.tool_calls.equals(through.tool_calls)


def test_every_case_that_was_captured_is_compared(captured: Callable[[str], Any]) -> None:
    assert set(captured("golden_otel")) == set(DIFFERENT)
