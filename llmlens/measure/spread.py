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
    import ibis

    parts = [
        table.select(*keys, place=ibis.literal(place), value=value.cast("float64")).filter(lambda t: t.value.notnull())
        for place, (table, value) in enumerate(measures.values())
    ]
    values = ibis.union(*parts) if len(parts) > 1 else parts[0]
    group = [*keys, "place"]
    ranked = values.mutate(
        rank=ibis.row_number().over(group_by=group, order_by="value") + 1, n=values.count().over(group_by=group)
    )
    sums = {name: expression for level in LEVELS.items() for name, expression in _quantile(ranked, *level).items()}
    found = ranked.group_by(group).agg(n=ranked.count(), mean=ranked.value.mean(), **sums, max=ranked.value.max())
    frame = traces.fetch(found)
    frame["measure"] = np.array([*measures, ""])[frame["place"].to_numpy(int)]
    frame = frame.astype({"measure": "str"})
    names = [key for key in keys if key != "period"]
    order = {**dict.fromkeys(set(keys) & {"period"}, True), "place": True, "n": False, **dict.fromkeys(names, True)}
    frame = frame.sort_values(list(order), ascending=list(order.values()))
    return frame[[*keys, "measure", *SPREAD]].reset_index(drop=True)


def _quantile(ranked: ir.Table, name: str, level: float) -> dict[str, ir.Scalar]:
    """Give the quantile and the ends of its interval, of values with their `rank` (from 1) among `n`."""
    import ibis

    n = ranked.n
    at = (n * level + 0.5).clip(lower=1, upper=n)
    below = at.floor()
    share = at - below
    weight = ibis.cases((ranked.rank == below, 1 - share), (ranked.rank == below + 1, share))
    enough = n.max() >= 1 / (1 - level) - 1e-9
    margin = (n * (level * (1 - level))).sqrt() * Z
    low, high = (n * level - margin).floor(), (n * level + margin).ceil() + 1
    ends = {
        name: (ranked.value * weight).sum(),
        f"{name}_low": ranked.value.max(where=ranked.rank == low),
        f"{name}_high": ranked.value.max(where=ranked.rank == high),
    }
    return {key: ibis.ifelse(enough, end, None) for key, end in ends.items()}
