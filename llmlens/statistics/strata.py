"""Strata: groups within which two samples are alike enough to be compared, and how much each of them weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping


@dataclass(frozen=True, slots=True)
class Strata:
    """The strata that both samples have, each with its share of the first; and those that cannot be compared."""

    weights: dict[Hashable, float]
    only_a: list[Hashable]
    only_b: list[Hashable]
    small: list[Hashable]

    @property
    def left_out(self) -> list[Hashable]:
        """All strata that cannot be compared."""
        return [*self.only_a, *self.only_b, *self.small]


def common_strata(counts_a: Mapping[Hashable, int], counts_b: Mapping[Hashable, int], least: int = 1) -> Strata:
    """Weigh the strata with at least `least` units in both samples by the mix of a: direct standardisation.

    A mean over strata with these weights is what b would be had it a's mix. Rothman, Greenland and Lash (2008), Modern
    Epidemiology, chapter 3. The weights sum to 1; there are none when no stratum is common.
    """
    both = [stratum for stratum in counts_a if stratum in counts_b]
    kept = [stratum for stratum in both if min(counts_a[stratum], counts_b[stratum]) >= least]
    total = sum(counts_a[stratum] for stratum in kept)
    return Strata(
        {stratum: counts_a[stratum] / total for stratum in kept},
        only_a=[stratum for stratum in counts_a if stratum not in counts_b],
        only_b=[stratum for stratum in counts_b if stratum not in counts_a],
        small=[stratum for stratum in both if stratum not in kept],
    )
