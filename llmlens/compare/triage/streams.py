"""One sign in one slice over time: a value a trace, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llmlens.statistics.estimate import Estimate
from llmlens.statistics.means import sum_of_means
from llmlens.statistics.shares import difference_of_shares

from .signs import SCORE, SIGNS, score_sign
from .sources import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from llmlens.traces import Traces

    from .signs import Sign

#: Slices with fewer traces are not followed.
_LEAST = 60


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The values of a sign in a slice, of the baseline's traces first (the first `begin`), in order of time.

    `slice` is None where the traces are those that have no feature (or model, or tool).
    """

    sign: Sign
    slice: str | None
    trace_ids: npt.NDArray[np.object_]
    start: npt.NDArray[np.datetime64]
    numbers: npt.NDArray[np.float64]
    begin: int

    def difference(self, inside: npt.NDArray[np.bool_], random: np.random.Generator) -> Estimate:
        """Estimate how much higher the values inside are than those of the baseline, or of the rest without one."""
        rest = self.usual(inside)
        ours, theirs = self.numbers[inside], self.numbers[rest]
        if min(len(ours), len(theirs)) < 2:
            return Estimate.unsure(float("nan"))
        if self.sign.unit == "share":
            return difference_of_shares((float(theirs.mean()), len(theirs)), (float(ours.mean()), len(ours)))
        return sum_of_means([(1.0, ours), (-1.0, theirs)], random)

    def usual(self, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Mark the values that tell what is usual."""
        return ~inside if not self.begin else np.arange(len(inside)) < self.begin


def streams(traces: Traces, baseline: Traces | None) -> Iterator[Stream]:
    """Give the streams of all signs and scores that are long enough."""
    for source in SOURCES:
        rows = _rows(source, traces, baseline)
        for sign in _of_scores(rows) if source == "scores" else [each for each in SIGNS if each.source == source]:
            for name, of_slice in rows.groupby(sign.slice, sort=True, dropna=False):
                stream = _stream(sign, None if pd.isna(name) else str(name), of_slice)
                if len(stream.numbers) >= _LEAST:
                    yield stream


def _rows(source: str, traces: Traces, baseline: Traces | None) -> pd.DataFrame:
    found = [SOURCES[source](traces).assign(new=True)]
    if baseline is not None:
        found.append(SOURCES[source](baseline).assign(new=False))
    rows = pd.concat(found, ignore_index=True)
    return rows[rows["start"].notna()].sort_values(["new", "start", "trace_id"], kind="stable", ignore_index=True)


def _stream(sign: Sign, name: str | None, rows: pd.DataFrame) -> Stream:
    """Average the values of each trace: what happens within one is not independent."""
    known = rows[rows[sign.column].notna()]
    traces = known.groupby("trace_id", sort=False)
    values = traces[sign.column].mean().to_numpy(float)
    first = traces[["start", "new"]].first()
    return Stream(
        sign=sign,
        slice=name,
        trace_ids=first.index.to_numpy(object),
        start=first["start"].to_numpy("datetime64[us]"),
        numbers=values,
        begin=int((~first["new"].astype(bool)).sum()),
    )


def _of_scores(rows: pd.DataFrame) -> list[Sign]:
    names = [str(name) for name in rows.columns if str(name).startswith(SCORE)]
    return [score_sign(name, share=bool(rows[name].dropna().isin([0, 1]).all())) for name in names]
