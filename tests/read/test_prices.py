from __future__ import annotations

import importlib.util
import json
import re
import socket
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import ReadError, SourceNotFoundError, UnknownNameError
from llmlens.read.prices.as_sql import price_table, price_version
from llmlens.read.prices.context import read_context
from llmlens.read.prices.models import find_model, provider_id, spellings

if TYPE_CHECKING:
    from types import ModuleType

    from llmlens.read.raw import Problem

BEDROCK = "anthropic.claude-sonnet-4-20250514-v1:0"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COLUMNS = {
    "provider": "VARCHAR", "model": "VARCHAR", "request_model": "VARCHAR", "kind": "VARCHAR", "start": "TIMESTAMPTZ",
    "input_tokens": "BIGINT", "cache_read_tokens": "BIGINT", "cache_write_tokens": "BIGINT",
    "output_tokens": "BIGINT", "reasoning_tokens": "BIGINT", "params": "VARCHAR", "cost_usd": "DOUBLE",
}  # fmt: skip
CALL: dict[str, Any] = {
    "provider": "openai", "model": "gpt-4o-mini", "kind": "llm", "start": NOW,
    "input_tokens": 1000, "output_tokens": 100,
}  # fmt: skip


def price(
    *spans: dict[str, Any], prices: Any = None, **extra_columns: str
) -> tuple[list[tuple[float | None, str | None]], list[Problem]]:
    """Price spans (differences from CALL); give their (cost, source) and the problems."""
    columns = COLUMNS | extra_columns
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as con:
        spec = ", ".join(f'"{column}" {type_}' for column, type_ in columns.items())
        con.execute(f"CREATE TABLE mapped (n INTEGER, {spec})")
        for n, span in enumerate(spans):
            row = [(CALL | span).get(column) for column in columns]
            con.execute(f"INSERT INTO mapped VALUES ({', '.join('?' * (len(row) + 1))})", [n, *row])
        table = price_table(con, "mapped", prices, now=NOW)
        rows = con.execute(
            f"SELECT n, {table.cost_sql()}, {table.source_sql()} FROM mapped s {table.join_sql()} ORDER BY n"
        ).fetchall()
    assert [row[0] for row in rows] == list(range(len(spans)))
    return [(cost, source) for _, cost, source in rows], table.problems


def cost(span: dict[str, Any], **own: Any) -> float | None:
    return price(span, **own)[0][0][0]


def reasons(problems: list[Problem]) -> dict[str, int]:
    assert all(p.action == "noted" and p.line is None for p in problems)
    return {p.reason: p.count for p in problems}


@pytest.fixture(scope="module")
def oracle() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "bench" / "prices.py"
    spec = importlib.util.spec_from_file_location("bench_prices", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setitem(sys.modules, "bench_prices", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    monkeypatch.undo()
    return module


def test_costs_equal_genai_prices_at_every_edge_of_a_sample_of_models(oracle: ModuleType) -> None:
    models = list(oracle.priced_models())
    interesting = [(p, m) for p, m in models if isinstance(m.prices, list) or m.price_variants]
    result = oracle.compare([*models[::7], *interesting[::5]])
    assert len(result.models) >= 300
    assert {"plain", "cached read", "cache write", "tier edge", "date edge", "time of day", "batch"} <= set(
        result.counts
    )
    assert result.wrong == []


def test_a_tier_holds_for_the_whole_call_only_above_its_start() -> None:
    claude = {"provider": "anthropic", "model": "claude-sonnet-4-5", "output_tokens": 0}
    (at, _), (above, _) = price(claude | {"input_tokens": 200_000}, claude | {"input_tokens": 200_001})[0]
    assert at == pytest.approx(200_000 * 3e-6, rel=1e-12)
    assert above == pytest.approx(200_001 * 6e-6, rel=1e-12)


def test_the_price_is_that_of_the_day_of_the_call() -> None:
    o3 = {"model": "o3", "input_tokens": 1_000_000, "output_tokens": 100_000}
    days = [o3 | {"start": datetime(2025, 6, day, tzinfo=UTC)} for day in (1, 15)]
    assert [value for value, _ in price(*days)[0]] == pytest.approx([14.0, 2.8], rel=1e-12)


def test_the_price_is_that_of_the_hour_of_the_call_in_any_time_zone() -> None:
    call = {"provider": "deepseek", "model": "deepseek-chat", "input_tokens": 1_000_000, "output_tokens": 0}
    peak = datetime.fromisoformat("2026-11-20T02:30:00+02:00")
    spans = [call | {"start": peak}, call | {"start": peak - timedelta(seconds=1)}]
    assert [value for value, _ in price(*spans)[0]] == pytest.approx([0.27, 0.135], rel=1e-12)


@pytest.mark.parametrize(
    "params",
    [
        {"batch": True},
        {"processing_mode": "BATCH"},
        {"service_tier": "batch"},
        {"temperature": 0, "processing": "batch"},
    ],
)
def test_batch_calls_have_the_batch_price_however_it_is_said(params: dict[str, Any]) -> None:
    assert cost({"params": json.dumps(params)}) == pytest.approx(1000 * 0.075e-6 + 100 * 0.3e-6, rel=1e-12)


def test_priority_calls_have_the_priority_price_from_params_or_from_a_column() -> None:
    expected = pytest.approx(1000 * 0.25e-6 + 100 * 1e-6, rel=1e-12)
    assert cost({"params": '{"service_tier": "priority"}'}) == expected
    assert cost({"service_tier": "priority"}, service_tier="VARCHAR") == expected


def test_a_tier_without_a_price_of_its_own_is_priced_as_standard_and_said_so() -> None:
    costs, problems = price({"model": "gpt-4", "params": '{"service_tier": "flex"}'}, {"model": "gpt-4"})
    assert costs[0] == costs[1]
    (reason,) = reasons(problems)
    assert "service_tier 'flex'" in reason
    assert "standard price used" in reason


def test_a_batch_call_before_the_batch_price_is_known_is_said_so_also_beside_later_ones() -> None:
    batch = {"params": '{"batch": true}'}
    (early, late), problems = price(batch | {"start": datetime(2026, 1, 1, tzinfo=UTC)}, batch)
    assert early == (cost({}), "priced")
    assert late[0] == pytest.approx(1000 * 0.075e-6 + 100 * 0.3e-6, rel=1e-12)
    assert any("processing 'batch'" in reason for reason in reasons(problems))


def test_a_platform_that_borrows_the_price_of_a_vendor_does_not_borrow_its_batch_price() -> None:
    azure = {"provider": "azure.ai.openai"}
    assert cost(azure | {"params": '{"batch": true}'}) == cost(azure) == cost({})


def test_a_load_that_begins_and_ends_at_the_first_instant_of_a_price_has_that_price() -> None:
    o3 = {"model": "o3", "input_tokens": 1_000_000, "output_tokens": 100_000}
    assert cost(o3 | {"start": datetime(2025, 6, 10, tzinfo=UTC)}) == pytest.approx(2.8, rel=1e-12)


@pytest.mark.parametrize(
    "params", ["{", '{"service_tier": ', '"batch"', '["batch"]', '{"batch": 3}', '{"speed": null}', ""]
)
def test_params_that_say_nothing_usable_change_nothing(params: str) -> None:
    assert cost({"params": params}) == cost({})


@given(st.dictionaries(st.sampled_from(["service_tier", "batch", "processing"]), st.text(max_size=8)))
def test_any_service_tier_gives_a_context_of_texts(params: dict[str, str]) -> None:
    text = json.dumps(
        [params.get(key) for key in ("service_tier", "serviceTier", "processing_mode", "processing", "batch")]
    )
    assert set(read_context(text)) <= {"service_tier", "processing"}


def test_cached_and_one_hour_cached_tokens_have_their_own_price() -> None:
    span = {
        "provider": "anthropic", "model": "claude-sonnet-4-5", "input_tokens": 10_000, "output_tokens": 0,
        "cache_read_tokens": 2_000, "cache_write_tokens": 3_000,
    }  # fmt: skip
    read_and_plain = 2_000 * 0.3e-6 + 5_000 * 3e-6
    assert cost(span) == pytest.approx(read_and_plain + 3_000 * 3.75e-6, rel=1e-12)
    one_hour = pytest.approx(read_and_plain + 2_000 * 3.75e-6 + 1_000 * 6e-6, rel=1e-12)
    assert cost(span | {"cache_write_1h_tokens": 1_000}, cache_write_1h_tokens="BIGINT") == one_hour
    assert cost(span | {"params": '{"cache_write_1h_tokens": 1000}'}) == one_hour


def test_more_cached_than_input_tokens_are_never_priced_below_zero_and_are_counted() -> None:
    ((value, source),), problems = price({"input_tokens": 100, "cache_read_tokens": 5_000, "output_tokens": 0})
    assert source == "priced"
    assert value == pytest.approx(5_000 * 0.075e-6, rel=1e-12)
    assert [count for reason, count in reasons(problems).items() if "more cached than input" in reason] == [1]


def test_huge_and_negative_counts_neither_fail_nor_give_a_negative_cost() -> None:
    big = 2**63 - 1
    spans = [{"input_tokens": 0, "cache_read_tokens": big, "cache_write_tokens": big}, {"input_tokens": -5}]
    (huge, negative), problems = price(*spans)
    assert huge[0] is not None
    assert huge[0] > 0
    assert negative == (None, "missing")
    assert reasons(problems)["negative token counts, so no price"] == 1


def test_a_reported_cost_wins() -> None:
    assert price({"cost_usd": 0.5})[0] == [(0.5, "reported")]


def test_only_kinds_that_carry_usage_are_priced() -> None:
    costs, problems = price({"kind": "agent"}, {"kind": "tool", "model": "unheard-of"}, {"kind": "embedding"})
    assert [source for _, source in costs] == [None, None, "priced"]
    assert problems == []


def test_a_call_without_usage_is_missing_without_a_complaint_about_prices() -> None:
    assert price({"input_tokens": None, "output_tokens": None}) == ([(None, "missing")], [])


def test_half_reported_usage_is_missing_and_counted_unless_that_half_is_free() -> None:
    embedding = {"kind": "llm", "model": "text-embedding-3-small", "output_tokens": None}
    costs, problems = price({"input_tokens": None}, {"output_tokens": None}, embedding)
    assert [source for _, source in costs] == ["missing", "missing", "priced"]
    assert reasons(problems) == {
        "input tokens not reported, so no price": 1,
        "output tokens not reported, so no price": 1,
    }


def test_unknown_models_are_named_and_counted_and_never_cost_zero() -> None:
    costs, problems = price(
        {"model": "own-7b", "provider": "acme"}, {"model": "own-7b", "provider": "acme"}, {"model": None}
    )
    assert costs == [(None, "missing")] * 3
    assert reasons(problems) == {"no price for model 'own-7b' (provider 'acme')": 2, "no model name, so no price": 1}


def test_a_free_model_costs_zero_and_says_so() -> None:
    costs, problems = price({"provider": "openrouter", "model": "deepseek/deepseek-r1:free"})
    assert costs == [(0.0, "priced")]
    assert [reason for reason in reasons(problems) if "free in the price table" in reason]


def test_a_model_priced_by_something_else_than_tokens_is_missing() -> None:
    costs, problems = price({"provider": "groq", "model": "whisper-large-v3"})
    assert costs == [(None, "missing")]
    assert [reason for reason in reasons(problems) if "no price per token" in reason]


def test_the_requested_model_is_used_where_the_answering_one_is_unknown() -> None:
    assert cost({"model": "deployment-3", "request_model": "gpt-4o-mini"}) == cost({})


def test_a_call_without_a_start_is_priced_as_of_now_and_noted() -> None:
    costs, problems = price({"start": None}, {})
    assert costs[0] == costs[1]
    assert reasons(problems) == {"no start time: priced as of 2026-11-20": 1}


def test_an_infinite_start_does_not_fail() -> None:
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE mapped AS SELECT 'openai' AS provider, 'gpt-4o' AS model, NULL::VARCHAR AS request_model,"
            " 'llm' AS kind, TIMESTAMPTZ 'infinity' AS start, 10 AS input_tokens, 0 AS cache_read_tokens,"
            " 0 AS cache_write_tokens, 5 AS output_tokens, 0 AS reasoning_tokens, NULL::DOUBLE AS cost_usd"
        )
        table = price_table(con, "mapped")
        assert con.execute(f"SELECT {table.source_sql()} FROM mapped s {table.join_sql()}").fetchall() == [("priced",)]


def test_an_empty_table_gives_no_rules_and_no_problems() -> None:
    assert price() == ([], [])


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("openai", "gpt-4o-mini-2024-07-18", "openai gpt-4o-mini"),
        (None, "openai/gpt-4o", "openai gpt-4o"),
        ("openai", "openai/gpt-4o", "openai gpt-4o"),
        ("openai", "azure/gpt-4o", "azure gpt-4o"),
        ("azure.ai.openai", "gpt-4o", "azure gpt-4o"),
        ("aws.bedrock", f"us.{BEDROCK}", f"aws regional.{BEDROCK}"),
        (None, f"us.{BEDROCK}", f"aws regional.{BEDROCK}"),
        ("anthropic", BEDROCK, f"aws regional.{BEDROCK}"),
        ("gcp.gemini", "models/gemini-2.0-flash", "google gemini-2.0-flash"),
        ("gcp.vertex_ai", "projects/p/publishers/google/models/gemini-2.0-flash", "google gemini-2.0-flash"),
        ("openai", "ft:gpt-4o-mini-2024-07-18:org::id", "openai ft:gpt-4o-mini"),
        (None, "ft:gpt-4o-mini-2024-07-18:org::id", "openai ft:gpt-4o-mini"),
        ("x_ai", "grok-4", "x-ai grok-4-0709"),
        ("xai.chat", "grok-4", "x-ai grok-4-0709"),
        ("openrouter", "openai/gpt-4o", "openrouter openai/gpt-4o"),
        ("openai", "claude-sonnet-4-5", "anthropic claude-sonnet-4-5"),
        (None, "text-embedding-3-small", "openai text-embedding-3-small"),
        ("acme", "gpt-4o", "openai gpt-4o"),
    ],
)  # fmt: skip
def test_names_as_they_occur_in_traces_are_found(provider: str | None, model: str, found: str) -> None:
    priced = find_model(provider, model)
    assert priced
    assert f"{priced.provider.id} {priced.model.id}" == found


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("ollama", "gpt-oss:20b"), (None, "ollama/llama3"), ("openai", "my-gpt-4o"), ("azure", "my-deployment"),
        ("openai", "Qwen/Qwen2.5-7B-Instruct"), (None, ""), ("openai", "gpt-99"), ("anthropic", "gpt-4o-of-mine"),
    ],
)  # fmt: skip
def test_names_that_only_look_like_a_priced_model_are_not_guessed(provider: str | None, model: str) -> None:
    assert find_model(provider, model) is None


def test_a_model_priced_by_its_name_alone_is_noted() -> None:
    _, problems = price({"provider": "acme", "model": "gpt-4o"})
    assert reasons(problems) == {"model 'gpt-4o' (provider 'acme') priced as of provider 'openai'": 1}


@given(st.none() | st.text(max_size=30), st.text(max_size=60))
def test_any_name_is_looked_up_without_an_error(provider: str | None, model: str) -> None:
    provider_id(provider)
    find_model(provider, model)
    assert spellings(model)[0] == model.strip().lower()


def test_own_prices_win_over_the_table_and_an_exact_name_over_a_pattern() -> None:
    prices = {"gpt-4o-.*": {"input_mtok": 1, "output_mtok": 1}, "gpt-4o-mini": {"input_mtok": 2, "output_mtok": 0}}
    assert cost({}, prices=prices) == pytest.approx(1000 * 2e-6, rel=1e-12)
    assert cost({"model": "gpt-4o-2024-11-20"}, prices=prices) == pytest.approx(1100 * 1e-6, rel=1e-12)
    assert cost({"model": "gpt-4o"}, prices=prices) == cost({"model": "gpt-4o"})


def test_own_prices_without_cache_rates_charge_cached_tokens_as_input() -> None:
    span = {"cache_read_tokens": 400, "cache_write_tokens": 100, "output_tokens": 0}
    assert cost(span, prices={"gpt-4o-mini": {"input_mtok": 1}}) == pytest.approx(1000e-6, rel=1e-12)
    with_cache = {"gpt-4o-mini": {"input_mtok": 1, "cache_read_mtok": 0, "cache_write_mtok": 2}}
    assert cost(span, prices=with_cache) == pytest.approx(700e-6, rel=1e-12)


def test_own_prices_come_from_a_toml_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('["own-7b"]\ninput_mtok = 0.5\noutput_mtok = 1.5\n["gpt-4.1"]\ninput_mtok = 9\n')
    assert cost({"model": "own-7b"}, prices=str(path)) == pytest.approx(1000 * 0.5e-6 + 100 * 1.5e-6, rel=1e-12)


@pytest.mark.parametrize(
    ("prices", "error", "match"),
    [
        ({"m": {"input": 1}}, UnknownNameError, "Did you mean"),
        ({"m": 3}, ReadError, "needs a table"),
        ({"m": {"input_mtok": -1}}, ReadError, "0 or more, not -1"),
        ({"m": {"input_mtok": "2"}}, ReadError, "not '2'"),
        ({"m": {"input_mtok": float("nan")}}, ReadError, "not nan"),
        ({"m": {"input_mtok": True}}, ReadError, "not True"),
        ({"m": {"output_mtok": 1}}, ReadError, "no input_mtok"),
        ({"gpt-4": {"1": {"input_mtok": 1}}}, ReadError, re.escape('["gpt-4.1"]')),
    ],
)
def test_unusable_own_prices_say_what_is_wrong(prices: Any, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        price({}, prices=prices)


def test_a_prices_file_that_is_absent_or_broken_says_so(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"none\.toml"):
        price({}, prices=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[x")
    with pytest.raises(ReadError, match=r"bad\.toml"):
        price({}, prices=tmp_path / "bad.toml")


def test_pricing_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("pricing went to the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert cost({}) == pytest.approx(float(Decimal("0.00021")), rel=1e-12)


def test_the_version_names_the_package_that_holds_the_prices() -> None:
    assert price_version() == f"genai-prices {genai_prices.__version__}"
