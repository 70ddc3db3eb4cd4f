"""Prices against genai-prices, the oracle: every model, period, tier edge and variant; then the speed on 1M spans.

    python bench/prices.py [--spans 1000000]

Prints the number of calls compared and the largest relative difference, and the seconds for pricing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb
import genai_prices
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import StartDateConstraint, TieredPrices, TimeOfDateConstraint

from llmlens.read.prices.as_sql import PriceTable, price_table, price_version
from llmlens.read.prices.rules import USER_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from genai_prices.types import ModelInfo, ModelPrice, Provider

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = {
    "id": "BIGINT", "provider": "VARCHAR", "model": "VARCHAR", "request_model": "VARCHAR", "kind": "VARCHAR",
    "start": "TIMESTAMPTZ", "input_tokens": "BIGINT", "cache_read_tokens": "BIGINT", "cache_write_tokens": "BIGINT",
    "cache_write_1h_tokens": "BIGINT", "output_tokens": "BIGINT", "reasoning_tokens": "BIGINT", "params": "VARCHAR",
    "cost_usd": "DOUBLE", "cost_source": "VARCHAR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """A call to compare, and its tokens as (input, cache read, cache write, 1 h cache write, output, reasoning)."""

    what: str
    provider: str
    model: str
    start: datetime
    context: dict[str, str]
    tokens: tuple[int, int, int, int, int, int]

    def oracle(self) -> float:
        """Give the cost that genai-prices calculates."""
        names = ("input", "cache_read", "cache_write", "cache_write_1h", "output", "output_reasoning")
        usage = genai_prices.Usage(**{f"{name}_tokens": n for name, n in zip(names, self.tokens, strict=True)})
        found = genai_prices.calc_price(
            usage,
            self.model,
            provider_id=self.provider,
            genai_request_timestamp=self.start,
            price_context=self.context,
        )
        return float(found.total_price)


@dataclass(slots=True)
class Comparison:
    """How many calls of which sort were compared, and how they differ."""

    counts: Counter[str] = field(default_factory=Counter)
    models: set[tuple[str, str]] = field(default_factory=set)
    max_error: float = 0.0
    wrong: list[tuple[Call, float, float | None]] = field(default_factory=list)


def priced_models() -> Iterator[tuple[Provider, ModelInfo]]:
    """Yield the models that are priced by token and that their own id leads to."""
    snapshot = get_snapshot()
    for provider in snapshot.providers:
        for model in provider.models:
            keys = {key for price in prices_of(model) for key in price.__dict__}
            found = provider.find_model(model.id, all_providers=snapshot.providers)
            if found is model and (not keys or keys & set(USER_KEYS)):
                yield provider, model


def prices_of(model: ModelInfo) -> list[ModelPrice]:
    standard = [c.prices for c in model.prices] if isinstance(model.prices, list) else [model.prices]
    return [*standard, *(variant.prices for variant in model.price_variants or ())]


def calls(provider: Provider, model: ModelInfo) -> Iterator[Call]:
    """Yield calls on both sides of each edge at which the price of a model may change."""
    variants = model.price_variants or []
    conditional = [*(model.prices if isinstance(model.prices, list) else ()), *variants]
    constraints = [c.constraint for c in conditional if c.constraint]
    starts = {("now", NOON)}
    for constraint in constraints:
        if isinstance(constraint, StartDateConstraint):
            edge = datetime.combine(constraint.start_date, datetime.min.time(), UTC)
            starts |= {("date edge", edge + timedelta(seconds=s)) for s in (-1, 0, 1)}
        if isinstance(constraint, TimeOfDateConstraint):
            for at, s in itertools.product((constraint.start_time, constraint.end_time), (-1, 0, 1)):
                starts.add(("time of day", datetime.combine(date(2026, 11, 20), at, UTC) + timedelta(seconds=s)))
    tiered = [v for price in prices_of(model) for v in price.__dict__.values() if isinstance(v, TieredPrices)]
    edges = sorted({tier.start + d for value in tiered for tier in value.tiers for d in (-1, 0, 1)})
    usages = [
        ("plain", (1_234, 0, 0, 0, 567, 0)),
        ("no tokens", (0, 0, 0, 0, 0, 0)),
        ("cached read", (54_321, 50_007, 0, 0, 89, 0)),
        ("cache write", (54_321, 1_000, 40_003, 0, 89, 0)),
        ("1 h cache write", (54_321, 1_000, 40_003, 30_001, 89, 0)),
        ("reasoning", (777, 0, 0, 0, 4_321, 4_000)),
        *(("tier edge", (edge, edge // 3, edge // 5, edge // 7, 999, 0)) for edge in edges),
    ]
    contexts: list[dict[str, str]] = [{}, *({**v.when} for v in variants)]
    for (when, start), (what, tokens), context in itertools.product(sorted(starts), usages, contexts):
        label = " ".join(context.values()) or (what if when == "now" else when)
        yield Call(label, provider.id, model.id, start, context, tokens)


def compare(models: Iterable[tuple[Provider, ModelInfo]]) -> Comparison:
    """Price the calls of `models` with llmlens and with genai-prices."""
    todo = [call for provider, model in models for call in calls(provider, model)]
    con = duckdb.connect()
    columns = ", ".join(f'"{name}" {type_}' for name, type_ in COLUMNS.items())
    con.execute(f"CREATE TABLE mapped ({columns})")
    rows = [
        (
            i,
            c.provider,
            c.model,
            None,
            "llm",
            c.start,
            *c.tokens,
            json.dumps(c.context) if c.context else None,
            None,
            None,
        )
        for i, c in enumerate(todo)
    ]
    load(con, rows)
    priced = priced_sql(price_table(con, "mapped"))
    ours = con.execute(f"SELECT cost_usd FROM ({priced}) ORDER BY id").fetchall()
    result = Comparison()
    for call, (got,) in zip(todo, ours, strict=True):
        expected = call.oracle()
        error = float("inf") if got is None else abs(got - expected) / expected if expected else abs(got)
        result.counts[call.what] += 1
        result.models.add((call.provider, call.model))
        result.max_error = max(result.max_error, error)
        if error > 1e-12:
            result.wrong.append((call, expected, got))
    return result


def load(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[object, ...]]) -> None:
    import pyarrow as pa

    columns = zip(*rows, strict=True)
    types = [
        pa.timestamp("us", "UTC")
        if t == "TIMESTAMPTZ"
        else pa.string()
        if t == "VARCHAR"
        else pa.float64()
        if t == "DOUBLE"
        else pa.int64()
        for t in COLUMNS.values()
    ]
    batch = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=list(COLUMNS))
    con.register("batch", batch)
    con.execute("INSERT INTO mapped SELECT * FROM batch")


def priced_sql(prices: PriceTable) -> str:
    return f"""SELECT s.* REPLACE ({prices.cost_sql()} AS cost_usd, {prices.source_sql()} AS cost_source)
        FROM mapped s {prices.join_sql()}"""


def speed(n: int) -> tuple[float, float, float]:
    """Give the seconds for the rules, for the priced copy of `n` spans of 20 models, and for the same copy unpriced."""
    by_rules = sorted(priced_models(), key=lambda found: -len({(c.start, c.tokens) for c in calls(*found)}))
    names = [(provider.id, model.id) for provider, model in [*by_rules[:10], *by_rules[-10:]]]
    con = duckdb.connect()
    con.execute("CREATE TABLE names (k BIGINT, provider VARCHAR, model VARCHAR)")
    con.executemany("INSERT INTO names VALUES (?, ?, ?)", [(k, *name) for k, name in enumerate(names)])
    con.execute(f"""CREATE TABLE mapped AS SELECT range AS id, provider, model, model AS request_model, 'llm' AS kind,
        TIMESTAMPTZ '2026-10-20 00:00:00+00' + to_seconds((range * 7919) % 2592000) AS start,
        (range * 31) % 300000 AS input_tokens, (range * 31) % 300000 // 3 AS cache_read_tokens, 0 AS cache_write_tokens,
        (range * 17) % 4000 AS output_tokens, 0 AS reasoning_tokens,
        CASE range // 20 % 10 WHEN 0 THEN '{{"temperature": 0.2, "service_tier": "priority"}}'
            ELSE '{{"temperature": 0.2, "max_tokens": 4096}}' END AS params,
        NULL::DOUBLE AS cost_usd, NULL::VARCHAR AS cost_source
        FROM range({n}) JOIN names ON k = range % {len(names)}""")
    start = time.perf_counter()
    prices = price_table(con, "mapped")
    table = time.perf_counter()
    con.execute(f"CREATE TABLE spans AS {priced_sql(prices)}")
    end = time.perf_counter()
    con.execute("CREATE TABLE copy AS SELECT * FROM mapped")
    floor = time.perf_counter()
    counts = con.execute("SELECT count(*), count(cost_usd), sum(cost_usd) FROM spans").fetchone()
    rules = con.execute(f"SELECT count(*) FROM {prices.name}").fetchone()
    print(f"  {len(names)} models, {rules} rules, (spans, priced, USD) = {counts}")
    return table - start, end - table, floor - end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    spans = parser.parse_args().spans
    print(price_version())
    start = time.perf_counter()
    result = compare(priced_models())
    print(f"{len(result.models)} models, {result.counts.total()} calls in {time.perf_counter() - start:.1f} s")
    print(f"max relative error {result.max_error:.2e}, {len(result.wrong)} above 1e-12")
    for what, count in result.counts.most_common():
        print(f"  {count:>8} {what}")
    for call, expected, got in result.wrong[:10]:
        print("  differs:", call, expected, got)
    table, select, floor = speed(spans)
    print(f"{spans} spans: rules {table:.2f} s, priced copy {select:.2f} s, the same copy without prices {floor:.2f} s")


if __name__ == "__main__":
    main()
