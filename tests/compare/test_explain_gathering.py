"""What is gathered of traces is what a plain reading of them gives, in the same order each time."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

from llmlens.compare.explain.first_words import first_words
from llmlens.compare.explain.metadata import find_keys
from llmlens.store import Store
from llmlens.traces import Traces

INPUTS = [
    None,
    "",
    "   ",
    "one",
    "  two\twords ",
    "say\nthree words and more",
    "你好 世界",
    "x" * 500 + " late",
    '[{"role": "system", "content": "Be kind\\nto all of them"}]',
    '{"messages": [{"content": null}, {"text": "Then this"}]}',
    ' {"no": "words"}',
    "[broken",
    '{"content": ""}',
]
KINDS = ["llm", "chain", None]


def simulated(n: int = 400) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make spans of several a trace, some of which have no depth or no text."""
    random = np.random.default_rng(0)
    ids = {"trace_id": [f"t{i // 4:03d}" for i in range(n)], "span_id": [str(i) for i in range(n)]}
    spans = pd.DataFrame(
        ids
        | {
            "kind": [KINDS[i] for i in random.integers(0, len(KINDS), n)],
            "depth": pd.array([None if i % 7 == 6 else i % 4 for i in range(n)], dtype="Int64"),
            "start": pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(n), unit="s"),
        }
    )
    contents = pd.DataFrame(ids | {"input": [INPUTS[i] for i in random.integers(0, len(INPUTS), n)]})
    return spans, contents[:-10]


def words_of(text: object) -> str | None:
    """Read one text: at most three words of it, of the first content where it is JSON."""
    text = text[:400] if isinstance(text, str) else ""
    if re.match(r"\s*[\[{]", text):
        inner = re.search(r'"(?:content|text)"\s*:\s*"((?:[^"\\]|\\.)*)', text)
        text = inner[1].replace("\\n", " ") if inner else ""
    return " ".join(text.split()[:3]) or None


def test_first_words_are_those_that_a_plain_reading_finds() -> None:
    spans, contents = simulated()
    traces = Traces.from_frames({"spans": spans, "contents": contents})
    joined = spans.merge(contents, on=["trace_id", "span_id"])
    some = ["t001", "t007", "t050", "t099"]
    for chosen in (traces, traces.where(trace_id=some)):  # the second is read from what was kept of the first
        table = chosen._selection.store.compute(first_words(chosen._selection)).to_pandas()
        for of, holds in (("of_root", joined["depth"] == 0), ("of_prompt", joined["kind"] == "llm")):
            asked = joined[holds.fillna(value=False) & joined["trace_id"].isin(chosen.trace_ids)]
            expected = {(trace, words_of(text)) for trace, text in zip(asked["trace_id"], asked["input"], strict=True)}
            found = table[table[of] & table["words"].notna()]
            told = {
                (trace, " ".join(words.split())) for trace, words in zip(found["trace_id"], found["words"], strict=True)
            }
            assert told == {each for each in expected if each[1] is not None}
            assert len(told) >= len(chosen.trace_ids) / 4


def test_keys_are_in_the_same_order_whatever_the_order_of_rows() -> None:
    found = []
    for keys in ("abc", "cba"):
        store = Store()
        store.create_empty()
        rows = [{"trace_id": f"t{i}", "span_id": "1", "metadata": json.dumps({key: i})} for i, key in enumerate(keys)]
        store.insert_frame("spans", pd.DataFrame(rows))
        found.append(find_keys(store, "SELECT trace_id, metadata FROM spans", "metadata", 3)[0].names)
    assert found == [["metadata.a", "metadata.b", "metadata.c"]] * 2
