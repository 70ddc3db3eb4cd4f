"""What calls cost by kind of token, a row a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.frames import to_pandas
from llmlens.measure.list_prices import with_list_prices
from llmlens.rollups import unpriced
from llmlens.schema import USAGE_KINDS

if TYPE_CHECKING:
    import pandas as pd

    from llmlens.read.prices import UserPrices
    from llmlens.traces import Traces

#: Kinds of token that are paid for; together a call's usage.
KINDS = ("fresh", "cache_read", "cache_write", "output")
_NEEDED = (
    "kind", "start", "provider", "model", "request_model", "params",
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip


def call_costs(traces: Traces, names: list[str], prices: UserPrices = None) -> pd.DataFrame:
    """Sum the model calls of each group: the columns `names`, then `calls`, `priced` and what follows.

    Calls that failed before they used anything are none. `priced` calls have a known cost, `cost` in sum; `tokens_*`
    are their tokens by kind and `cost_*` what was paid for those, `cost_call` what was not paid by token: these sum to
    `cost`. `list_priced` counts the calls that have a list price. A call's cost is shared among its kinds of token by
    list price, or `prices`, so that a discount is one on all of them; without a list price every token of a call costs
    the same. `first` and `last` are when calls started.
    """
    spans = traces.table("spans")
    unknown = unpriced(spans)
    calls = spans.filter(spans.kind.isin(USAGE_KINDS) & (spans.cost_usd.notnull() | unknown))
    needed = {name: calls[name] for name in _NEEDED} | {f"key_{i}": calls[name] for i, name in enumerate(names)}
    cursor, by_list = with_list_prices(traces, calls.select(**needed, paid=calls.cost_usd), prices)
    keys = [f"key_{i}" for i in range(len(names))]
    grouped = ", ".join(keys) or "()"
    sums = ", ".join(
        [f"coalesce(sum(tokens_{kind}) FILTER (paid IS NOT NULL), 0)::DOUBLE AS tokens_{kind}" for kind in KINDS]
        + [f"coalesce(sum({_paid_for(kind)}), 0) AS cost_{kind}" for kind in KINDS]
    )
    listed = " + ".join(f"list_{kind}" for kind in KINDS)
    tokens = " + ".join(f"tokens_{kind}" for kind in KINDS)
    cursor.execute(f"""
        CREATE TEMP TABLE sized AS
        SELECT s.*, read AS tokens_cache_read, written AS tokens_cache_write,
            greatest(coalesce(s.input_tokens, 0) - read - written, 0) AS tokens_fresh,
            coalesce(s.output_tokens, 0) AS tokens_output,
            p.input * tokens_fresh AS list_fresh, p.cache_read * read AS list_cache_read,
            p.cache_write * (written - hour) + p.cache_write_1h * hour AS list_cache_write,
            p.output * greatest(tokens_output - thought, 0) + p.reasoning * thought AS list_output,
            p.request * 1e3 AS list_call
        FROM (SELECT s.*, greatest(coalesce(s.cache_read_tokens, 0), 0) AS read,
                greatest({by_list.cache_write_1h}, 0) AS hour,
                greatest(coalesce(s.cache_write_tokens, 0), hour) AS written,
                greatest(coalesce(s.reasoning_tokens, 0), 0) AS thought
            FROM calls s) s
        {by_list.join_sql()}""")
    found = cursor.sql(f"""
        SELECT {"".join(f"{key}, " for key in keys)} count(*) AS calls, count(paid) AS priced,
            coalesce(sum(paid), 0) AS cost, {sums}, min(start) AS first, max(start) AS last,
            count(*) FILTER (paid IS NOT NULL AND listed > 0) AS list_priced
        FROM (SELECT *, {listed} + list_call AS listed, {tokens} AS tokens FROM sized) GROUP BY {grouped}""")
    frame = to_pandas(found.to_arrow_table()).rename(columns=dict(zip(keys, names, strict=True)))
    frame["cost_call"] = frame["cost"] - sum(frame[f"cost_{kind}"] for kind in KINDS)
    return frame


def _paid_for(kind: str) -> str:
    return (
        f"CASE WHEN listed > 0 THEN paid * list_{kind} / listed WHEN tokens > 0 THEN paid * tokens_{kind} / tokens END"
    )
