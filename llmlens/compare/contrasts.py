"""One statistic of two sides: what it is on each, how much they differ, and how sure that is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from llmlens.errors import SelectionError
from llmlens.statistics.estimate import Estimate
from llmlens.statistics.means import sum_of_means
from llmlens.statistics.quantiles import Distribution, difference_of_quantiles
from llmlens.statistics.resampling import DRAWS, resampled_moments
from llmlens.statistics.shares import difference_of_paired_shares, difference_of_shares

if TYPE_CHECKING:
    import numpy.typing as npt

    from .design import Design, Side

    Floats: TypeAlias = npt.NDArray[np.float64]

SideName: TypeAlias = Literal["a", "b"]

#: An interval of fewer units says little.
MIN_UNITS = 10
_PERCENTILE = re.compile(r"P(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Contrast:
    """A statistic on either side and the estimate of the difference b - a; NaN is what cannot be told, `note` why."""

    a: float = np.nan
    b: float = np.nan
    estimate: Estimate = field(default_factory=Estimate.unsure)
    note: str = ""


def contrast(design: Design, statistic: str, random: np.random.Generator) -> Contrast:
    """Compare one statistic: "mean", "share", "max" or a percentile such as "P95"; both sides must have values.

    Raises `SelectionError` for another statistic.
    """
    level = percentile(statistic)
    if level is not None:
        return _quantiles(design, level, random)
    return {"mean": _means, "share": _shares, "max": _maxima}[statistic](design, random)


def percentile(statistic: str) -> float | None:
    """Give the level of a percentile from 0 to 1, None for another statistic; raise `SelectionError` for neither."""
    found = _PERCENTILE.fullmatch(statistic)
    if found and float(found[1]) > 0:
        return float(found[1]) / 100
    if statistic not in ("mean", "share", "max"):
        raise SelectionError(f"{statistic!r} is no statistic. There is: mean, share, max, and percentiles such as P95.")
    return None


def _means(design: Design, random: np.random.Generator) -> Contrast:
    a, b = (_mean(design, name) for name in ("a", "b"))
    if too_few := _too_few(design, MIN_UNITS, "an interval"):
        return Contrast(a, b, Estimate.unsure(b - a), too_few)
    groups = []
    for part in design.parts:
        if part.paired:
            groups.append((part.weight, part.b.by_unit(part.b.values) - part.a.by_unit(part.a.values)))
        else:
            groups += [(-part.weight, part.a.values), (part.weight, part.b.values)]
    estimate = sum_of_means(groups, random)
    return Contrast(a, b, estimate, "" if estimate.high == estimate.high else _ALIKE)


def _shares(design: Design, random: np.random.Generator) -> Contrast:
    del random  # the interval is exact enough without draws
    a, b = (min(max(_mean(design, name), 0.0), 1.0) for name in ("a", "b"))
    if too_few := _too_few(design, MIN_UNITS, "an interval"):
        return Contrast(a, b, Estimate.unsure(b - a), too_few)
    if design.how == "paired":
        part = design.parts[0]
        change = part.b.by_unit(part.b.values) - part.a.by_unit(part.a.values)
        net, squares = float(change.sum()), float((change**2).sum())
        # Of averages over repeats: the pairs that would have the same mean and variance of the change.
        return Contrast(a, b, difference_of_paired_shares((squares + net) / 2, (squares - net) / 2, part.a.n))
    sized_a, sized_b = (a, _effective_of_share(design, "a", a)), (b, _effective_of_share(design, "b", b))
    return Contrast(a, b, difference_of_shares(sized_a, sized_b))


def _quantiles(design: Design, level: float, random: np.random.Generator) -> Contrast:
    if too_few := _too_few(design, _needed(level), f"P{100 * level:g}"):
        return Contrast(note=too_few)
    a, b = (_distribution(design, name) for name in ("a", "b"))
    of_a, of_b = (float(each.quantile(level)) for each in (a, b))
    shift_a, shift_b = np.zeros(DRAWS), np.zeros(DRAWS)
    for part in design.parts:
        below_a = part.a.by_unit((part.a.values <= of_a).astype(float))
        below_b = part.b.by_unit((part.b.values <= of_b).astype(float))
        if part.paired:
            both, _ = resampled_moments(np.column_stack([below_a, below_b]), random)
            drawn_a, drawn_b = both.T
        else:
            drawn_a, drawn_b = (resampled_moments(below[:, None], random)[0][:, 0] for below in (below_a, below_b))
        shift_a += part.weight * drawn_a
        shift_b += part.weight * drawn_b
    estimate = difference_of_quantiles(level, a, b, shift_a, shift_b)
    return Contrast(of_a, of_b, estimate, "" if estimate.high == estimate.high else _ALIKE)


def _maxima(design: Design, random: np.random.Generator) -> Contrast:
    del random
    a, b = (max(float(side.values.max()) for _, side in design.sides(name)) for name in ("a", "b"))
    why = "no interval: a bootstrap never draws beyond the maximum it saw"
    return Contrast(a, b, Estimate.unsure(b - a), why)


_ALIKE = "no interval: the values hardly differ"


def _needed(level: float) -> int:
    """Give how many units a percentile needs: ten beyond it, and in the far tails five: 200 for P95, 500 for P99."""
    beyond = round(min(level, 1 - level), 9)
    return math.ceil(10 / beyond) if beyond >= 0.05 else max(200, math.ceil(5 / beyond))


def _too_few(design: Design, needed: int, what: str) -> str:
    """Say that there are too few units on a side, or nothing."""
    found = min(design.effective("a"), design.effective("b"))
    if round(found, 6) >= needed:
        return ""
    counted = "inputs that recur" if design.how == "paired" else "on each side"
    effective = ", after weighting" if design.how == "mix-adjusted" else ""
    return f"too few: {what} needs {needed} {counted}; there are {int(found + 1e-6)}{effective}"


def _mean(design: Design, name: SideName) -> float:
    return sum(weight * float(side.by_unit(side.values).mean()) for weight, side in design.sides(name))


def _distribution(design: Design, name: SideName) -> Distribution:
    sides = design.sides(name)
    values = np.concatenate([side.values for _, side in sides])
    return Distribution(values, np.concatenate([weight * side.weights for weight, side in sides]))


def _effective_of_share(design: Design, name: SideName, share: float) -> float:
    """Give the n of a simple sample whose share would be as sure: Korn and Graubard (1998), Survey Methodology 24."""
    variance = sum(weight**2 * _variance_of_mean(side) for weight, side in design.sides(name))
    if share * (1 - share) == 0 or variance == 0:
        return design.effective(name)
    units = sum(side.n for _, side in design.sides(name))
    return float(min(share * (1 - share) / variance, units))


def _variance_of_mean(side: Side) -> float:
    return float(side.by_unit(side.values).var() / side.n)
