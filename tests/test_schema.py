"""The tidy tables as data, and how they print."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

import llmlens as ll
from llmlens.errors import UnknownNameError
from llmlens.schema import SPANS, TABLES, Table
from llmlens.store import STORED


def test_without_a_name_the_tables_are_listed() -> None:
    assert ll.schema() == list(TABLES)
    assert set(STORED) <= set(TABLES)


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_prints_every_column_with_its_type_unit_and_meaning(name: str) -> None:
    table = ll.schema(name)
    assert isinstance(table, Table)
    text, page = repr(table), table._repr_html_()
    HTMLParser().feed(page)
    for column in table.columns:
        (line,) = [line for line in text.splitlines()[1:] if line.split()[0] == column.name]
        assert column.dtype in line
        assert column.meaning in line
        assert (f"[{column.unit}]" in line) is bool(column.unit)
        assert f"<code>{column.name}</code>" in page
    assert page.count("<tr>") == len(table.columns) + 1


def test_units_are_in_the_names() -> None:
    units = {"_s": "s", "_usd": "USD", "_tokens": "tokens"}
    for table in TABLES.values():
        for column in table.columns:
            for ending, unit in units.items():
                assert (column.unit == unit) == column.name.endswith(ending), (table.name, column.name)


def test_tables_have_unique_columns_and_keys_among_them() -> None:
    for name, table in TABLES.items():
        assert table.name == name
        assert len(set(table.names)) == len(table.names)
        assert set(table.key) <= set(table.names)
        assert all(column.meaning and column.sql_type for column in table.columns)


@pytest.mark.parametrize(
    ("name", "said"), [("spanz", "Did you mean 'spans'"), (5, "There is: contents"), ([], "There is")]
)
def test_an_unknown_table_names_the_nearest(name: Any, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        ll.schema(name)


def test_an_unknown_column_names_the_nearest() -> None:
    assert SPANS["model"].dtype == "text"
    with pytest.raises(UnknownNameError, match=r"column in 'spans': 'modle'. Did you mean 'model'"):
        SPANS["modle"]


def test_the_schema_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SPANS.name = "other"  # type: ignore[misc]  # misuse
    with pytest.raises(AttributeError):
        SPANS.columns[0].name = "other"  # type: ignore[misc]  # misuse
