"""How values are spread in each group: n, mean, quantiles with intervals; Ibis, so it runs where the values are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llmlens.statistics.estimate import Z

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import ibis.expr.types as ir
    import pandas as pd
    from numpy.typing import NDArray
    from pandas.api.extensions import ExtensionArray

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
    frame = traces.fetch(found.select(*keys, "place", "n", "mean", "max", at_ranks=_at_ranks(found)))
    frame = frame.assign(**_quantiles(frame.pop("at_ranks"), frame["n"].to_numpy(float)))
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


def _at_ranks(groups: ir.Table) -> ir.ArrayValue:
    """Give what `_quantiles` needs of each group's values in order, `ranked`: for each level, the values at four ranks.

    They are the two around the quantile and the ends of its interval; NA where a rank, from 1, does not exist. As lists
    that are mapped, what is done for each level and rank is written once; written out it is seven times the SQL.
    """
    import ibis

    n = groups.n.cast("float64")

    def at(rank: ir.FloatingValue) -> ir.FloatingValue:
        exists = (rank >= 1) & (rank <= n)
        # For ClickHouse only a place that is seen to be an integer is counted from 1, and a parameter is not.
        return ibis.ifelse(exists, groups.ranked[ibis.greatest(rank, 1).cast("int64") - 1], None)

    def at_level(level: ir.FloatingValue) -> ir.ArrayValue:
        below = ibis.greatest(ibis.least(n * level + 0.5, n), 1.0).floor()
        margin = (n * (level * (1 - level))).sqrt() * Z
        ranks = (below, below + 1, (n * level - margin).floor(), (n * level + margin).ceil() + 1)
        return ibis.array([rank.cast("float64") for rank in ranks]).map(at)

    return ibis.array(list(LEVELS.values())).map(at_level)


def _quantiles(at_ranks: pd.Series, n: NDArray[np.float64]) -> dict[str, ExtensionArray]:
    """Give the columns of quantiles of groups with `n` values: between two ranks by line, NA where `n` is too small."""
    import pandas as pd

    values = np.array([np.concatenate(each) for each in at_ranks], dtype=float).reshape(len(n), len(LEVELS), 4)
    columns: dict[str, NDArray[np.float64]] = {}
    for place, (name, level) in enumerate(LEVELS.items()):
        below, above, low, high = np.where((n >= 1 / (1 - level) - 1e-9)[:, None], values[:, place], np.nan).T
        share = np.clip(n * level + 0.5, 1, n) % 1
        between = np.where(share > 0, below * (1 - share) + above * share, below)
        columns |= {name: between, f"{name}_low": low, f"{name}_high": high}
    return {name: pd.array(column, "Float64") for name, column in columns.items()}
