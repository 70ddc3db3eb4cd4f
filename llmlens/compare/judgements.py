"""Scores as numbers of traces: one judge's scores of one name and one kind are one measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from llmlens.measure.score_rows import with_kinds

from .measured import SCORE_BETTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmlens.traces import Traces

    from .measured import Better

_MOST_LABELS = 10


@dataclass(frozen=True)
class Judged:
    """A measure made of scores: the value of each trace on either side, by trace id."""

    name: str
    measure: str
    statistics: tuple[str, ...]
    better: Better
    a: pd.Series[float]
    b: pd.Series[float]
    note: str = ""


def judged(a: Traces, b: Traces) -> list[Judged]:
    """Give the measures that the scores of two selections make.

    Repeated judgements of a trace, or of its spans, are averaged. Numbers give their mean and the tail that is worse
    (P5, or P95 where lower is better); true and false, and numbers that are all 0 or 1, the share that passes;
    categories the share of each of the ten commonest. Where a name has scores of several kinds or sources (a person is
    not a judge), each is a measure of its own. Texts and corrections are not counted, nor scores of sessions alone.
    """
    scores = pd.concat([_kinds(each.scores, side) for each, side in ((a, "a"), (b, "b"))], ignore_index=True)
    found = []
    for name, of_name in scores.groupby("name", sort=True):
        groups = list(of_name[of_name["usable"]].groupby(["kind", "source"], sort=True))
        if not groups:
            nothing = pd.Series(dtype=float)
            why = "only sessions were judged, or in free text"
            found.append(Judged(str(name), str(name), ("mean",), "", nothing, nothing, why))
        several = {place: len(set(of_name.loc[of_name["usable"], place])) > 1 for place in ("source", "kind")}
        for (kind, source), rows in groups:
            told = [str(key) for key, place in ((source, "source"), (kind, "kind")) if several[place]]
            measure = f"{name} ({', '.join(told)})" if told else str(name)
            found += _measures(str(name), measure, str(kind), rows)
    return found


def _kinds(scores: pd.DataFrame, side: str) -> pd.DataFrame:
    """Add what kind each score is of, and whether it can be counted for a trace."""
    scores = with_kinds(scores)
    usable = scores["usable"] & scores["trace_id"].notna()
    return scores.assign(side=side, usable=usable, source=scores["source"].fillna("unknown source"))


def _measures(name: str, measure: str, kind: str, rows: pd.DataFrame) -> Iterator[Judged]:
    better = SCORE_BETTER.get(name, "higher")
    if kind == "categorical":
        for label in rows["label"].value_counts().index[:_MOST_LABELS]:
            values = (rows["label"] == label).astype(float)
            yield Judged(name, f"{measure}: {label}", ("share",), "", *_sides(rows, values))
        return
    values = rows["value"].astype(float)
    passes = kind == "boolean" or bool(values.isin([0, 1]).all())
    statistics = ("share",) if passes else ("mean", "P95" if better == "lower" else "P5")
    yield Judged(name, measure, statistics, better, *_sides(rows, values))


def _sides(rows: pd.DataFrame, values: pd.Series[float]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    averaged = values.groupby([rows["side"], rows["trace_id"]]).mean()
    nothing = pd.Series(dtype=float)
    a, b = (averaged.xs(side) if side in averaged.index.get_level_values(0) else nothing for side in ("a", "b"))
    return a, b
