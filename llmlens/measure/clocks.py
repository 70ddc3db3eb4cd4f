"""Where the times of traces are missing, or clocks disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmlens.traces import Traces


def clock_notes(traces: Traces) -> list[str]:
    """Say how many traces have no time, or times that cannot be: what that does to how long they took."""
    spans = traces.table("spans")
    units = spans.group_by("trace_id").agg(
        first=spans.start.min(),
        root=spans.start.min(where=spans.depth == 0),
        backwards=(spans.end < spans.start).any(),
    )
    counted = units.agg(
        n=units.count(),
        timeless=units["first"].isnull().sum(),
        backwards=units["backwards"].sum(),
        skewed=(units["first"] < units["root"]).sum(),
    )
    n, *counts = traces.fetch_arrow(counted).to_pylist()[0].values()
    if not n:
        return ["There are no traces."]
    texts = (
        "do not say when they were: they have no length.",
        "have spans that ended before they began (clocks that disagree): they count until the last span began.",
        "have spans that began before their root (clocks that disagree): they may look longer than they were.",
    )
    return [f"{count:,} of {n:,} traces {text}" for count, text in zip(counts, texts, strict=True) if count]
