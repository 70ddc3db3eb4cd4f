"""Made-up traffic: answers about known topics, for tests that look for what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from llmlens.traces import Traces

WORDS = {
    "refund": "your refund of the parcel was approved and the money returns to the card within the week",
    "weather": "expect heavy rain on the ridge tomorrow morning with wind from the north and cold nights",
    "sizes": "these boots run small so please order one size larger than the shoes that fit you",
}


def said(topics: dict[str, int], day: str, prefix: str, *, seed: int = 0, feature: str = "support") -> Traces:
    """Give traces that say the words of topics in a random order."""
    random = np.random.default_rng(seed)
    rows = []
    for topic, count in topics.items():
        for number in range(count):
            words = WORDS[topic].split()
            kept = [words[i] for i in np.sort(random.choice(len(words), len(words) - 3, replace=False))]
            rows.append((f"{prefix}-{topic}-{number}", " ".join(kept), topic))
    start = pd.Timestamp(day, tz="UTC") + pd.to_timedelta(np.arange(len(rows)), unit="min")
    spans = pd.DataFrame({"trace_id": [row[0] for row in rows], "start": start})
    spans = spans.assign(span_id="s", kind="llm", status="ok", depth=0, feature=feature, end=spans["start"])
    spans["feature"] = [f"{feature} {row[2]}" for row in rows]
    contents = pd.DataFrame({"trace_id": spans["trace_id"], "span_id": "s", "output": [row[1] for row in rows]})
    return Traces.from_frames(
        {"spans": spans, "contents": contents.assign(input=[f"what about {row[0]}?" for row in rows])}
    )
