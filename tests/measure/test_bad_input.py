"""Every measure where something is missing or wrong: what can be said is said, the rest is NA and noted."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import llmlens as ll
from docs.measures import QUESTIONS
from llmlens.measure.shape import Result

from .damaged import DAMAGES, damaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmlens.traces import Traces

#: What takes the place of traces in which there is next to nothing.
LITTLE = ("nothing", "a bare span", "one trace")
#: Measures that take more than traces, `by` and `every`.
CALLS: dict[str, Callable[..., Result]] = {
    "cost_per_goal": lambda traces, **asked: ll.cost_per_goal(traces, "helpful >= 0.8", **asked),
    "budget": lambda traces: ll.budget(traces, 100),
    "slo": lambda traces, **asked: ll.slo(traces, "helpful >= 0.7", **asked),
    "ranking": lambda traces, **asked: ll.ranking(traces, "metadata.relevant", **asked),
    "document_changes": lambda traces: ll.document_changes(traces, damaged(), catalogue=["red", "green"]),
}
UNGROUPED = {"budget", "document_changes", "instructions_in_documents", "cost_audit"}
MEASURES = [
    name
    for question, names in QUESTIONS.items()
    for name in names
    if question != "What changed?" and name != "agreement"  # comparisons, of two selections and of two judges
]

_TOKENS = {"no tokens": "do not say how many tokens they used"}
_MONEY = {
    "no prices": r"have no known cost \(gpt-4o-mini 1?2\)",
    "an unknown model": r"have no known cost \(nobody-knows-it 1?2\)",
    "mixed currencies": r"not in USD \(EUR 6, JPY 3\)",
}
_CLOCKS = {
    "negative durations": "spans that ended before they began",
    "clock skew": "spans that began before their root",
    "no times": "do not say when they were",
}
_TREES = {
    "negative durations": "spans ended before they began",
    "clock skew": "spans began before the span they are in",
    "no times": "spans have no start",
}
_LISTED = {"an unknown model": "without a list price", "no tokens": "no call with tokens has a reported cost"}
_DOCUMENTS = dict.fromkeys(("no documents", "no texts"), "gave a document|says what it gave")
#: Measure -> what is missing or wrong -> what a note must say of it. What is not here must make no difference.
SAID: dict[str, dict[str, str]] = {
    "latency": _CLOCKS | {"no tokens": "how many tokens they wrote"},
    "critical_path": _TREES,
    "self_time": _TREES,
    "errors": _CLOCKS | _MONEY | {"no texts": "do not say what they answered"},
    "cost": _MONEY | _TOKENS | {"no sessions": "No call belongs to a session"},
    "cost_per_goal": _MONEY | dict.fromkeys(("no scores", "mixed scores"), "have no score 'helpful'"),
    "budget": {
        **dict.fromkeys(("no prices", "an unknown model"), "nothing is known of what the calls of the month cost"),
        "mixed currencies": "not in USD",
        "no times": "no model calls with a time",
    },
    "cost_anomalies": {
        **dict.fromkeys(("no prices", "an unknown model"), "12 calls of unknown cost are left out"),
        "mixed currencies": "not in USD",
        "no times": "no model calls with a time",
    },
    "duplicates": _MONEY | _TOKENS | {"no texts": "4 of 4 traces do not say what they were asked"},
    "prompt_cache": {
        "no tokens": "no model call says how many tokens it read",
        "an unknown model": "without a list price",
        "no texts": "do not say what they were sent",
        "no times": "have no time",
    },
    "cost_audit": {
        **dict.fromkeys(("no tokens", "no prices", "an unknown model"), "nothing to hold against the list"),
        "mixed currencies": "not in USD",
        "no times": "have no time",
    },
    "quality": {"no scores": "There are no scores", "mixed scores": "of several kinds"},
    "slo": {
        "no scores": "There are no scores 'helpful'",
        "mixed scores": "1 of 3 scores 'helpful' cannot be compared",
        "no times": "of traces without a time",
    },
    "signals": {
        **dict.fromkeys(("no scores", "mixed scores"), "No trace has a thumb"),
        "no sessions": "No trace has a session",
        "no texts": "No trace says what the user asked",
        "no times": "have no time",
    },
    "retrieval": _DOCUMENTS | {"clock skew": "updated after they were retrieved", "no times": "have no time"},
    "ranking": _DOCUMENTS,
    "document_changes": _DOCUMENTS | {"clock skew": "before were updated after they were retrieved"},
    "groundedness": _DOCUMENTS,
    "instructions_in_documents": _DOCUMENTS | {"no times": "without a time"},
    "agents": _CLOCKS | _MONEY | _TOKENS,
    "loops": _CLOCKS | _MONEY | _TOKENS | {"no texts": "no calls of tools"},
    "tools": {
        "no texts": "no calls of tools",
        "negative durations": "calls ended before they began",
        "no times": "their times are not known",
    },
    "context_growth": {
        "no tokens": "how many tokens they read",
        "an unknown model": "the window is not known of: nobody-knows-it",
        "no times": "have no time",
    },
    "handoffs": _TREES | _MONEY | _TOKENS,
    "sessions": _CLOCKS | _MONEY | _TOKENS | {"no sessions": "4 of 4 traces have no session"},
    "users": _MONEY | _TOKENS | {"no sessions": "4 of 4 traces have no user", "no times": "have no time"},
}  # fmt: skip
_COSTS = {
    "cost": ("cost_usd", "cost_per_call", "cost_per_trace", "share"),
    "cost_per_goal": ("cost_usd", "cost_per_unit", "cost_per_done"),
    "budget": ("spent_usd", "spent_share", "run_rate_usd", "forecast_usd", "over"),
    "duplicates": ("cost_usd", "saved_usd", "saved_share"),
    **dict.fromkeys(("agents", "loops", "handoffs", "sessions"), ("cost_usd",)),
    "users": ("cost_usd", "cost_per_user", "heavy"),
    "errors": ("lost_usd",),
}
#: What is missing -> measure -> what cannot be known then: columns, or rows of the column `measure`.
UNKNOWN: dict[str, dict[str, tuple[str, ...]]] = {
    "no tokens": {
        "latency": ("tpot",),
        "cost": ("input_tokens", "cache_read_tokens", "output_tokens"),
        "duplicates": ("saved_tokens",),
        **dict.fromkeys(("agents", "loops", "handoffs", "sessions"), ("tokens",)),
    },
    "no prices": _COSTS,
    "an unknown model": {
        **_COSTS,
        "context_growth": ("share", "window"),
        "prompt_cache": ("saved_usd", "prefix_saving_usd"),
    },
    "no sessions": {"cost": ("cost_per_session",)},
    "no documents": {"retrieval": ("top_score", "score_p50", "mean_rank", "age_days_p50")},
    "no texts": {"prompt_cache": ("prefix_tokens", "prefix_saving_usd"), "retrieval": ("top_score", "mean_rank")},
    "no times": {
        **dict.fromkeys(("agents", "loops", "sessions"), ("seconds",)),
        "latency": ("trace", "call"),
        "errors": ("retried", "recovered", "lost_s"),
        "prompt_cache": ("prefix_saving_usd", "constant_saving_usd"),
        "slo": ("good", "burn", "budget_left"),
        "retrieval": ("age_days_p50",),
        "instructions_in_documents": ("first_seen",),
        "tools": ("p50_s",),
        "context_growth": ("growth",),
        "users": ("returned", "share"),
    },
    "negative durations": {"latency": ("call",), "tools": ("p50_s",)},
}  # fmt: skip
#: Measure and name of its frame -> those that were shown: an equal one would be shown in the same way.
_SHOWN: defaultdict[tuple[str, str], list[pd.DataFrame]] = defaultdict(list)
#: What is below 0 where it is no length of time.
_SIGNED = re.compile(r"difference|effect|burn|budget_left|growth")


def ask(name: str, traces: Traces, **asked: Any) -> Result:
    """Call a measure by its name."""
    made: Result = CALLS.get(name, getattr(ll, name))(traces, **asked)
    return made


def numbers(frame: pd.DataFrame) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Give the columns of numbers, NaN where NA."""
    found = {str(name): frame[name] for name in frame if pd.api.types.is_numeric_dtype(frame[name].dtype)}
    return {name: column.to_numpy(dtype=float, na_value=np.nan) for name, column in found.items()}


def check(name: str, result: Result) -> None:
    """Look for what no result may have, and show it in all ways there are."""
    assert all(isinstance(note, str) and note for note in result.notes)
    for beside, frame in {"": result, **result.beside}.items():
        for column, values in numbers(frame).items():
            assert not np.isinf(values).any(), column
            assert _SIGNED.search(column) or not (values < 0).any(), column
        if not any(frame.equals(other) for other in _SHOWN[name, beside]):
            show(frame)
            _SHOWN[name, beside].append(frame)


def show(frame: pd.DataFrame) -> None:
    """Show a frame as text, as a table of a notebook, and as a figure."""
    assert frame._repr_html_()  # type: ignore[operator]  # the stubs lack it
    assert str(frame)
    if isinstance(frame, Result):
        assert frame.plot().layout.title.text


def test_every_measure_is_asked() -> None:
    assert set(SAID) == set(MEASURES)
    assert all(set(said) <= set(DAMAGES) - set(LITTLE) for said in SAID.values())


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("how", LITTLE)
def test_of_next_to_nothing_next_to_nothing_is_said(name: str, how: str) -> None:
    result = ask(name, damaged(how))
    check(name, result)
    if name not in UNGROUPED:
        check(name, ask(name, damaged(how), by=["feature", "user_id"], every="1D"))
    if how == "one trace":
        return
    assert result.notes
    if name != "document_changes":  # half of it is of good traces
        told = {column: values for column, values in numbers(result).items() if column != "budget_usd"}
        assert {column for column, values in told.items() if np.nansum(values)} == set()
        assert all(
            result[column].isna().all() for column in result if result[column].dtype == "Float64" and column in told
        )


@pytest.mark.parametrize(("name", "how"), [(name, how) for name, said in SAID.items() for how in said])
def test_what_is_missing_or_wrong_is_na_and_noted(name: str, how: str) -> None:
    result = ask(name, damaged(how))
    check(name, result)
    said = "\n".join(result.notes)
    assert re.search(SAID[name][how], said), said
    for unknown in UNKNOWN.get(how, {}).get(name, ()):
        of_measure = unknown not in result and "measure" in result
        told = result.loc[result["measure"] == unknown, "mean"] if of_measure else result[unknown]
        assert told.isna().all(), told
    if how == "no times" and name not in UNGROUPED:
        check(name, ask(name, damaged(how), by=["feature", "user_id"], every="1D"))


@pytest.mark.parametrize("name", MEASURES)
def test_what_a_measure_does_not_look_at_makes_no_difference(name: str) -> None:
    others = [how for how in DAMAGES if how not in SAID[name] and how not in LITTLE]
    expected, found = ask(name, damaged()), ask(name, damaged(*others))
    check(name, found)
    pd.testing.assert_frame_equal(pd.DataFrame(found), pd.DataFrame(expected))
    assert found.notes == expected.notes
