"""Wrong arguments of every measure: the error says which one, and what would be right."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import llmlens as ll
from llmlens.errors import ReadError, SelectionError, UnknownArgumentError, UnknownNameError

from .damaged import damaged
from .test_bad_input import MEASURES, UNGROUPED, ask

WITHOUT_BY = UNGROUPED - {"cost_audit"}
GROUPED = [name for name in MEASURES if name not in WITHOUT_BY]


@pytest.mark.parametrize("name", GROUPED)
def test_a_column_that_is_none_names_the_nearest_and_one_that_makes_no_groups_is_no_group(name: str) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'model'"):
        ask(name, damaged(), by="modle")
    with pytest.raises(UnknownNameError, match="'5'"):
        ask(name, damaged(), by=["feature", 5])
    with pytest.raises(SelectionError, match="by='tags'"):
        ask(name, damaged(), by="tags")


@pytest.mark.parametrize("name", [name for name in GROUPED if name != "cost_audit"])
def test_a_period_that_is_none_shows_one(name: str) -> None:
    for every in ("1 fortnight", 5, "0h"):
        with pytest.raises(SelectionError, match=r"every=.* is not a period.*'1D'"):
            ask(name, damaged(), every=every)


@pytest.mark.parametrize("name", MEASURES)
def test_an_argument_that_is_none_is_an_error_and_so_is_what_is_no_traces(name: str) -> None:
    with pytest.raises(UnknownArgumentError, match=rf"{name}\(\) has no argument 'bye'"):
        getattr(ll, name)(damaged(), bye="feature")
    for given in (damaged().spans, None, "incident.jsonl"):
        with pytest.raises(SelectionError, match=f"{name} takes Traces; (traces|before) is {type(given).__name__}"):
            ask(name, given)  # type: ignore[arg-type]  # that is the test


def test_a_view_is_told_to_give_its_selection() -> None:
    class View:
        selection = damaged()

    with pytest.raises(SelectionError, match=r"traces is View: traces\.selection has some"):
        ll.cost(View())  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize(
    ("name", "by"),
    [("cost", "cost_usd"), ("prompt_cache", "cost_usd"), ("agents", "depth"), ("loops", "cost_usd"),
     ("tools", "status"), ("sessions", "cost_usd"), ("users", "cost_usd"), ("latency", "duration_s")],
)  # fmt: skip
def test_what_is_measured_makes_no_groups(name: str, by: str) -> None:
    with pytest.raises(SelectionError, match=f"by='{by}': that is what is measured"):
        ask(name, damaged(), by=by)


WRONG: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    *(("budget", {"monthly": given}, SelectionError, "monthly=.* is not a budget") for given in (-5, 0, "100", None)),
    ("budget", {"monthly": 5, "at": "yesterdayish"}, SelectionError, "at='yesterdayish'"),
    *((name, {"seed": given} | more, SelectionError, "seed=") for given in ("x", -1, 0.5) for name, more in (
        ("budget", {"monthly": 5}), ("cost_per_goal", {}), ("duplicates", {}))),
    ("cost_per_goal", {"done": "helpfull >= 1"}, UnknownNameError, "Did you mean 'helpful'"),
    ("cost_per_goal", {"done": "statuss == 'ok'"}, UnknownNameError, "Did you mean 'status'"),
    ("cost_per_goal", {"done": 5}, SelectionError, "done=5 is no rule. Expected"),
    ("cost_per_goal", {"done": lambda _: "x"}, SelectionError, "done: the function gave str"),
    ("cost_per_goal", {"per": "sesion"}, UnknownArgumentError, "Did you mean 'session'"),
    ("duplicates", {"threshold": 85}, SelectionError, "threshold=85 is not a similarity"),
    *(("prompt_cache", {"life": given}, SelectionError, "life=.* is not a length of time") for given in ("x", 5, "0s")),
    *(("prompt_cache", {"least_tokens": given}, SelectionError, "least_tokens=") for given in ("x", -1, 1.5)),
    *(("cost_audit", {"prices": given}, ReadError, "prices is .*: expected") for given in (5, pd.DataFrame())),
    ("errors", {"rules": "x"}, SelectionError, "rules"),
    ("quality", {"name": "helpfull"}, UnknownNameError, "Did you mean 'helpful'"),
    ("quality", {"passing": {"helpfull": 1}}, UnknownNameError, "Did you mean 'helpful'"),
    ("quality", {"passing": "good"}, SelectionError, "passing: 'good' is not a condition"),
    ("slo", {"objective": "helpfull >= 1"}, UnknownNameError, "Did you mean 'helpful'"),
    ("slo", {"objective": "helpful"}, SelectionError, "objective='helpful': expected the name of a score"),
    ("slo", {"objective": "helpful >= 1", "target": 95}, SelectionError, "target=95.*95 % is 0.95"),
    ("slo", {"objective": "helpful >= 1", "days": 0}, SelectionError, "days=0"),
    *(("ranking", {"relevance": "metadata.relevant", "k": k}, SelectionError, "k=.*how many ranks") for k in (0, 1.5)),
    ("ranking", {"relevance": "relevant"}, SelectionError, "'metadata.relevant'"),
    ("ranking", {"relevance": lambda _: [1]}, SelectionError, "gave 1 numbers for 8 documents"),
    ("ranking", {"relevance": lambda rows: [-1] * len(rows)}, SelectionError, "0 or more; got -1"),
    ("document_changes", {"after": damaged(), "kind": "tool"}, SelectionError, "expected one of retriever, reranker"),
    ("document_changes", {"after": damaged(), "catalogue": "red"}, SelectionError, "catalogue='red': expected the ids"),
    ("document_changes", {"after": 5}, SelectionError, "after is int"),
    *(("instructions_in_documents", {"most": most}, SelectionError, "most=") for most in (0, "x", 1.5)),
    ("context_growth", {"windows": ["x"]}, SelectionError, "windows=.* expected tokens by model"),
    ("context_growth", {"windows": {"x": 0}}, SelectionError, "got 'x': 0"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "error", "said"), WRONG)
def test_the_error_names_the_argument(name: str, arguments: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        getattr(ll, name)(damaged(), **arguments)
