"""Questions as SQL: compiled once, never taken for another one, and without keeping what they asked alive."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING
from unittest import mock

import ibis
import pytest

from llmlens import sql
from llmlens.sql import duckdb_sql
from llmlens.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

QUESTIONS: dict[str, Callable[[ir.Table], ir.Expr]] = {
    "all": lambda t: t,
    "a filter": lambda t: t.filter(t.n > 1),
    "another number": lambda t: t.filter(t.n > 2),
    "a number of another type": lambda t: t.filter(t.n > 1.0),
    "a truth": lambda t: t.mutate(x=ibis.literal(True)),
    "a number that equals it": lambda t: t.mutate(x=ibis.literal(1)),
    "another name": lambda t: t.mutate(y=ibis.literal(1)),
    "a text": lambda t: t.filter(t.name == "1"),
    "groups": lambda t: t.group_by("name").agg(n=t.n.sum()),
    "another order": lambda t: t.order_by(t.n.desc()),
    "a scalar": lambda t: t.n.sum(),
}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_made", type(sql._made)())


def table(name: str = "numbers", columns: str = "n BIGINT, name VARCHAR") -> ir.Table:
    store = Store()
    store.execute(f"CREATE TABLE {name} ({columns})")
    return store.ibis(name)


def test_questions_are_what_ibis_makes_of_them_also_when_asked_again() -> None:
    numbers = table()
    for _ in range(2):
        for ask in QUESTIONS.values():
            assert duckdb_sql(ask(numbers)) == str(ibis.to_sql(ask(numbers), dialect="duckdb"))


def test_a_question_is_compiled_once_whichever_store_has_tables_of_these_names_and_columns() -> None:
    with mock.patch.object(ibis, "to_sql", wraps=ibis.to_sql) as compiled:
        for numbers in (table(), table()):
            for ask in QUESTIONS.values():
                duckdb_sql(ask(numbers))
    assert compiled.call_count == len(QUESTIONS)


def test_tables_of_other_names_columns_or_types_are_other_tables() -> None:
    tables = [table(), table("others"), table(columns="n DOUBLE, name VARCHAR"), table(columns="n BIGINT, x VARCHAR")]
    made = [duckdb_sql(t.filter(t.n > 1)) for t in tables]
    assert made == [str(ibis.to_sql(t.filter(t.n > 1), dialect="duckdb")) for t in tables]
    assert len(sql._made) == len(tables)


def test_a_table_that_was_kept_goes_when_nobody_speaks_of_it_though_its_question_is_remembered() -> None:
    store = Store()
    store.execute("CREATE TABLE numbers (n BIGINT)")
    kept = store.keep(store.ibis("numbers").filter(ibis._.n > 1), "kept")
    name = kept.get_name()
    store.compute(kept.count())
    assert store.has(name)
    del kept
    gc.collect()
    assert not store.has(name)
    assert len(sql._made) == 2


def test_the_latest_asked_are_remembered_and_no_long_lists_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_KEPT", 3)
    numbers = table()
    first, second, third, fourth = (numbers.filter(numbers.n > n) for n in range(4))
    for question in (first, second, third, first, fourth):
        duckdb_sql(question)
    assert set(sql._made) == {question.unbind().op() for question in (first, third, fourth)}
    many = numbers.filter(numbers.name.isin([f"a name of some length {n}" for n in range(2000)]))
    assert duckdb_sql(many) == str(ibis.to_sql(many, dialect="duckdb"))
    assert many.unbind().op() not in sql._made
