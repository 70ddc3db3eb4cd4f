"""How values are spread in each group: n, mean, quantiles with intervals; Ibis, so it runs where the values are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.statistics.estimate import Z

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.traces import Traces

#: The quantiles that measures give: name -> level. One takes at least 1 / (1 - level) values: 2, 20 and 100.
LEVELS = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
#: The columns of a spread after the group and `measure`.
SPREAD = ("n", "mean", *(f"{name}{end}" for name in LEVELS for end in ("", "_low", "_high")), "max")


def spread(traces: Traces, keys: Sequence[str], measures: Mapping[str, tuple[ir.Table, ir.Value]]) -> pd.DataFrame:
    """Describe values in each group: a row a group and measure, in this order of measures, NA where too few are known.

    `measures`: name -> (a table with the columns `keys`, the number in it); rows without a number do not count.

    Columns: `keys`, `measure`, and those of `SPREAD`. Quantiles are Hazen's (Hyndman and Fan 1996, definition 5); the
    ends of a 95 % interval are the values at the ranks that a quantile's rank stays between: Woodruff (1952),
    Confidence intervals for medians and other position measures, J. Am. Stat. Assoc. 47, 635-646. An end whose rank
    does not exist is NA.
    """
    found = _sorted(keys, measures)
    quantiles = {name: end for level in LEVELS.items() for name, end in _quantile(found, *level).items()}
    found = found.select(*keys, "place", "n", "mean", "max", **quantiles)
    frame = traces.fetch(found)
    frame["measure"] = np.array([*measures, ""])[frame["place"].to_numpy(int)]
    frame = frame.astype({"measure": "str"})
    names = [key for key in keys if key != "period"]
    order = {**dict.fromkeys(set(keys) & {"period"}, True), "place": True, "n": False, **dict.fromkeys(names, True)}
    frame = frame.sort_values(list(order), ascending=list(order.values()))
    return frame[[*keys, "measure", *SPREAD]].reset_index(drop=True)


def _sorted(keys: Sequence[str], measures: Mapping[str, tuple[ir.Table, ir.Value]]) -> ir.Table:
    """Give a row a group and measure: `place` of the measure, `n`, `mean`, `max`, and the values in order, `ranked`.

    Each table is read once; to sort a group's values as one list takes half as long as to rank all rows.
    """
    import ibis

    parts = []
    for table in dict.fromkeys(table for table, _ in measures.values()):
        places = [place for place, (own, _) in enumerate(measures.values()) if own.equals(table)]
        values = [value.cast("float64") for _, value in measures.values()]
        narrow = table.select(*keys, **{f"value_{place}": values[place] for place in places})
        sums: dict[str, ir.Value] = {}
        for place in places:
            value = narrow[f"value_{place}"]
            sums |= {f"n_{place}": value.count(), f"mean_{place}": value.mean(), f"max_{place}": value.max(),
                     f"ranked_{place}": value.collect()}  # fmt: skip
        wide = narrow.group_by(keys).agg(**sums) if keys else narrow.agg(**sums)
        for place in places:
            columns = {name: wide[f"{name}_{place}"] for name in ("n", "mean", "max")}
            part = wide.select(*keys, place=ibis.literal(place), **columns, ranked=wide[f"ranked_{place}"].sort())
            parts.append(part.filter(part.n > 0))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _quantile(groups: ir.Table, name: str, level: float) -> dict[str, ir.Value]:
    """Give the quantile and the ends of its interval, of groups with their `n` values in order as a list, `ranked`."""
    import ibis

    n = groups.n.cast("float64")

    def at(rank: ir.FloatingValue) -> ir.FloatingValue:
        """Give the value at a rank, from 1; NA where there is none."""
        exists = (rank >= 1) & (rank <= n)
        return ibis.ifelse(exists, groups.ranked[ibis.ifelse(exists, rank, 1).cast("int64") - 1], None)

    place = ibis.greatest(ibis.least(n * level + 0.5, n), 1.0)
    below = place.floor().cast("float64")
    value, above = at(below), at(ibis.least(below + 1, n))
    margin = (n * (level * (1 - level))).sqrt() * Z
    low, high = (n * level - margin).floor().cast("float64"), (n * level + margin).ceil().cast("float64") + 1
    ends = {
        name: value * (1 - (place - below)) + above * (place - below),
        f"{name}_low": at(low),
        f"{name}_high": at(high),
    }
    return {key: ibis.ifelse(n >= 1 / (1 - level) - 1e-9, end, None) for key, end in ends.items()}
