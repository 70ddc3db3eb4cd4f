"""How two sides are set against each other: by the same input, within strata, or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from llmlens.statistics.strata import common_strata

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt
    import pandas as pd

    Floats: TypeAlias = npt.NDArray[np.float64]
    Places: TypeAlias = npt.NDArray[np.intp]

How: TypeAlias = Literal["paired", "mix-adjusted", "plain"]

#: Fewer inputs that recur are no sample of anything.
_MIN_PAIRS = 10
#: Of the traces of the smaller side, the share whose input must recur for them to speak for it.
_RECURRING = 0.5
#: Fewer traces of a stratum have no spread to speak of.
_MIN_STRATUM = 5
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Side:
    """Values, and the unit that each belongs to: its input where inputs recur, else itself."""

    values: Floats
    units: Places

    @property
    def n(self) -> int:
        """The number of units."""
        return int(self.units.max()) + 1 if len(self.units) else 0

    def by_unit(self, values: Floats) -> Floats:
        """Average over what belongs to the same unit."""
        means: Floats = np.bincount(self.units, values) / np.bincount(self.units)
        return means

    @property
    def weights(self) -> Floats:
        """How much each value weighs: every unit the same, together 1."""
        found: Floats = 1 / (self.n * np.bincount(self.units)[self.units])
        return found


@dataclass(frozen=True, slots=True)
class Part:
    """Two sides that are compared directly, and their weight in the whole; the units of pairs are the same inputs."""

    weight: float
    a: Side
    b: Side
    paired: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """The parts of a comparison, whose weights sum to 1, and what must be said of it."""

    how: How
    parts: tuple[Part, ...]
    note: str = ""

    def sides(self, name: Literal["a", "b"]) -> list[tuple[float, Side]]:
        """Give one side of all parts, each with the weight of its part."""
        return [(part.weight, getattr(part, name)) for part in self.parts]

    def n(self, name: Literal["a", "b"]) -> int:
        """Count the traces of a side."""
        return sum(len(side.values) for _, side in self.sides(name))

    def effective(self, name: Literal["a", "b"]) -> float:
        """Give the number of equally weighted units that would tell as much: Kish (1965), Survey Sampling, 11.7."""
        squares = sum(weight**2 / side.n for weight, side in self.sides(name) if side.n)
        return 1 / squares if squares else 0.0


def design(a: pd.DataFrame, b: pd.DataFrame) -> Design:
    """Choose how to compare: the columns of both are `value`, `prompt` (NA: not known) and `stratum`.

    Paired by input, when the inputs that recur are those of at least half of the traces of the smaller side; else with
    b's strata weighted to a's mix; else as they are, when there is one stratum only or none is common.
    """
    return _paired(a, b) or _adjusted(a, b)


def _paired(a: pd.DataFrame, b: pd.DataFrame) -> Design | None:
    import pandas as pd

    common = pd.Index(a["prompt"].dropna().unique()).intersection(pd.Index(b["prompt"].dropna().unique()))
    recurring = [side["prompt"].isin(common).to_numpy() for side in (a, b)]
    smaller = recurring[0] if len(a) <= len(b) else recurring[1]
    if len(common) < _MIN_PAIRS or smaller.mean() < _RECURRING:
        return None
    place = pd.Series(np.arange(len(common)), index=common)
    of_a, of_b = (
        Side(side["value"].to_numpy()[chosen], place[side["prompt"][chosen]].to_numpy())
        for side, chosen in zip((a, b), recurring, strict=True)
    )
    alone = sum(int((~chosen).sum()) for chosen in recurring)
    note = f"{len(common):,} inputs recur" + (f"; {alone:,} traces whose input does not are left out" if alone else "")
    return Design("paired", (Part(1.0, of_a, of_b, paired=True),), note)


def _adjusted(a: pd.DataFrame, b: pd.DataFrame) -> Design:
    strata = common_strata(_counts(a), _counts(b), _MIN_STRATUM)
    if not strata.weights or (len(strata.weights) == 1 and not strata.left_out):
        note = "no stratum has enough traces on both sides to adjust for" if strata.left_out else ""
        return Design("plain", (Part(1.0, _alone(a), _alone(b)),), note)
    groups_a, groups_b = by_stratum(a), by_stratum(b)
    parts = [
        Part(weight, _alone(groups_a[stratum]), _alone(groups_b[stratum])) for stratum, weight in strata.weights.items()
    ]
    return Design("mix-adjusted", tuple(parts), _told(strata.only_a, strata.only_b, strata.small))


def by_stratum(side: pd.DataFrame) -> dict[Hashable, pd.DataFrame]:
    """Split a frame by its column `stratum`."""
    return dict(list(side.groupby("stratum", sort=False)))


def _counts(side: pd.DataFrame) -> dict[Hashable, int]:
    return {stratum: int(n) for stratum, n in side["stratum"].value_counts(sort=False).items()}


def _alone(side: pd.DataFrame) -> Side:
    return Side(side["value"].to_numpy(), np.arange(len(side)))


def _told(only_a: Sequence[Hashable], only_b: Sequence[Hashable], small: Sequence[Hashable]) -> str:
    """Name the strata that are left out, and why."""
    reasons = (("only in a", only_a), ("only in b", only_b), (f"fewer than {_MIN_STRATUM} on a side", small))
    return "; ".join(f"left out, {why}: {named(strata)}" for why, strata in reasons if strata)


def named(strata: Sequence[Hashable]) -> str:
    """Write the names of strata, the first few of many.

    >>> named([("refunds", "gpt-4o"), (None, "gpt-4o")])
    'refunds · gpt-4o, (none) · gpt-4o'
    """
    shown = [" · ".join("(none)" if part is None else str(part) for part in _parts(each)) for each in strata[:_NAMED]]
    more = len(strata) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _parts(stratum: Hashable) -> tuple[object, ...]:
    return stratum if isinstance(stratum, tuple) else (stratum,)
