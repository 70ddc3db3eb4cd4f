"""Labels as CSV and JSON lines, there and back."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmlens.errors import LabelError
from llmlens.label.score import Score
from llmlens.label.store import LabelStore
from tests.examples import examples

if TYPE_CHECKING:
    from pathlib import Path

    from llmlens.label.event import Event

HELP = Score("helpfulness", 1, 5)
FORMATS = ("csv", "jsonl")

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip())
)


def filled(path: Path) -> LabelStore:
    store = LabelStore(path)
    store.add(HELP, 4, trace_id="t", span_id="s", comment='a "quoted",\r\nline', author="ann")
    store.add(Score("correct", bool), False, trace_id="t", author="ann", queue_id="q")
    store.add(Score("tone", ["1", "true"], config_id="c"), "1", session_id="x", author="ann")
    skip = store.skip(trace_id="u", reason="why", author="bob")
    store.undo(store.undo(skip))
    store.done(trace_id="t", author="ann")
    return store


def export(store: LabelStore, path: Path) -> Path:
    return store.to_csv(path, raw=True) if path.suffix == ".csv" else store.to_jsonl(path, raw=True)


def take_in(store: LabelStore, path: Path) -> int:
    return store.read_csv(path) if path.suffix == ".csv" else store.read_jsonl(path)


@pytest.mark.parametrize("form", FORMATS)
def test_a_store_that_is_written_and_read_is_the_same(tmp_path: Path, form: str) -> None:
    store = filled(tmp_path / "one")
    path = export(store, tmp_path / f"labels.{form}")
    other = LabelStore(tmp_path / "two")
    heard: list[Event] = []
    other.on_change(heard.append)
    assert take_in(other, path) == len(store.events())
    assert other.events() == store.events() == heard
    assert other.current() == store.current()
    assert take_in(other, path) == 0
    assert take_in(store, path) == 0


@pytest.mark.parametrize("form", FORMATS)
@examples(25)  # each makes files
@given(given_texts=st.tuples(texts, texts, texts, texts))
@example(given_texts=("a", "one line\rthe next", "ann\r", "t\r\n1"))
def test_any_text_survives(
    tmp_path_factory: pytest.TempPathFactory, form: str, given_texts: tuple[str, str, str, str]
) -> None:
    value, comment, author, trace_id = given_texts
    folder = tmp_path_factory.mktemp("any")
    store = LabelStore(folder / "one")
    store.add(Score("note", str), value, trace_id=trace_id, comment=comment, author=author)
    other = LabelStore(folder / "two")
    take_in(other, export(store, folder / f"labels.{form}"))
    assert other.events() == store.events()
    store.close()
    other.close()


@pytest.mark.parametrize("form", FORMATS)
def test_a_store_with_nothing_in_it_can_be_written_and_read(tmp_path: Path, form: str) -> None:
    path = export(LabelStore(tmp_path / "one"), tmp_path / f"labels.{form}")
    assert take_in(LabelStore(tmp_path / "two"), path) == 0


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"event_id": None}, "it lacks event_id"),
        ({"author": ""}, "it lacks author"),
        ({"kind": "like"}, "the kind 'like' is none of"),
        ({"at": "yesterday"}, "yesterday"),
        ({"value": '"many"'}, "no numeric value"),
        ({"value": "[1]"}, "no numeric value"),
        ({"value": "{"}, "not an event"),
        ({"data_type": "stars"}, "no stars value"),
        ({"score_id": None}, "it lacks score_id"),
        ({"trace_id": None}, "of a trace"),
        ({"comment": "x" * 5001}, "at most 5,000"),
        ({"kind": "undo"}, "it lacks undo_of"),
        ({"kind": "undo", "undo_of": "gone"}, "no event 'gone'"),
    ],
)
def test_a_row_that_is_no_event_is_named_and_nothing_is_added(
    tmp_path: Path, changed: dict[str, str | None], said: str
) -> None:
    store = LabelStore(tmp_path / "one")
    store.add(HELP, 4, trace_id="t")
    store.add(HELP, 5, trace_id="u")
    path = store.to_jsonl(tmp_path / "labels.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[1] |= changed
    path.write_text("\n".join(map(json.dumps, rows)))
    other = LabelStore(tmp_path / "two")
    with pytest.raises(LabelError, match=said) as caught:
        other.read_jsonl(path)
    assert "labels.jsonl:2" in str(caught.value) or "gone" in said
    assert other.events() == []


def test_lines_that_are_no_json_or_no_objects_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    store = LabelStore(tmp_path / "s")
    path.write_text("\n{")
    with pytest.raises(LabelError, match=r"x.jsonl:2 is not JSON"):
        store.read_jsonl(path)
    path.write_text("[1]")
    with pytest.raises(LabelError, match=r"x.jsonl:1 is not an event"):
        store.read_jsonl(path)


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3\n", b"\xff\xfe\n"])
def test_a_file_that_is_no_csv_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=r"x.csv"):
        LabelStore(tmp_path / "s").read_csv(path)


def test_a_csv_of_something_else_names_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("trace_id,score\nt,1\n")
    with pytest.raises(LabelError, match=r"x.csv, row 1 is not an event .* lacks event_id, author, at"):
        LabelStore(tmp_path / "s").read_csv(path)


def test_files_that_are_not_there_or_may_not_be_written_are_said(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "s")
    with pytest.raises(LabelError, match="cannot be read: No such file"):
        store.read_csv(tmp_path / "x.csv")
    with pytest.raises(LabelError, match=r"cannot be written.*safe in the store"):
        store.to_jsonl(tmp_path / "nowhere" / "x.jsonl")


@pytest.mark.parametrize("form", FORMATS)
def test_secrets_and_people_do_not_leave_with_the_labels(tmp_path: Path, form: str) -> None:
    store = LabelStore(tmp_path / "one")
    store.add(HELP, 4, trace_id="t", comment="ask bob@example.com", author="ann@example.com")
    store.add(HELP, 2, trace_id="u", author="ann@example.com")
    store.add(Score("fix", str), "call +49 30 901820", trace_id="t", author="eve@example.com")
    path = store.to_csv(tmp_path / "x.csv") if form == "csv" else store.to_jsonl(tmp_path / "x.jsonl")
    assert not [word for word in ("example.com", "901820") if word in path.read_text()]
    other = LabelStore(tmp_path / "two")
    assert take_in(other, path) == 3
    assert [event.value for event in other.current()][:2] == [4.0, 2.0]
    assert len({event.author for event in other.current()}) == 2


def test_no_cell_of_the_csv_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "one")
    for number, comment in enumerate(["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "fine"]):
        store.add(HELP, 4, trace_id=f"t{number}", comment=comment, author="=ann")
    path = store.to_csv(tmp_path / "x.csv")
    cells = [cell for row in csv.reader(path.read_text().splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    other = LabelStore(tmp_path / "two")
    take_in(other, path)
    assert other.events() == store.events()
