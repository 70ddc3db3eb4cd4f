"""`export`: files for spreadsheets and programs that run nothing, leak nothing and are whole."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from llmlens.spreadsheet import defused, fused, is_formula

if TYPE_CHECKING:
    from pathlib import Path

    from llmlens.traces import Traces

TRIGGERS = ("=", "+", "-", "@", "\t", "\r")
HOSTILE = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "'=1", "＝1", "plain", "a=b", ""]


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


@given(st.text(max_size=8) | st.sampled_from(HOSTILE))
def test_a_defused_text_is_no_formula_and_comes_back(text: str) -> None:
    assert not defused(text).startswith(TRIGGERS)
    assert fused(defused(text)) == text
    assert is_formula(text) or defused(text) == text


def test_no_cell_of_a_csv_is_run(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=name": HOSTILE, "n": range(len(HOSTILE))})
    rows = cells(ll.export(frame, tmp_path / "x.csv"))
    assert len(rows) == len(HOSTILE) + 1
    assert not [cell for row in rows for cell in row if cell.startswith(TRIGGERS)]


def test_raw_gives_back_exactly_what_was_there(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=name": HOSTILE})
    rows = cells(ll.export(frame, tmp_path / "x.csv", raw=True))
    assert [row[0] for row in rows] == ["=name", *HOSTILE]


def test_raw_does_not_turn_off_the_redaction(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["=bob@example.com"]})
    assert "bob@" not in ll.export(frame, tmp_path / "x.csv", raw=True).read_text()
    assert "bob@" in ll.export(frame, tmp_path / "y.csv", redact=False).read_text()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".CSV"])
def test_texts_leave_redacted(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame(
        {
            "bob@example.com": ["mail bob@example.com", None],
            "list": [["bob@example.com"], []],
            "map": [{"password": "hunter2"}, {"n": 1}],
            "n": [1, 2],
        },
        index=pd.Index(["bob@example.com", "b"], name="who"),
    )
    path = ll.export(frame, tmp_path / f"x{suffix}")
    text = pd.read_parquet(path).to_json() if suffix == ".parquet" else path.read_text()
    assert "bob@" not in text
    assert "hunter2" not in text
    assert text.count("EMAIL") >= 4
    assert list(tmp_path.iterdir()) == [path]


def test_traces_results_and_labels_can_be_exported(week: Traces, tmp_path: Path) -> None:
    traces = pd.read_parquet(ll.export(week, tmp_path / "traces.parquet"))
    assert len(traces) == len(week)
    assert list(traces.columns) == ll.schema("traces").names
    result = ll.latency(week, by="model")
    assert len(cells(ll.export(result, tmp_path / "latency.csv"))) == len(result) + 1
    store = ll.labels(tmp_path / "labels.sqlite")
    store.add(ll.Score("quality", 1, 5), 4, trace_id="t1", author="bob@example.com")
    line = ll.export(store, tmp_path / "labels.jsonl").read_text()
    assert json.loads(line)["value"] == 4
    assert "bob@" not in line


def test_json_lines_hold_what_the_frame_holds(tmp_path: Path) -> None:
    at = pd.Timestamp("2026-11-02T10:00:00.123456Z")
    frame = pd.DataFrame({"at": [at, None], "n": pd.array([1, None], "Int64"), "t": ["ä=", None]})
    rows = [json.loads(line) for line in ll.export(frame, tmp_path / "x.jsonl").read_text("utf-8").splitlines()]
    assert rows == [{"at": "2026-11-02T10:00:00.123456Z", "n": 1, "t": "ä="}, {"at": None, "n": None, "t": None}]


def test_excel_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(ll.ShareError, match=r"pip install 'llmlens\[excel\]'"):
        ll.export(pd.DataFrame({"a": ["b"]}), tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_holds_texts_numbers_and_times(tmp_path: Path) -> None:
    excel = pytest.importorskip("openpyxl", reason="an extra of its own: pip install 'llmlens[excel]'")
    at = pd.Timestamp("2026-11-02T10:00:00Z")
    frame = pd.DataFrame({"=x": ["=1+1", None], "n": pd.array([1, None], "Int64"), "at": [at, None]})
    for raw, text in ((False, "'=1+1"), (True, "=1+1")):
        sheet = excel.load_workbook(ll.export(frame, tmp_path / "x.xlsx", raw=raw)).active
        assert [cell.value for cell in sheet[2]] == [text, 1, at.tz_localize(None).to_pydatetime()]
        assert sheet["A2"].data_type == "s"
    with pytest.raises(ll.ShareError, match="holds 32,767 characters, one here has 40,000"):
        ll.export(pd.DataFrame({"a": ["x" * 40_000]}), tmp_path / "x.xlsx")


@pytest.mark.parametrize(
    ("what", "name", "error", "told"),
    [
        (pd.DataFrame(), "x.txt", ll.UnknownNameError, "kind of file to export"),
        (pd.DataFrame(), "x", ll.UnknownNameError, "kind of file to export"),
        (pd.DataFrame(), "nowhere/x.csv", ll.ShareError, "cannot be written: No such file"),
        ([1], "x.csv", ll.ShareError, "takes a DataFrame, Traces or a store of labels; got list"),
    ],
)
def test_misuse_is_explained(tmp_path: Path, what: Any, name: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        ll.export(what, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    with pytest.raises(ll.ShareError, match="it is a folder"):
        ll.export(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ll.ShareError, match="cannot be written"):
        ll.export(pd.DataFrame({"a": [1]}), tmp_path / "x.csv")
    tmp_path.chmod(0o700)


def test_what_was_there_stays_when_writing_fails(tmp_path: Path) -> None:
    path = ll.export(pd.DataFrame({"a": [1]}), tmp_path / "x.parquet")
    before = path.read_bytes()
    with pytest.raises(ll.ShareError, match=r"x\.parquet"):
        ll.export(pd.DataFrame({"a": [1, {"b": 2}]}, dtype=object), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
