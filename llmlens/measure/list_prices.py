"""The list price of each model call: what it should have cost, and the rates it was computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.frames import to_pandas
from llmlens.read.prices import price_table
from llmlens.schema import USAGE_KINDS
from llmlens.sql import duckdb_sql

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    import pandas as pd

    from llmlens.read.prices import UserPrices
    from llmlens.read.prices.as_sql import PriceTable
    from llmlens.traces import Traces

_NEEDED = (
    "trace_id", "span_id", "kind", "start", "provider", "model", "request_model", "params",
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost_source",
)  # fmt: skip
_DATED = ("start", "since_us", "until_us")


def listed_calls(traces: Traces, names: list[str], prices: UserPrices = None) -> pd.DataFrame:
    """Give a row a model call with tokens: its usage, what was paid, and what it costs by list.

    The columns are those of spans that matter, `names`, `paid` (cost_usd), `listed` (USD by list price, or `prices`;
    NA where there is none), `list_input` and `list_cache_read` (USD per million tokens), `twice` (the
    list cost with cached tokens charged in full and as cached), `once_less` (with cached tokens taken off the input
    once more) and `other_date` (the list price of an earlier date that comes nearest to what was paid).
    """
    spans = traces.table("spans")
    calls = spans.filter(spans.kind.isin(USAGE_KINDS) & (spans.input_tokens.notnull() | spans.output_tokens.notnull()))
    given = {name: calls[name] for name in dict.fromkeys((*_NEEDED, *names))}
    cursor, table = with_list_prices(traces, calls.select(**given, paid=calls.cost_usd), prices)
    ever = price_table(cursor, _since_ever(cursor), prices, into="all_prices")
    cost = table.cost_sql()
    read, written = "coalesce(s.cache_read_tokens, 0)", "coalesce(s.cache_write_tokens, 0)"
    whole = f"greatest(least({read} + {written}, coalesce(s.input_tokens, 0)), 0)"
    dated = ever.join_sql().replace(f"AND {ever.start_us} >= p.since_us AND {ever.start_us} < p.until_us", "")
    cursor.execute(f"""
        CREATE TEMP TABLE other AS SELECT trace_id, span_id, arg_min(listed, abs(listed - paid)) AS other_date FROM (
            SELECT s.trace_id, s.span_id, s.paid, {ever.cost_sql()} AS listed FROM calls s {dated}
            WHERE p.until_us <= {ever.start_us} AND s.paid IS NOT NULL) GROUP BY ALL""")
    found = cursor.sql(f"""
        SELECT c.* EXCLUDE (cost_usd), o.other_date FROM (
            SELECT s.*, {cost} AS listed, p.input AS list_input, p.cache_read AS list_cache_read,
                listed + p.input * {whole} / 1e6 AS twice,
                listed - p.input * least({whole}, greatest(coalesce(s.input_tokens, 0) - {whole}, 0)) / 1e6 AS once_less
            FROM calls s {table.join_sql()}) c
        LEFT JOIN other o USING (trace_id, span_id) ORDER BY c.start, c.trace_id, c.span_id""")
    return to_pandas(found.to_arrow_table())


def paid_of_list(traces: Traces) -> pd.DataFrame:
    """Give a row a model call whose cost was reported: trace_id, start, model, `of_list` (paid by listed)."""
    spans = traces.table("spans")
    paid = spans.filter((spans.kind == "llm") & (spans.cost_source == "reported") & (spans.cost_usd > 0))
    cursor, table = with_list_prices(traces, paid.select(*_NEEDED, paid=paid.cost_usd))
    found = cursor.sql(f"""
        SELECT s.trace_id, s.start, s.model, s.paid / nullif({table.cost_sql()}, 0) AS of_list
        FROM calls s {table.join_sql()}""")
    return to_pandas(found.to_arrow_table())


def with_list_prices(
    traces: Traces, calls: ir.Table, prices: UserPrices = None
) -> tuple[duckdb.DuckDBPyConnection, PriceTable]:
    """Put model calls into a temporary table `calls`, and give the cursor that it lives on and the prices of them.

    `calls` has what a price depends on, and `paid`; `cost_usd` is NA in the table, so that all get their list price.
    """
    import ibis

    cursor = traces._store.cursor()  # noqa: SLF001  # temporary tables live on one cursor
    narrow = calls.mutate(cost_usd=ibis.null("float64"))
    cursor.execute(f"CREATE TEMP TABLE calls AS {duckdb_sql(narrow)}")
    return cursor, price_table(cursor, "calls", prices, into="list_prices")


def _since_ever(cursor: duckdb.DuckDBPyConnection) -> str:
    """Name a view of the calls in which each model was also called long ago, so that all its prices are looked up."""
    cursor.execute("""CREATE TEMP VIEW calls_since_ever AS SELECT * FROM calls UNION ALL SELECT * REPLACE (
        TIMESTAMPTZ '2015-01-01' AS start) FROM calls
        QUALIFY row_number() OVER (PARTITION BY provider, model, request_model, params ORDER BY span_id) = 1""")
    return "calls_since_ever"
