"""Words of a table to the left, numbers to the right."""

from __future__ import annotations

import re

import pandas as pd

from llmlens.share.sanitising import sanitised
from llmlens.share.tables import aligned


def marked(frame: pd.DataFrame) -> list[str]:
    """Give the texts of the cells that are marked."""
    page = aligned(sanitised(frame._repr_html_()))  # type: ignore[operator]
    return re.findall(r'<t[hd] class="word">(.*?)</t[hd]>', page)


def test_columns_with_words_are_marked_with_their_heads() -> None:
    frame = pd.DataFrame(
        {"name": ["a <b>", "4"], "n": [1, 2], "share": [0.5, None], "at": ["2026-11-02", "2026-11-03"]}
    )
    assert marked(frame) == ["name", "at", "a &lt;b&gt;", "2026-11-02", "4", "2026-11-03"]


def test_an_index_of_words_is_marked_too() -> None:
    assert marked(pd.DataFrame({"n": [1, 2]}, index=["a", "b"])) == ["", "a", "b"]


def test_numbers_missing_values_and_booleans_are_no_words() -> None:
    frame = pd.DataFrame(
        {"a": [1e-9, -3.5], "b": [True, False], "c": [pd.NA, 4], "d": [pd.NaT, None], "e": ["12 %", "1,000"]}
    )
    assert marked(frame) == []


def test_tables_with_merged_cells_and_other_html_stay() -> None:
    wide = pd.DataFrame({("a", "b"): ["x"], ("a", "c"): [1]})
    for html in (sanitised(wide._repr_html_()), "<table><tr><td>x</td></tr></table>", "<p>x</p>"):  # type: ignore[operator]
        assert aligned(html) == html
