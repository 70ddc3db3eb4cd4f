"""`compare`: two prompt versions, models or releases, measure by measure and slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

import numpy as np
import pandas as pd

from llmlens.arguments import explains_arguments
from llmlens.errors import SelectionError
from llmlens.json_values import is_key
from llmlens.keyed import keyed
from llmlens.measure.shape import Result, columns_by
from llmlens.schema import SPANS
from llmlens.statistics.multiple import benjamini_hochberg

from .contrasts import MIN_UNITS, Contrast, contrast, percentile
from .design import by_stratum, design, named
from .judgements import Judged, judged
from .measured import Measured, chosen_measures
from .observations import observations
from .selections import as_traces, check_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import plotly.graph_objects as go

    from llmlens.traces import Traces

_COLUMNS = ["measure", "statistic", "a", "b", "difference", "low", "high", "p", "q", "verdict", "n_a", "n_b", "how"]
_COLUMNS += ["detectable", "note"]
_NUMBERS = ["a", "b", "difference", "low", "high", "p", "q", "detectable"]
_LEVEL = 0.05
_MOST_SLICES = 100


class Comparison(Result):
    """A row a measure and statistic; `.slices` has the same of each slice, `.reversals` those that got worse unseen."""

    _metadata = ["_figure", "_slices", "_reversals"]  # noqa: RUF012  # the name and form that pandas asks for
    _slices: Result | None = None
    _reversals: Result | None = None

    @property
    def _constructor(self) -> type[Comparison]:
        return Comparison

    @property
    def slices(self) -> Result:
        """The same columns for each slice, after those of `by`; q is over all slices."""
        return self._kept(self._slices)

    @property
    def reversals(self) -> Result:
        """The slices in which b is worse (q <= 0.05) although over all it is no worse (Simpson's paradox)."""
        return self._kept(self._reversals)

    def _kept(self, part: Result | None) -> Result:
        if part is None:
            raise SelectionError("This frame was made from a comparison by an operation that lost its slices.")
        return part


@explains_arguments
def compare(
    a: Traces,
    b: Traces,
    *,
    by: str | Iterable[str] | None = None,
    measures: Iterable[str | Measured] | str | Measured | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare two selections, such as two prompt versions, models or releases: b against a.

    `by`: the columns of spans that make the strata and slices, by default `feature`. `measures`: names of measures
    (`llmlens.compare.measured.MEASURES`) or of scores, or `Measured` of your own; by default all of both.

    One row a measure and statistic: `measure`, `statistic` (mean, share, P5, P95, P99, max), `a`, `b`, `difference`
    (b - a), `low` and `high` (95 %), `p` (two-sided), `q` (p corrected over the rows, Benjamini-Hochberg), `verdict`
    (better, worse or, where neither way is better, differs: when q <= 0.05), `n_a`, `n_b` (traces), `how`,
    `detectable` (the smallest true difference that would be seen in four of five such samples), `note`.

    `how` is "paired" where at least half of the traces of the smaller side have an input that recurs on the other
    (repeats are averaged): that takes out what the inputs differ by. Else it is "mix-adjusted": b is what it would be
    with a's mix of strata; strata of one side only are named and left out. "plain" is left where there are no strata.

    Intervals of means are studentised bootstraps, those of percentiles bias-corrected bootstraps of the order
    statistics, those of shares are Miettinen and Nurminen's (of pairs Jeffreys'). P5 and P95 need 200 traces on each
    side, P99 needs 500; a maximum has no interval. What there is too little of is NA. The sources are with the
    functions in `llmlens.statistics`.

    `.slices` has the same for each slice (the 100 largest), `.reversals` the slices that b made worse although it made
    the whole no worse. `.plot()` draws all of it that has an interval.

    >>> versions = ll.versions(traces)  # doctest: +SKIP
    >>> ll.compare(*versions.selections(0))  # doctest: +SKIP

    Raises `UnknownNameError` for a column or measure that there is not, `SelectionError` for what makes no comparison.
    """
    traces_a, traces_b = as_traces(a, "compare", "a"), as_traces(b, "compare", "b")
    check_seed(seed)
    strata = columns_by(by, taken=("trace_id", "span_id", *_COLUMNS)) or ["feature"]
    traces_a, traces_b = keyed(traces_a, strata), keyed(traces_b, strata)
    scores = judged(traces_a, traces_b)
    chosen = chosen_measures(measures, sorted({each.name for each in scores}))
    for each in chosen:
        for statistic in each.statistics if isinstance(each, Measured) else ():
            percentile(statistic)
    frames = observations(traces_a, strata), observations(traces_b, strata)
    wanted = [made for each in chosen for made in _judged(each, scores, *frames)]
    about = _about(*frames)
    whole = pd.DataFrame(_rows(wanted, frames, seed, about=about), columns=_COLUMNS)
    whole = _finished(whole, wanted)
    slices = _slices(wanted, *frames, strata, seed)
    reversals = _reversals(whole, slices)
    if len(reversals):
        whole["note"] = _with_reversals(whole, reversals, strata)
    made = Comparison(whole)
    for attribute, value in (("_figure", _draw), ("_slices", _result(slices)), ("_reversals", _result(reversals))):
        object.__setattr__(made, attribute, value)
    return made


def _judged(each: str | Measured, scores: list[Judged], a: pd.DataFrame, b: pd.DataFrame) -> list[Judged]:
    """Give the values of what was asked for, by trace."""
    if isinstance(each, str):
        return [score for score in scores if score.name == each]
    return [Judged(each.name, each.name, each.statistics, each.better, each.values(a), each.values(b))]


def _about(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Say what is wrong with the two sides as such."""
    if empty := [name for name, side in (("a", a), ("b", b)) if side.empty]:
        return " and ".join(empty) + (" are empty" if len(empty) > 1 else " is empty")
    both = len(a.index.intersection(b.index))
    return f"{both:,} traces are on both sides, which draws the difference to 0" if both else ""


def _rows(
    wanted: list[Judged], frames: tuple[pd.DataFrame, pd.DataFrame], seed: int, *, slice_name: str = "", about: str = ""
) -> Iterator[list[Any]]:
    for measured in wanted:
        a, b = (
            side[["prompt", "stratum"]].join(values.rename("value"), how="inner").dropna(subset="value")
            for side, values in zip(frames, (measured.a, measured.b), strict=True)
        )
        for statistic in measured.statistics:
            label = f"{measured.measure}\n{statistic}\n{slice_name}"
            random = np.random.default_rng([seed, crc32(label.encode())])
            yield [measured.measure, statistic, *_row(a, b, statistic, random, [measured.note, about])]


def _row(a: pd.DataFrame, b: pd.DataFrame, statistic: str, random: np.random.Generator, notes: list[str]) -> list[Any]:
    if a.empty or b.empty:
        where = "on either side" if a.empty and b.empty else f"in {'a' if a.empty else 'b'}"
        found, counts, how = Contrast(note="" if any(notes) else f"not known {where}"), [len(a), len(b)], ""
    else:
        chosen = design(a, b)
        found, counts, how = contrast(chosen, statistic, random), [chosen.n("a"), chosen.n("b")], chosen.how
        notes = [*notes, chosen.note]
    e = found.estimate
    note = "; ".join(note for note in (found.note, *notes) if note)
    return [found.a, found.b, e.value, e.low, e.high, e.p, np.nan, "", *counts, how, e.detectable, note]


def _finished(rows: pd.DataFrame, wanted: list[Judged]) -> pd.DataFrame:
    """Correct the p-values, say which way is worse, and give every column its dtype."""
    rows = rows.astype(dict.fromkeys(_NUMBERS, float)).replace([np.inf, -np.inf], np.nan)
    rows["q"] = benjamini_hochberg(rows["p"])
    ways = {measured.measure: {"higher": 1, "lower": -1, "": 0}[measured.better] for measured in wanted}
    way = np.array([ways[measure] for measure in rows["measure"]]) * np.sign(rows["difference"].to_numpy())
    told = ((rows["q"] <= _LEVEL) & (rows["difference"] != 0)).to_numpy()
    rows["verdict"] = np.select([~told, way > 0, way < 0], ["", "better", "worse"], "differs")
    texts = ("measure", "statistic", "verdict", "how", "note")
    dtypes = dict.fromkeys(_NUMBERS, "Float64") | dict.fromkeys(("n_a", "n_b"), "Int64") | dict.fromkeys(texts, "str")
    return rows.astype(dtypes)


def _slices(wanted: list[Judged], a: pd.DataFrame, b: pd.DataFrame, strata: list[str], seed: int) -> pd.DataFrame:
    """Compare within each stratum that both sides have, the largest first."""
    groups_a, groups_b = by_stratum(a), by_stratum(b)
    common = [stratum for stratum in groups_a if stratum in groups_b]
    common = [each for each in common if min(len(groups_a[each]), len(groups_b[each])) >= MIN_UNITS]
    common.sort(key=lambda each: (-len(groups_a[each]) - len(groups_b[each]), named([each])))
    rows = [
        [*cast("tuple[Any, ...]", stratum), *row]
        for stratum in common[:_MOST_SLICES]
        for row in _rows(wanted, (groups_a[stratum], groups_b[stratum]), seed, slice_name=named([stratum]))
    ]
    frame = pd.DataFrame(rows, columns=[*strata, *_COLUMNS])
    texts = [name for name in strata if is_key(name) or SPANS[name].dtype == "text"]
    return _finished(frame, wanted).astype(dict.fromkeys(texts, "str"))


def _reversals(whole: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    key = ["measure", "statistic"]
    overall = whole.set_index(key)["verdict"]
    of_whole = overall.reindex(pd.MultiIndex.from_frame(slices[key])).to_numpy()
    unseen: pd.DataFrame = slices[(slices["verdict"] == "worse") & (of_whole != "worse")]
    return unseen.reset_index(drop=True)


def _with_reversals(whole: pd.DataFrame, reversals: pd.DataFrame, strata: list[str]) -> pd.Series[str]:
    """Name in the row of the whole the slices that say otherwise."""
    notes = whole["note"].tolist()
    for place, key in enumerate(zip(whole["measure"], whole["statistic"], strict=True)):
        rows = reversals[(reversals["measure"] == key[0]) & (reversals["statistic"] == key[1])]
        if worse := list(rows[strata].itertuples(index=False, name=None)):
            told = f"but worse in {named(worse)}"
            notes[place] = "; ".join(note for note in (told, notes[place]) if note)
    return pd.Series(notes, index=whole.index, dtype="str")


def _result(frame: pd.DataFrame) -> Result:
    made = Result(frame)
    object.__setattr__(made, "_figure", _draw)
    return made


def _draw(frame: pd.DataFrame) -> go.Figure:
    from .forest import forest

    return forest(frame)
