"""How good answers are, by the scores they were given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from llmlens.errors import SelectionError, unknown

from .asking import takes_traces
from .condition import Condition
from .estimates import interval_dtypes, mean_columns, quantile_columns, share_columns
from .grouping import groups_in, marked, rows_of
from .interval_figures import intervals
from .score_rows import averaged, score_rows
from .shape import Result, columns_by, result

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from llmlens.traces import Traces

#: What passes: a number to reach, a condition such as "<= 0.2", or either by name of the score.
Passing: TypeAlias = float | str | Mapping[str, float | str]

_MEASURED = {"n": "Int64", **interval_dtypes("mean", "p5", "p10", "pass_rate")}
_TOLD = ["name", "source", "kind"]


@takes_traces
def quality(
    traces: Traces,
    by: str | Iterable[str] | None = None,
    every: str | None = None,
    name: str | Iterable[str] | None = None,
    passing: Passing | None = None,
) -> Result:
    """Describe the scores of traces, by name, source (human, judge, code or user) and kind.

    `by`: a column of spans or several; a trace is in the group that all its spans, else its root, say. `every`: a time
    bucket, such as `"1D"`, by the start of the trace that was judged. `name`: the scores to look at. `passing`: what
    passes: the number that must be reached (`0.7`), a condition (`"<= 0.2"`, `"== 'good'"`), or either by name of the
    score. Without it true passes, and 1 of scores that are all 0 or 1.

    One row a group, bucket, name, source and kind: the columns of `by`, `period` (with `every`), `name`, `source`,
    `kind` (numeric, boolean or categorical), `n` (traces, or sessions where those were judged; several judgements of
    one are averaged), `mean`, `p5`, `p10` (the bad end, where more is better), `pass_rate`, each with `_low` and
    `_high`: a 95 % interval. That of the mean is bootstrapped, those of P5 and P10 lie between order statistics, that
    of a share (the pass rate, and the mean of what is 0 or 1) is Wilson's. They take traces for independent.

    NA is what too few scores say: no interval of a mean below 10, no P5 below 20 and no P10 below 10. `.notes` says
    which names have scores of several kinds (each has its rows), and for which nothing says what passes.

    Raises `UnknownNameError` for a column or a score, `SelectionError` for a period or a condition.
    """
    names = columns_by(by, taken=(*_TOLD, *_MEASURED, "start", "end"))
    rows, uncounted = score_rows(traces, names, every)
    known = sorted(set(rows["name"]))
    rows = rows[rows["name"].isin(_wanted(name, known, "score"))]
    rules = _rules(passing, known)
    rows, untold = _passes(rows, rules)
    keys = [*marked(names, every), *_TOLD]
    units = averaged(rows, keys, ["value", "passes"])
    graded = _graded(rows)
    found = [
        {**key, "n": len(group), **_described(group, numeric=(key["name"], key["kind"]) in graded)}
        for key, group in groups_in(units, keys)
    ]
    notes = [uncounted, *_mixed(rows), *untold]
    if not known:
        notes = [uncounted, "There are no scores: traces.with_scores(frame) adds some."]
    return result(rows_of(found, units, keys, _MEASURED), _draw, notes)


def _wanted(name: str | Iterable[str] | None, known: list[str], what: str) -> list[str]:
    asked = known if name is None else [name] if isinstance(name, str) or not isinstance(name, Iterable) else list(name)
    for each in asked:
        if known and each not in known:
            raise unknown(what, str(each), known)
    return asked


def _rules(passing: object, known: list[str]) -> dict[str, Condition]:
    """Give the condition of each name of a score."""
    if passing is None:
        return {}
    if isinstance(passing, Mapping):
        _wanted(list(passing), known, "score (in passing)")
        return {str(name): _condition(each) for name, each in passing.items()}
    return dict.fromkeys(known, _condition(passing))


def _condition(given: object) -> Condition:
    if isinstance(given, str):
        return Condition.of(given, "passing")
    if isinstance(given, Real) and not isinstance(given, bool) and given == given:  # noqa: PLR0124  # not NaN
        return Condition(">=", float(given))
    raise SelectionError(f"passing={given!r}: expected a number to reach, a condition such as '<= 0.2', or a mapping.")


def _passes(rows: pd.DataFrame, rules: dict[str, Condition]) -> tuple[pd.DataFrame, list[str]]:
    """Add whether each score passes, NaN where nothing says what does; and say where that is."""
    passes, notes = pd.Series(float("nan"), index=rows.index, dtype=float), []
    for (name, kind), group in rows.groupby(["name", "kind"], sort=True):
        if name in rules:
            passes[group.index] = rules[str(name)].met(group)
        elif kind != "categorical" and bool(group["value"].isin([0, 1]).all()):
            passes[group.index] = group["value"].astype(float)
        elif kind == "categorical":
            notes.append(f"{name}: labels have no order; passing={{{name!r}: \"== 'good'\"}} would say which passes.")
    return rows.assign(passes=passes), notes


def _graded(rows: pd.DataFrame) -> set[tuple[str, str]]:
    """Give the name and kind of scores that are more than a yes or a no."""
    graded = rows.loc[(rows["kind"] == "numeric") & ~rows["value"].isin([0, 1]), ["name", "kind"]].drop_duplicates()
    return set(zip(graded["name"], graded["kind"], strict=True))


def _described(group: pd.DataFrame, *, numeric: bool) -> dict[str, Any]:
    """Describe the units of a group; the mean of what is 0 or 1 is a share, and has no percentiles."""
    values, passes = (group[name].dropna().to_numpy() for name in ("value", "passes"))
    found = share_columns("pass_rate", float(passes.sum()), len(passes))
    if not numeric:
        return found | share_columns("mean", float(values.sum()), len(values))
    return (
        found
        | mean_columns("mean", values)
        | quantile_columns("p5", values, 0.05)
        | quantile_columns("p10", values, 0.1)
    )


def _mixed(rows: pd.DataFrame) -> list[str]:
    kinds = rows.groupby("name", sort=True)["kind"].unique()
    return [
        f"{name}: its scores are of several kinds ({', '.join(sorted(of_name))}), which are not mixed: a row each."
        for name, of_name in kinds.items()
        if len(of_name) > 1
    ]


def _draw(frame: pd.DataFrame) -> go.Figure:
    told = frame[frame["mean"].notna()]
    by = list(frame.columns[: list(frame.columns).index("name")])
    names = [*by, *(name for name in _TOLD if name == "name" or len(told[name].unique()) > 1)]
    return intervals(told, "mean", names, title="Mean score", unit="score")
