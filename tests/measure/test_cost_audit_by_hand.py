"""The audit of random calls, beside a loop that asks of each why it costs what it does."""

from __future__ import annotations

from typing import Any

import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.measure.cost_audit import FINDINGS
from tests.examples import examples

from .paid_calls import RATES, told, total, traces_of

DATES = (pd.Timestamp("2025-05-01", tz="UTC"), pd.Timestamp("2025-07-15", tz="UTC"))


def agree(one: float, other: float | None) -> bool:
    """Say whether costs agree: within half a percent, or within what rounding to the sixth decimal makes."""
    return other is not None and abs(one - other) <= max(0.005 * abs(other), 5e-7)


BILLED = st.fixed_dictionaries(
    {
        "model": st.sampled_from([*RATES, "acme-1"]),
        "feature": st.sampled_from("ab"),
        "late": st.booleans(),
        "given": st.sampled_from([1_000, 3_000]),
        "read": st.sampled_from([0, 100, 600, 900]),
        "written": st.sampled_from([0, 50]),
        "paid": st.sampled_from(["listed", "twice", "once", "before", "after", "twice", "discount", "nothing", None]),
        "source": st.sampled_from(["reported", "reported", "reported", "priced"]),
    }
)

CACHED = {"model": "gpt-4o-2024-08-06", "feature": "a", "late": True, "given": 1_000, "read": 600, "written": 50,
          "source": "reported"}  # fmt: skip


def bills(call: dict[str, Any]) -> dict[str, float | None]:
    """Say what a call costs by list, with cached tokens charged or taken off twice, and by the list of before."""
    given_, read, written = call["given"], call["read"], call["written"]
    if call["model"] not in RATES:
        return dict.fromkeys(("listed", "twice", "once", "before", "after"))

    def cost(late: bool, plain: int) -> float:  # which list
        full, cached, out = RATES[str(call["model"])][late]
        return float(plain * full + read * cached + written * out) / 1e6

    return {
        "listed": cost(call["late"], given_ - read),
        "twice": cost(call["late"], given_),
        "once": cost(call["late"], max(given_ - 2 * read, 0)),
        "before": cost(False, given_ - read) if call["late"] and call["model"] == "o3" else None,
        "after": cost(True, given_ - read),
    }


def audited(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Say of each call why it costs what it does, and what that makes."""
    found: list[dict[str, Any]] = []
    for n, call in enumerate(calls):
        list_ = bills(call)
        paid = {**list_, "discount": (list_["listed"] or 0.5) * 0.7, "nothing": 0.0}.get(call["paid"] or "")
        checked = paid is not None and call["source"] != "priced" and list_["listed"] is not None
        found.append({**call, "n": n, "cost": paid, "list": list_, "reason": None, "checked": checked,
                      "tokens": call["given"] + call["written"]})  # fmt: skip
    odd = []
    for call in found:
        if not call["checked"] or agree(call["cost"], call["list"]["listed"]):
            continue
        call["effect"] = call["cost"] - call["list"]["listed"]
        call["reason"] = "unlike list price"
        if agree(call["cost"], call["list"]["before"]):
            call["reason"] = "outdated price"
        else:
            odd.append(call)
    for model in RATES:
        # Calls of which one of the two could be said: it makes a difference to what the call costs.
        own = [c for c in odd if c["model"] == model
               and any(not agree(c["list"][how], c["list"]["listed"]) for how in ("twice", "once"))]  # fmt: skip
        fits = {
            how: {call["n"] for call in own
                  if agree(call["cost"], call["list"][how]) and not agree(call["list"][how], call["list"]["listed"])}
            for how in ("twice", "once")
        }  # fmt: skip
        if len(fits["twice"] | fits["once"]) * 2 < len(own):
            continue
        for call in own:
            if call["n"] in fits["twice"]:
                call["reason"] = "cached billed twice"
            elif call["n"] in fits["once"]:
                call["reason"], call["effect"] = "cached counted twice", -call["effect"]
    return found


@examples(20)
@given(st.lists(BILLED, min_size=1, max_size=12), st.booleans())
@example([CACHED | {"paid": how} for how in ("twice", "discount")], False)  # as drawn
@example([CACHED | {"paid": how} for how in ("twice", "discount", "discount")], False)  # as drawn
def test_the_audit_is_what_looking_at_each_call_says(calls: list[dict[str, Any]], grouped: bool) -> None:
    found = audited(calls)
    frame = ll.cost_audit(
        traces_of(
            [
                {
                    "model": call["model"], "feature": call["feature"], "start": DATES[call["late"]],
                    "input_tokens": call["given"], "cache_read_tokens": call["read"], "output_tokens": call["written"],
                    "cost_usd": call["cost"], "cost_source": call["source"],
                }
                for call in found
            ]
        ),
        by="feature" if grouped else None,
    )  # fmt: skip
    expected, examples = [], {}
    for finding in FINDINGS:
        for feature in sorted({call["feature"] for call in calls}) if grouped else ["ab"]:
            own = [call for call in found if call["feature"] in feature]
            if finding == "no price":
                checked = own
                hits = [{**call, "effect": None} for call in own if call["cost"] is None]
            else:
                checked = [] if "repeats" in finding or "call" in finding else [call for call in own if call["checked"]]
                hits = [call for call in checked if call["reason"] == finding]
            if hits or not grouped:
                nothing = 0.0 if checked and not hits else None
                expected.append((
                    finding, *([feature] if grouped else []), len(hits), len(checked),
                    len(hits) / len(checked) if checked else None,
                    nothing if nothing is not None else total(call["tokens"] for call in hits),
                    None if finding == "no price" else nothing if nothing is not None
                    else total(call["effect"] for call in hits),
                    FINDINGS[finding],
                ))  # fmt: skip
                examples[expected[-1][:2]] = {f"t{call['n']}" for call in hits}
    rows = [tuple(told(value) for value in row) for row in frame.drop(columns="examples").itertuples(index=False)]
    assert sorted(rows, key=lambda row: row[:2]) == sorted(expected, key=lambda row: row[:2])
    for row, named in zip(rows, frame["examples"], strict=True):
        ids = named.split(", ") if named else []
        assert len(ids) == len(set(ids) & examples[row[:2]]) == min(3, len(examples[row[:2]]))
    effects = [-1.0 if pd.isna(effect) else round(abs(effect), 12) for effect in frame["effect_usd"]]
    assert effects == sorted(effects, reverse=True)
