"""The stretch of a stream that is unlike the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd

from llmlens.statistics.segments import odd_segment

if TYPE_CHECKING:
    import numpy.typing as npt

    from llmlens.statistics.estimate import Estimate

    from .streams import Stream

#: Rhythm of the day: so many parts, taken out where there are so many days.
_PARTS, _DAYS = 8, 3
_SECONDS_A_DAY = 86_400
#: Less is no incident, however sure: of a share, of any other number relative to what it was.
_LEAST_SHARE, _LEAST_RELATIVE = 0.02, 0.1


@dataclass(frozen=True, eq=False)
class Change:
    """What is unlike the rest: `inside` marks the values of the stretch; `z` and `p` are of its search."""

    stream: Stream
    inside: npt.NDArray[np.bool_]
    lasts: bool
    before: float
    after: float
    z: float
    p: float
    seed: int

    @cached_property
    def estimate(self) -> Estimate:
        """The difference to what is usual."""
        return self.stream.difference(self.inside, generator(self.stream, self.seed))

    @property
    def since(self) -> np.datetime64:
        """The start of the first trace of the stretch."""
        start: np.datetime64 = self.stream.start[self.inside][0]
        return start

    @property
    def until(self) -> np.datetime64 | None:
        """The start of its last trace; None where it lasts to the end."""
        return None if self.lasts else self.stream.start[self.inside][-1]

    @property
    def trace_ids(self) -> set[str]:
        """The traces of the stretch."""
        return set(self.stream.trace_ids[self.inside])

    @property
    def worse(self) -> bool | None:
        """Whether it got worse; None where neither way is."""
        better = self.stream.sign.better
        return (self.after > self.before) == (better == "lower") if better else None

    @property
    def matters(self) -> bool:
        """Whether it is large enough for somebody to care."""
        least = _LEAST_SHARE if self.stream.sign.unit == "share" else _LEAST_RELATIVE * abs(self.before)
        return abs(self.after - self.before) >= max(least, 1e-12)

    @property
    def weight(self) -> float:
        """How telling it is beside the other changes of the same traces."""
        return self.z * self.stream.sign.weight


def change_of(stream: Stream, seed: int) -> Change | None:
    """Find the stretch that differs most from the rest, or from the baseline; None where there is none to find."""
    shares = stream.sign.unit == "share"  # of other numbers the ranks: a single outlier is no change
    numbers = stream.numbers if shares else np.asarray(pd.Series(stream.numbers).rank(), dtype=np.float64)
    segment = odd_segment(_without_rhythm(numbers, stream.start), generator(stream, seed), stream.begin)
    if segment is None:
        return None
    inside = np.zeros(len(numbers), dtype=bool)
    inside[segment.first : segment.end] = True
    return measured(stream, inside, seed, z=segment.z, p=segment.p)


def measured(stream: Stream, inside: npt.NDArray[np.bool_], seed: int, *, z: float, p: float) -> Change:
    """Measure a stretch of a stream."""
    return Change(
        stream=stream,
        inside=inside,
        lasts=bool(inside[-1]),
        before=float(stream.numbers[stream.usual(inside)].mean()),
        after=float(stream.numbers[inside].mean()),
        z=z,
        p=p,
        seed=seed,
    )


def generator(stream: Stream, seed: int) -> np.random.Generator:
    """Give the random numbers of a stream, the same whatever other streams there are."""
    return np.random.default_rng([seed, crc32(f"{stream.sign.noun}\n{stream.slice}".encode())])


def _without_rhythm(values: npt.NDArray[np.float64], start: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Take the mean of each part of the day out, where there are days enough to know it."""
    seconds = start.astype("datetime64[s]").astype(np.int64)
    if seconds.max() - seconds.min() < _DAYS * _SECONDS_A_DAY:
        return values
    part = seconds % _SECONDS_A_DAY * _PARTS // _SECONDS_A_DAY
    sums = np.bincount(part, weights=values, minlength=_PARTS)
    return values - (sums / np.maximum(np.bincount(part, minlength=_PARTS), 1))[part]
