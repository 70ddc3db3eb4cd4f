"""Prices of calls: a small table of rules made once per load, and the SQL that turns token counts into USD.

    prices = price_table(con, "mapped")
    con.execute(f"CREATE TABLE spans AS SELECT s.* REPLACE ({prices.cost_sql()} AS cost_usd, "
                f"{prices.source_sql()} AS cost_source) FROM mapped s {prices.join_sql()}")

Prices are those of genai-prices: dated, by time of day, tiered, aware of caches and of batch and priority processing.
Each distinct (provider, model, request_model, service tier) is looked up once; the calls themselves are arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llmlens.read.raw import Problem
from llmlens.schema import USAGE_KINDS

from .context import ORDINARY, cache_write_1h_sql, context_sql, read_context
from .models import find_model
from .own import UserPrice, UserPrices, read_prices, user_rule
from .rules import DAY_US, NoTokenPriceError, Rule, rules

if TYPE_CHECKING:
    import duckdb

RULE_COLUMNS = tuple(f.name for f in fields(Rule))


def price_version() -> str:
    """Say which prices are used, such as 'genai-prices 0.2.3': its data is versioned with the package."""
    import genai_prices
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    updated = f", updated {snapshot.timestamp:%Y-%m-%d %H:%M}" if snapshot.from_auto_update else ""
    return f"genai-prices {genai_prices.__version__}{updated}"


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The rules for one load in the DuckDB table `name`, what there is to say about them, and the SQL that uses them.

    `context`, `cache_write_1h` and `start_us` are SQL expressions over a span `s`.
    """

    name: str
    problems: list[Problem]
    context: str
    cache_write_1h: str
    start_us: str

    def join_sql(self) -> str:
        """Give the LEFT JOIN that finds the rule `p` of a span `s`; it never makes two rows of one."""
        return f"""LEFT JOIN {self.name} p ON s.provider IS NOT DISTINCT FROM p.provider
            AND s.model IS NOT DISTINCT FROM p.model AND s.request_model IS NOT DISTINCT FROM p.request_model
            AND {self.context} IS NOT DISTINCT FROM p.context
            AND {self.start_us} >= p.since_us AND {self.start_us} < p.until_us
            AND {_day_us(self.start_us)} >= p.day_since_us AND {_day_us(self.start_us)} < p.day_until_us
            AND coalesce(s.input_tokens, 0) > p.above_tokens AND coalesce(s.input_tokens, 0) <= p.upto_tokens"""

    def cost_sql(self) -> str:
        """Give the expression for `cost_usd`: the reported cost, else the computed one, else NULL."""
        total, read, hour, write, output, reasoning = _tokens(self.cache_write_1h)
        return f"""CASE WHEN s.cost_usd IS NOT NULL THEN s.cost_usd WHEN {_WANTED} AND {_COMPLETE} THEN (
            p.input * greatest({total} - {read} - {write}, 0) + p.cache_read * {read}
            + p.cache_write * ({write} - {hour}) + p.cache_write_1h * {hour}
            + p.output * greatest({output} - {reasoning}, 0) + p.reasoning * {reasoning}
            ) / 1e6 + p.request / 1e3 END"""

    def source_sql(self) -> str:
        """Give the expression for `cost_source`: reported, priced, missing, or NULL on spans that have no cost."""
        return f"""CASE WHEN s.cost_usd IS NOT NULL THEN 'reported'
            WHEN {_WANTED} AND {_COMPLETE} AND p.input IS NOT NULL THEN 'priced'
            WHEN s.kind IN {USAGE_KINDS} THEN 'missing' END"""


#: Spans that get a computed cost.
_WANTED = (
    f"s.cost_usd IS NULL AND s.kind IN {USAGE_KINDS} AND (s.input_tokens IS NOT NULL OR s.output_tokens IS NOT NULL)"
)
_NO_INPUT = "s.input_tokens IS NULL"
_NO_OUTPUT = "(s.output_tokens IS NULL AND s.kind = 'llm')"
_NEGATIVE = """coalesce(least(s.input_tokens, s.cache_read_tokens, s.cache_write_tokens, s.output_tokens,
    s.reasoning_tokens) < 0, false)"""
#: What is not reported must not have cost anything.
_COMPLETE = f"NOT ({_NO_INPUT} AND p.input > 0) AND NOT ({_NO_OUTPUT} AND p.output > 0) AND NOT {_NEGATIVE}"


def _tokens(cache_write_1h: str) -> tuple[str, ...]:
    """Give the SQL of: input, cache read, 1 h cache write, cache write, output, reasoning tokens, as DOUBLE."""
    total, read, written, output, reasoning = (
        f"coalesce(s.{column}, 0)::DOUBLE"
        for column in ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
    )
    hour = f"greatest({cache_write_1h}, 0)::DOUBLE"
    return total, read, hour, f"greatest({written}, {hour})", output, reasoning


def _day_us(start_us: str) -> str:
    return f"(({start_us} % {DAY_US}) + {DAY_US}) % {DAY_US}"


def price_table(
    con: duckdb.DuckDBPyConnection,
    table: str,
    prices: UserPrices = None,
    *,
    into: str = "price_rules",
    now: datetime | None = None,
) -> PriceTable:
    """Make the table of price rules for the spans in `table`, one row per model, service tier, period and prompt tier.

    `table` has the columns of `spans`, `cost_usd` holding only reported costs; it may also have `service_tier` and
    `cache_write_1h_tokens`, which are otherwise looked for in `params`. Only spans of the kinds that carry usage, with
    tokens and without a reported cost, are priced. `prices` (see `UserPrices`) win over the built-in ones.
    Calls without a start are priced as of `now`. Raises `ReadError` for unusable `prices`.
    """
    own = read_prices(prices)
    columns = {row[0] for row in con.execute(f"DESCRIBE {table}").fetchall()}
    now = now or datetime.now(UTC)
    now_us = int(now.timestamp() * 1_000_000)
    result = PriceTable(
        into,
        [],
        context=context_sql(columns),
        cache_write_1h=cache_write_1h_sql(columns),
        start_us=f"""coalesce(CASE WHEN isfinite(s."start") THEN epoch_us(s."start") END, {now_us})""",
    )
    total, read, _, write, output, reasoning = _tokens(result.cache_write_1h)
    groups = con.execute(f"""
        SELECT s.provider, s.model, s.request_model, {result.context} AS context, count(*) AS calls,
            min({result.start_us}) AS since_us, max({result.start_us}) AS until_us,
            count(*) FILTER (s."start" IS NULL OR NOT isfinite(s."start")) AS undated,
            count(*) FILTER ({_NO_INPUT}) AS no_input, count(*) FILTER ({_NO_OUTPUT}) AS no_output,
            count(*) FILTER ({_NEGATIVE}) AS negative,
            count(*) FILTER ({read} + {write} > {total} AND NOT {_NO_INPUT}
                OR {reasoning} > {output} AND s.output_tokens IS NOT NULL) AS excess
        FROM {table} s WHERE {_WANTED} GROUP BY ALL ORDER BY ALL""")
    names = [column[0] for column in groups.description]
    found = [_Group(**dict(zip(names, row, strict=True))) for row in groups.fetchall()]
    notes = _Notes(f"{now:%Y-%m-%d}")
    rows = [
        (group.provider, group.model, group.request_model, group.context, *(getattr(rule, c) for c in RULE_COLUMNS))
        for group in found
        for rule in _resolve(group, own, notes)
    ]
    _store(con, into, rows)
    result.problems.extend(notes.problems.values())
    return result


@dataclass(frozen=True, slots=True)
class _Group:
    """Calls of one model that are looked up together, and how many of them have which flaw."""

    provider: str | None
    model: str | None
    request_model: str | None
    context: str | None
    calls: int
    since_us: int
    until_us: int
    undated: int
    no_input: int
    no_output: int
    negative: int
    excess: int

    @property
    def title(self) -> str:
        return f"model {self.model or self.request_model!r} (provider {self.provider!r})"


@dataclass(slots=True)
class _Notes:
    """Problems by reason; the same reason met again only counts."""

    today: str
    problems: dict[str, Problem] = field(default_factory=dict)

    def add(self, reason: str, count: int, group: _Group) -> None:
        if count:
            example = f"{group.provider}/{group.model or group.request_model}"
            problem = self.problems.setdefault(reason, Problem(None, reason, example, count=0, action="noted"))
            problem.count += count


def _resolve(group: _Group, own: list[UserPrice], notes: _Notes) -> list[Rule]:
    """Find the rules of a group, the user's own first, the answering model before the one that was asked for."""
    names = [name for name in (group.model, group.request_model) if name and name.strip()]
    if not names:
        notes.add("no model name, so no price", group.calls, group)
        return []
    found = next(([rule] for name in names if (rule := user_rule(own, name))), None)
    if found is None:
        priced = next((priced for name in names if (priced := find_model(group.provider, name))), None)
        if priced is None:
            notes.add(f"no price for {group.title}", group.calls, group)
            return []
        asked = read_context(group.context)
        try:
            found = rules(priced, asked, group.since_us, group.until_us)
        except NoTokenPriceError as error:
            notes.add(f"no price per token for {group.title}, only {error}", group.calls, group)
            return []
        if priced.inferred and group.provider is not None:
            notes.add(f"{group.title} priced as of provider {priced.provider.id!r}", group.calls, group)
        special = ", ".join(f"{key} {value!r}" for key, value in asked.items() if value not in ORDINARY)
        if special and any(rule.standard for rule in found):
            notes.add(
                f"{group.title}: no price of its own for {special} at that time, or at all: standard price used",
                group.calls,
                group,
            )
        if all(rule.free for rule in found):
            notes.add(f"{group.title} is free in the price table: cost 0", group.calls, group)
    if any(rule.input for rule in found):
        notes.add("input tokens not reported, so no price", group.no_input, group)
    if any(rule.output for rule in found):
        notes.add("output tokens not reported, so no price", group.no_output, group)
    notes.add("negative token counts, so no price", group.negative, group)
    notes.add(
        "more cached than input tokens, or more reasoning than output tokens: priced as counted, nothing below 0",
        group.excess,
        group,
    )
    notes.add(f"no start time: priced as of {notes.today}", group.undated, group)
    return found


def _store(con: duckdb.DuckDBPyConnection, into: str, rows: list[tuple[Any, ...]]) -> None:
    """Write the rules into a temporary table."""
    import pyarrow as pa

    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}
    columns = [(key, pa.string()) for key in ("provider", "model", "request_model", "context")]
    columns += [(f.name, types[str(f.type)]) for f in fields(Rule)]
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(value, type_) for value, (_, type_) in zip(values, columns, strict=True)]
    con.register("_price_rules_batch", pa.table(arrays, names=[name for name, _ in columns]))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM _price_rules_batch")
    con.unregister("_price_rules_batch")
