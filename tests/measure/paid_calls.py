"""Traces of paid model calls, for tests that hold a measure of their cost against plain loops over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pandas as pd
import pytest

from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MONDAY = pd.Timestamp("2026-01-05", tz="UTC")
#: USD per million tokens before and after the price of o3 fell in June 2025: input, cached, output.
RATES = {
    "gpt-4o-2024-08-06": ((2.5, 1.25, 10.0), (2.5, 1.25, 10.0)),
    "o3": ((10.0, 0.5, 40.0), (2.0, 0.5, 8.0)),
}
COLUMNS = {
    **dict.fromkeys(("trace_id", "span_id", "kind", "provider", "model", "feature"), "str"),
    **dict.fromkeys(("status", "usage_source", "cost_source"), "str"), "start": "datetime64[us, UTC]",
    **dict.fromkeys(("input_tokens", "cache_read_tokens", "output_tokens"), "Int64"), "cost_usd": "Float64",
}  # fmt: skip


def traces_of(calls: Sequence[dict[str, Any]], prompts: Sequence[str | None] = ()) -> Traces:
    """Make a span of each model call, and what it was sent."""
    usual = {"kind": "llm", "provider": "openai", "status": "ok", "usage_source": "reported",
             "cost_source": "reported"}  # fmt: skip
    rows = [{"trace_id": f"t{n}", "span_id": f"s{n:02d}", **usual, **call} for n, call in enumerate(calls)]
    said = [
        {"trace_id": row["trace_id"], "span_id": row["span_id"],
         "input": orjson.dumps([{"role": "system", "content": prompt}]).decode()}
        for row, prompt in zip(rows, prompts, strict=bool(prompts)) if prompt is not None
    ]  # fmt: skip
    frames = {"spans": pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)}
    return Traces.from_frames(frames | ({"contents": pd.DataFrame(said)} if said else {}))


def total(values: Iterable[float | None]) -> float | None:
    """Sum what is known; None of nothing."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def told(value: Any) -> Any:
    """Give a value of a frame to compare with: None where NA, about a number."""
    if pd.isna(value):
        return None
    return pytest.approx(float(value), rel=1e-9, abs=1e-15) if isinstance(value, float) else value
