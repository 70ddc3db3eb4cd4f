"""`agreement`: how far those who judged the same things judged alike, and where they did not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError, unknown
from llmlens.measure.shape import Result
from llmlens.read.scores import complete_scores
from llmlens.statistics.resampling import percentile_interval
from llmlens.traces import HasFrame, Traces

from .disagreements import disagreements
from .reliability import Level, cohen_kappa, fleiss_kappa, krippendorff_alpha, rated_alike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import plotly.graph_objects as go

    from .reliability import Ratings

#: With fewer items, an interval by resampling them says little, and a number without one says too much.
_MIN_ITEMS = 10
_DRAWS = 1000
_ITEM = ["trace_id", "span_id", "session_id"]
_BY = ("author", "source")
_COLUMNS = ["statistic", "level", "value", "low", "high", "n_items", "n_raters", "note"]


class Agreement(Result):
    """A row a statistic; `.disagreements` has the items that were not judged alike, the most disputed first."""

    _metadata = ["_figure", "_disagreements"]  # noqa: RUF012  # the name and form that pandas asks for
    _disagreements: pd.DataFrame | None = None

    @property
    def _constructor(self) -> type[Agreement]:
        return Agreement

    @property
    def disagreements(self) -> pd.DataFrame:
        """A row an item: its ids, `n` ratings, `disagreement` and the value of each rater."""
        if self._disagreements is None:
            raise SelectionError("This frame was made from an agreement by an operation that lost its disagreements.")
        return self._disagreements


@explains_arguments
def agreement(
    scores: Traces | HasFrame | pd.DataFrame,
    name: str,
    by: str = "author",
    *,
    order: Sequence[str] | None = None,
    seed: int = 0,
) -> Agreement:
    """Measure how far raters agree on the score `name`, beyond what chance makes of it.

    `scores`: traces, a store of labels, or a frame of the `scores` table. `by`: who is a rater, `"author"`, or
    `"source"` for people against judges. `order`: the categories from low to high, where they have an order.

    One row a statistic: `statistic`, `level` (nominal, ordinal or interval: what a difference is), `value` (1 is
    perfect, 0 what chance gives), `low` and `high` (95 %, drawing items again 1,000 times; the same `seed` gives the
    same), `n_items` (those that it is about), `n_raters`, `note` (why there is no value). Cohen's kappa is for two
    raters, weighted by the difference for ordinal and by its square for interval values; Fleiss' kappa is over the
    items with the most common number of ratings; Krippendorff's alpha over all with at least two. The last judgement
    of a rater on an item counts. With fewer than 10 items the value is NA.

    Raises `UnknownNameError` for a score that does not exist, `SelectionError` for one that has no agreement: a free
    text, or a mix of numbers and categories.
    """
    if by not in _BY:
        what = "column that tells raters apart:"
        raise unknown(what, str(by), _BY)
    rated, n_anonymous = _ratings_of(scores, name, by)
    values, levels = _values(rated, name, order)
    judged = rated.assign(value=values.astype(float)).set_index([*_ITEM, by])["value"]
    table = judged.unstack(by)  # noqa: PD010  # a table of items by raters is meant
    matrix = table.to_numpy()
    anonymous = f"; {n_anonymous:,} scores without {by} left out" if n_anonymous else ""
    rows = []
    for statistic, level, compute, chosen in _statistics(matrix, levels):
        rows.append([statistic, level, *_estimate(chosen, compute, seed, anonymous)])
    made = Agreement(pd.DataFrame(rows, columns=_COLUMNS).astype(dict.fromkeys(("value", "low", "high"), "Float64")))
    object.__setattr__(made, "_figure", _draw)
    object.__setattr__(made, "_disagreements", disagreements(table, rated, by, nominal=levels == ("nominal",)))
    return made


def _ratings_of(scores: Traces | HasFrame | pd.DataFrame, name: str, by: str) -> tuple[pd.DataFrame, int]:
    """Give the last judgement of each rater on each item, and how many were left out as nobody's."""
    if isinstance(scores, Traces):
        frame = scores.scores
    else:
        frame = complete_scores(scores.frame() if isinstance(scores, HasFrame) else scores)
    if name not in set(frame["name"].dropna()):
        what = "score"
        raise unknown(what, str(name), set(frame["name"].dropna()))
    frame = frame[(frame["name"] == name) & (frame["value"].notna() | frame["label"].notna())]
    named = frame[frame[by].notna()].copy()
    named[_ITEM] = named[_ITEM].astype(object).where(named[_ITEM].notna(), None)
    named = named.sort_values(["created", "score_id"], na_position="first", kind="stable")
    return named.drop_duplicates([*_ITEM, by], keep="last"), len(frame) - len(named)


def _values(rated: pd.DataFrame, name: str, order: Sequence[str] | None) -> tuple[pd.Series[Any], tuple[Level, ...]]:
    """Give the judgements as numbers, and the levels on which they can be compared."""
    types = set(rated["data_type"].dropna())
    if types & {"text", "correction"}:
        raise SelectionError(f"The score {name!r} is a free text: whether two of them agree is not for counting.")
    labelled = rated["label"].notna()
    if labelled.any() and not labelled.all():
        raise SelectionError(f"The score {name!r} has numbers and categories; agreement needs one kind. Select one.")
    if not labelled.any():
        if order is not None:
            raise SelectionError(f"order= is for categories; the score {name!r} has numbers, which have one.")
        return rated["value"], ("nominal",) if types == {"boolean"} else get_args(Level)
    known = sorted(set(rated["label"])) if order is None else list(order)
    if lacking := sorted(set(rated["label"]) - set(known)):
        raise SelectionError(f"order= lacks categories of the score {name!r}: {', '.join(map(repr, lacking))}.")
    places = rated["label"].map({label: place for place, label in enumerate(known)})
    return places, ("nominal",) if order is None else ("nominal", "ordinal")


def _statistics(
    ratings: Ratings, levels: tuple[Level, ...]
) -> Iterator[tuple[str, Level, Callable[[Ratings], float], Ratings]]:
    """Give the statistics that can be asked for, each with the items that it is about."""
    if ratings.shape[1] == 2:
        both = ratings[~np.isnan(ratings).any(axis=1)]
        for power, level in enumerate(levels):
            yield "Cohen's kappa", level, partial(cohen_kappa, power=power), both
    yield "Fleiss' kappa", "nominal", fleiss_kappa, rated_alike(ratings)
    several = ratings[(~np.isnan(ratings)).sum(axis=1) > 1]
    for level in levels:
        yield "Krippendorff's alpha", level, partial(krippendorff_alpha, level=level), several


def _estimate(ratings: Ratings, compute: Callable[[Ratings], float], seed: int, more: str) -> list[Any]:
    """Give value, interval, the numbers of items and raters, and why there is no value."""
    counts = [len(ratings), int((~np.isnan(ratings)).any(axis=0).sum())]
    if len(ratings) < _MIN_ITEMS:
        note = f"too few: {len(ratings)} items were judged by more than one; at least {_MIN_ITEMS} are needed{more}"
        return [pd.NA, pd.NA, pd.NA, *counts, note]
    value = compute(ratings)
    if np.isnan(value):
        return [pd.NA, pd.NA, pd.NA, *counts, f"all were judged the same, which chance would give as well{more}"]
    interval = percentile_interval(ratings, compute, draws=_DRAWS, seed=seed)
    told = [pd.NA if np.isnan(bound) else bound for bound in interval]
    note = "too few judgements differ for an interval" if told[0] is pd.NA else ""
    return [value, *told, *counts, (note + more).removeprefix("; ")]


def _draw(frame: pd.DataFrame) -> go.Figure:
    import plotly.graph_objects as go

    from llmlens.theme import figure_template

    shown = frame[frame["value"].notna()]
    value, low, high = (shown[column].astype(float) for column in ("value", "low", "high"))
    figure = go.Figure(layout={"template": figure_template(), "title": {"text": "Agreement"}})
    figure.add_scatter(
        x=value,
        y=shown["statistic"] + ", " + shown["level"],
        mode="markers",
        error_x={"array": high - value, "arrayminus": value - low},
        hovertemplate="%{y}<br>%{x:.3f}<extra></extra>",
    )
    figure.update_layout(xaxis={"range": [min(-0.05, low.min() if len(low) else 0), 1.05]}, yaxis_autorange="reversed")
    return figure
