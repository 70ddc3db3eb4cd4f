"""Random small forests of spans, for tests that hold a measure against a plain loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from hypothesis import strategies as st

from llmlens.traces import Traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = pd.Timestamp("2026-01-01", tz="UTC")
KINDS = ("llm", "agent", "tool", "chain")

#: Numbers of tokens of which some are others, or sums of others, or nearly so.
_TOKENS = (0, 5, 20, 25, 30, 50)
#: What lies within one forest.
_WHOLE = ("trace_id", "session_id", "user_id")


def _span(kinds: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw what a span is, and where it is to stand."""
    return st.fixed_dictionaries(
        {
            "trace": st.integers(0, 3),
            "above": st.integers(0, 6),
            "kind": st.sampled_from(kinds),
            "agent": st.sampled_from("xyz"),
            "feature": st.sampled_from(["a", "b"]),
            "start": st.integers(0, 500),
            "seconds": st.integers(0, 60),
            "tokens": st.one_of(st.none(), st.sampled_from(_TOKENS), st.integers(0, 500)),
            "cost": st.one_of(st.none(), st.integers(0, 3)),
            "failed": st.booleans(),
        }
    )


def _rows(drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make rows of spans: each one below an earlier one of its trace, or a root."""
    rows: list[dict[str, Any]] = []
    for number, each in enumerate(drawn):
        family = [row for row in rows if row["trace_id"] == f"t{each['trace']}"]
        above = family[each["above"]]["span_id"] if each["above"] < len(family) else None
        begun = START + pd.Timedelta(seconds=each["start"] * 1000 + number)
        rows.append(
            {
                "trace_id": f"t{each['trace']}",
                "span_id": f"s{number:02d}",
                "parent_id": above,
                "kind": each["kind"],
                "name": each["kind"],
                "agent_name": f"agent {each['agent']}" if each["kind"] == "agent" else None,
                "session_id": f"session {each['trace'] // 2}" if each["trace"] < 3 else None,
                "user_id": f"user {each['trace'] % 2}",
                "feature": f"{each['trace'] % 2}",
                "model": f"model {each['feature']}",
                "start": begun,
                "end": begun + pd.Timedelta(seconds=each["seconds"]),
                "input_tokens": each["tokens"],
                "output_tokens": 0 if each["tokens"] is not None else None,
                "cost_usd": None if each["cost"] is None else float(each["cost"]),
                "status": "error" if each["failed"] else "ok",
            }
        )
    return rows


def groves(*kinds: str) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    """Draw forests, as rows of spans of these kinds, that `told` loads together, each an environment of its own."""
    forests = st.lists(_span(kinds or KINDS), min_size=5, max_size=14).map(_rows)
    return st.lists(forests, min_size=1, max_size=8)


def chain(*said: tuple[str, int | None]) -> list[dict[str, Any]]:
    """Make rows of one trace, each span below the one before: kind and cost, and no tokens."""
    plain = {"trace": 0, "agent": "x", "feature": "a", "start": 0, "seconds": 1, "tokens": None, "failed": False}
    return _rows([plain | {"above": place - 1 if place else 9, "kind": kind, "cost": cost}
                  for place, (kind, cost) in enumerate(said)])  # fmt: skip


def traces_of(rows: list[dict[str, Any]]) -> Traces:
    """Build traces of rows of spans."""
    frame = pd.DataFrame(rows).astype({"input_tokens": "Int64", "output_tokens": "Int64", "cost_usd": "Float64"})
    return Traces.from_frames({"spans": frame.astype({"parent_id": "str", "agent_name": "str", "session_id": "str"})})


def told(
    ask: Callable[..., pd.DataFrame], grove: list[list[dict[str, Any]]], **options: Any
) -> Iterator[tuple[list[dict[str, Any]], pd.DataFrame]]:
    """Give each forest of a grove and what a measure says of it, by environment; without groups where it is alone."""
    if len(grove) == 1:
        yield grove[0], ask(traces_of(grove[0]), **options)
        return
    rows = [
        row | {name: row[name] and f"{row[name]} of {place}" for name in _WHOLE} | {"environment": f"{place}"}
        for place, forest in enumerate(grove)
        for row in forest
    ]
    frame = ask(traces_of(rows), by="environment", **options)
    assert set(frame["environment"]) <= {f"{place}" for place in range(len(grove))}
    for place, forest in enumerate(grove):
        yield forest, frame[frame["environment"] == f"{place}"]


def described(rows: pd.DataFrame, measure: str) -> dict[str, float]:
    """Give n, mean and max of a measure, of the one group there is."""
    found = rows[rows["measure"] == measure]
    return {} if found.empty else {name: float(found[name].iloc[0]) for name in ("n", "mean", "max")}


def plainly(values: list[float]) -> dict[str, float]:
    """Give the same of values by hand; nothing of none."""
    return {"n": len(values), "mean": sum(values) / len(values), "max": max(values)} if values else {}
