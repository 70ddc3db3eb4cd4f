"""The pages of a pull on disk: what they cover, what is not theirs, what becomes of them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import LangfuseError
from llmlens.read.langfuse.cache import OVERLAP_MS, Cache
from llmlens.read.langfuse.sources import Page
from llmlens.read.langfuse.windows import Window, iso, split, uncovered

if TYPE_CHECKING:
    from pathlib import Path

ABOUT = {"base_url": "https://langfuse.example", "project": "p1", "texts": True}
WHOLE = Window(1_000, 9_000)


def rows(*times: int) -> list[dict[str, Any]]:
    return [{"id": f"o{at}", "startTime": iso(at)} for at in times]


def kept(cache: Cache, window: Window = WHOLE) -> list[str]:
    return sorted(row["id"] for page in cache.pages(window) for row in page.rows)


def opened(folder: Path, about: dict[str, Any] = ABOUT, route: str = "observations") -> Cache:
    return Cache(folder, about, route)


def test_pages_come_back_with_what_they_cover(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.add(Page(rows(8_000, 5_001), Window(5_002, 9_000)))
    first.add(Page(rows(2_000), Window(1_000, 5_002)))
    again = opened(tmp_path)
    assert kept(again) == ["o2000", "o5001", "o8000"]
    assert uncovered(WHOLE, again.covered()) == []


def test_pages_outside_a_window_are_not_read(tmp_path: Path) -> None:
    opened(tmp_path).add(Page(rows(2_000), Window(1_000, 3_000)))
    opened(tmp_path).add(Page(rows(8_000), Window(5_000, 9_000)))
    assert kept(opened(tmp_path), Window(1_000, 4_000)) == ["o2000"]


def test_a_millisecond_that_several_pages_share_is_given_whole(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.add(Page([*rows(8_000, 5_000), {"id": "a"}], Window(5_001, 9_000)))
    cache.add(Page([{"id": "b"}], Window(5_001, 5_001)))
    cache.add(Page([{"id": "c"}, *rows(2_000)], Window(1_000, 5_001)))
    assert {"a", "b", "c"} <= set(kept(opened(tmp_path), Window(1_000, 5_001)))


def test_when_one_of_them_is_torn_that_millisecond_is_pulled_again(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    cache.add(Page([{"id": "b"}], Window(5_001, 5_001)))
    next(cache.folder.glob("*.parquet")).write_bytes(b"torn")
    cache.add(Page([{"id": "c"}], WHOLE))
    again = opened(tmp_path)
    assert kept(again) == ["c"]
    assert uncovered(WHOLE, again.covered()) == [Window(5_000, 5_001)]


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: path.write_bytes(b""), "too small|0 bytes|Parquet"),
        (lambda path: path.write_bytes(path.read_bytes()[:-20]), "Parquet"),
        (lambda path: pq.write_table(pa.table({"other": [1]}), path), "not of this server, project and question"),
    ],
    ids=["empty", "torn", "foreign"],
)
def test_a_page_that_is_torn_or_foreign_is_reported_removed_and_not_counted(
    write: Any, reason: str, tmp_path: Path
) -> None:
    opened(tmp_path).add(Page(rows(2_000), WHOLE))
    path = next(opened(tmp_path).folder.glob("*.parquet"))
    write(path)
    again = opened(tmp_path)
    assert kept(again) == []
    assert uncovered(WHOLE, again.covered()) == [WHOLE]
    (problem,) = again.problems
    assert problem.action == "repaired"
    assert re.search(reason, problem.example)
    assert not path.exists()


def test_a_page_of_another_project_that_was_copied_in_is_not_taken(tmp_path: Path) -> None:
    other = opened(tmp_path, {**ABOUT, "project": "p2"})
    other.add(Page(rows(2_000), WHOLE))
    page = next(other.folder.glob("*.parquet"))
    ours = opened(tmp_path)
    page.rename(ours.folder / page.name)
    again = opened(tmp_path)
    assert kept(again) == []
    assert "not of this server" in again.problems[0].example


@pytest.mark.parametrize(
    "change", [{"base_url": "https://other.example"}, {"project": "p2"}, {"texts": False}, {"environment": ["prod"]}]
)
def test_another_server_project_or_question_has_pages_of_its_own(change: dict[str, Any], tmp_path: Path) -> None:
    opened(tmp_path).add(Page(rows(2_000), WHOLE))
    assert kept(opened(tmp_path, {**ABOUT, **change})) == []
    assert kept(opened(tmp_path, route="scores")) == []
    assert kept(opened(tmp_path)) == ["o2000"]


def test_what_was_recent_when_it_was_pulled_is_pulled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_800_000_000.0
    monkeypatch.setattr(time, "time", lambda: now_s)
    now = int(now_s * 1000)
    hour = Window(now - 3_600_000, now)
    opened(tmp_path).add(Page([], hour))
    assert uncovered(hour, opened(tmp_path).covered()) == [Window(now - OVERLAP_MS, now)]


def test_pages_that_were_pulled_again_and_half_written_ones_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(tmp_path).add(Page(rows(2_000), Window(1_000, 3_000)))
    opened(tmp_path).add(Page(rows(4_000), Window(3_000, 5_000)))
    cache = opened(tmp_path)
    half = cache.folder / ".3000-5000-0-abc.parquet"
    half.write_bytes(b"half")
    cache.tidy([Window(2_000, 6_000)])
    assert kept(opened(tmp_path)) == ["o2000"]
    assert half.exists()
    days_later = time.time() + 200_000
    monkeypatch.setattr(time, "time", lambda: days_later)
    cache.tidy([])
    assert not half.exists()


def test_a_page_that_cannot_be_written_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    cache = opened(tmp_path)
    with pytest.raises(LangfuseError, match=r"could not be kept in .*: No space left on device"):
        cache.add(Page(rows(2_000), WHOLE))
    assert list(cache.folder.iterdir()) == []


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    cache = opened(tmp_path)
    note = cache.folder / "notes.parquet"
    note.write_bytes(b"mine")
    opened(tmp_path).tidy([WHOLE])
    assert kept(opened(tmp_path)) == []
    assert note.read_bytes() == b"mine"


@given(st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 10**8)), min_size=1, max_size=5), st.integers(1, 64))
def test_the_parts_of_windows_are_the_windows(given: list[tuple[int, int]], n: int) -> None:
    at, windows = 0, []
    for gap, length in given:
        windows.append(Window(at + gap, at + gap + length))
        at += gap + length
    parts = split(windows, n)
    assert sum(part.until - part.since for part in parts) == sum(length for _, length in given)
    assert all(not uncovered(window, parts) for window in windows)
    assert len(parts) <= n + len(windows)
