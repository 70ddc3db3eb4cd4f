"""The prompt cache: prefixes are counted as by hand, and the planted timestamp is what loses the cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.errors import SelectionError
from llmlens.measure.prompt_texts import common_prefixes, constant_share
from llmlens.traces import Traces

DATA = Path(__file__).resolve().parents[2] / "data_samples/budget_overrun.otlp.jsonl.gz"


def plain_prefix(one: str, other: str) -> int:
    n = 0
    while n < min(len(one), len(other)) and one[n] == other[n]:
        n += 1
    return n


@given(st.lists(st.text("ab\nß", max_size=8), max_size=6), st.data())
def test_prefixes_are_those_of_a_plain_loop(texts: list[str], data: st.DataObject) -> None:
    earlier = [data.draw(st.integers(-1, i - 1)) for i in range(len(texts))]
    expected = [plain_prefix(t, texts[e]) if e >= 0 else 0 for t, e in zip(texts, earlier, strict=True)]
    assert common_prefixes(texts, np.array(earlier, dtype=np.int64)).tolist() == expected


def test_constant_lines_are_counted_wherever_they_stand() -> None:
    assert constant_share([f"now {n}\nalways\nthis" for n in range(10)]) == pytest.approx(12 / 18)
    assert np.isnan(constant_share(["one"]))


def test_the_timestamp_before_the_prompt_is_what_loses_the_cache() -> None:
    found = ll.prompt_cache(ll.read_otlp(DATA), by="prompt_version").set_index("prompt_version")
    old, new = found.loc["21"], found.loc["22"]
    assert found.index[0] == "22"
    assert old["cached_share"] > 0.6
    assert new["cached_share"] == 0
    assert new["prefix_tokens"] < 50
    assert new["constant_tokens"] > 1_000
    assert new["constant_saving_usd"] > 1 > old["prefix_saving_usd"] + old["constant_saving_usd"]
    assert old["saved_usd"] > 0.5


def calls(prompts: list[str | None], minutes: int = 1, model: str = "gpt-4o-2024-08-06") -> Traces:
    n = len(prompts)
    spans: dict[str, Any] = {"trace_id": [f"t{i}" for i in range(n)], "span_id": "1", "kind": "llm"}
    spans["provider"] = "openai"
    spans |= {"model": model, "input_tokens": 2_000, "output_tokens": 1, "cost_usd": 1.0, "feature": "a"}
    spans |= {"start": pd.Timestamp("2026-01-05", tz="UTC") + pd.to_timedelta(np.arange(n) * minutes, unit="min")}
    rows = [(f"t{i}", text) for i, text in enumerate(prompts) if text is not None]
    messages = pd.DataFrame(rows, columns=["trace_id", "input"]).assign(span_id="1")
    messages["input"] = messages["input"].map(lambda t: f'[{{"role":"system","content":"{t}"}}]')
    return Traces.from_frames({"spans": pd.DataFrame(spans), "contents": messages})


def test_a_common_prefix_that_is_not_cached_could_be() -> None:
    found = ll.prompt_cache(calls(["x" * 1_000] * 3), by="feature").iloc[0]
    assert found["prefix_tokens"] == pytest.approx(2_000 * 2 / 3)
    assert found["prefix_saving_usd"] == pytest.approx(2 * 2_000 * 1.25 / 1e6)
    assert found["saved_usd"] == 0
    late = ll.prompt_cache(calls(["x" * 1_000] * 3, minutes=10), by="feature").iloc[0]
    assert late["prefix_saving_usd"] == 0
    assert (
        ll.prompt_cache(calls(["x" * 1_000] * 3, minutes=10), by="feature", life="1h").iloc[0]["prefix_saving_usd"] > 0
    )


def test_what_is_not_known_is_na_and_noted() -> None:
    silent = ll.prompt_cache(calls([None, None]), by="feature", every="1D")
    assert silent["prefix_tokens"].isna().all()
    assert silent["input_tokens"].tolist() == [4_000]
    assert any("do not say what they were sent" in note for note in silent.notes)
    unlisted = ll.prompt_cache(calls(["x", "x"], model="acme"), by=None)
    assert unlisted["prefix_saving_usd"].isna().all()
    assert any("without a list price" in note for note in unlisted.notes)
    silent.plot()
    unlisted.plot()


def test_nothing_selected_says_so(week: Traces) -> None:
    found = ll.prompt_cache(week.where(feature="nothing"))
    assert len(found) == 0
    assert any("no model call" in note for note in found.notes)


@pytest.mark.parametrize("life", ["soon", "-5min", 5])
def test_a_life_is_a_length_of_time(week: Traces, life: object) -> None:
    with pytest.raises(SelectionError, match="not a length of time"):
        ll.prompt_cache(week, life=life)  # type: ignore[arg-type]
