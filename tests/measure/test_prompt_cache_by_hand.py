"""What the prompt cache could read of random calls, beside plain loops over them and those before."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from tests.examples import examples

from .paid_calls import MONDAY, RATES, told, total, traces_of

LINES = ["You help with tents.", "Today is Monday.", "Be short."]
PROMPT = st.lists(st.sampled_from(LINES), min_size=1, max_size=3).map("\n".join)
SENT = st.fixed_dictionaries(
    {
        "trace": st.integers(0, 2),
        "feature": st.sampled_from("ab"),
        "model": st.sampled_from(["gpt-4o-2024-08-06", "gpt-4o-2024-08-06", "o3", "acme-1"]),
        "prompt": st.one_of(PROMPT, PROMPT, PROMPT, st.none()),
        "minutes": st.sampled_from([1, 4, 5, 6, None]),
        "given": st.sampled_from([400, 2_000]),
        "read": st.sampled_from([None, 0, 100, 300]),
    }
)

#: Sent twice just in time, with a line that is there twice.
AGAIN = {"trace": 0, "feature": "a", "model": "o3", "prompt": "\n".join([*LINES[::2], LINES[2]]), "minutes": 5,
         "given": 400, "read": 0}  # fmt: skip


def begins_alike(one: str, other: str) -> int:
    """Count the characters that texts have in common at their beginning."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def constant_share(texts: list[str]) -> float:
    """Give the share of texts in lines that nine of ten of them have; each line of a text counts once."""
    always = {line for text in texts for line in text.split("\n")
              if sum(line in other.split("\n") for other in texts) >= 0.9 * len(texts)}  # fmt: skip
    same = sum(len(line) + 1 for text in texts for line in set(text.split("\n")) & always)
    return min(1.0, same / sum(len(text) + 1 for text in texts))


@examples(15)
@given(st.lists(SENT, min_size=1, max_size=10), st.sampled_from([0, 150, 1_024]))
@example([AGAIN, AGAIN], 0)
@example([AGAIN, AGAIN | {"prompt": LINES[0]}], 1_024)
@example([AGAIN, AGAIN], 1_024)
def test_what_the_cache_could_read_is_what_loops_over_calls_say(drawn: list[dict[str, Any]], least: int) -> None:
    at, calls = MONDAY, []
    for n, call in enumerate(drawn):
        at += pd.Timedelta(minutes=call["minutes"] or 0)
        calls.append({**call, "id": n, "at": None if call["minutes"] is None else at,
                      "text": call["prompt"] and f"system: {call['prompt']}"})  # fmt: skip
    frame = ll.prompt_cache(
        traces_of(
            [{"trace_id": f"t{call['trace']}", "model": call["model"], "feature": call["feature"], "start": call["at"],
              "input_tokens": call["given"], "cache_read_tokens": call["read"], "output_tokens": 1, "cost_usd": 1.0}
             for call in calls],
            [call["prompt"] for call in calls],
        ),
        by="feature", least_tokens=least,
    )  # fmt: skip
    calls.sort(key=lambda call: (call["at"] is None, call["at"] or MONDAY, call["trace"], call["id"]))
    expected = []
    for feature in sorted({call["feature"] for call in calls}):
        own = [call for call in calls if call["feature"] == feature]
        known = [call for call in own if call["text"] is not None]
        texts = [call["text"] for call in known]
        sums: dict[str, list[float | None]] = {name: [] for name in ("prefix", "constant", "saved", "more", "ordered")}
        for place, call in enumerate(own):
            rates = RATES.get(call["model"])
            price = (rates[1][0] - rates[1][1]) / 1e6 if rates else None
            read = call["read"] or 0
            sums["saved"].append(None if price is None else read * price)
            if call["text"] is None:
                continue
            before = [other for other in own[:place] if other["text"] is not None]
            last = [*before[-1:], *[other for other in before if other["trace"] == call["trace"]][-1:]]
            share = {
                other["id"]: begins_alike(call["text"], other["text"]) / len(call["text"]) * call["given"]
                for other in last
            }
            alive = [other["id"] for other in last if call["at"] is not None and other["at"] is not None
                     and call["at"] - other["at"] <= pd.Timedelta(minutes=5)]  # fmt: skip
            sums["prefix"].append(max(share.values(), default=0))
            constant = None
            if len(texts) > 1:
                usual = sum(len(text) for text in texts) / len(texts)
                constant = min(constant_share(texts) * usual / len(call["text"]), 1.0) * call["given"]
            sums["constant"].append(constant)
            if call["at"] is None or price is None:
                continue
            warm = max((share[other] for other in alive), default=0)
            ahead = max(warm, (constant or 0) if alive else 0)
            gains = [max(each - read, 0) if each >= least else 0 for each in (warm, ahead)]
            sums["more"].append(gains[0] * price)
            sums["ordered"].append((gains[1] - gains[0]) * price)
        given_, cached = sum(call["given"] for call in own), sum(call["read"] or 0 for call in own)
        means = [
            None if (whole := total(sums[name])) is None else whole / len(known) for name in ("prefix", "constant")
        ]
        expected.append((feature, len(own), len(known), given_, cached, cached / given_, *means,
                         *(total(sums[name]) for name in ("saved", "more", "ordered"))))  # fmt: skip
    rows = [tuple(told(value) for value in row) for row in frame.itertuples(index=False)]
    assert sorted(rows, key=lambda row: row[0]) == expected
    possible = [
        round((row[9] or 0) + (row[10] or 0), 12)
        for row in sorted(expected, key=lambda row: list(frame["feature"]).index(row[0]))
    ]
    assert possible == sorted(possible, reverse=True)
