"""Times of a page read at once are those of each by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llmlens.read.langfuse.cells import nanoseconds, times

#: As servers, exports and others write them, and what is no time.
WRITTEN: list[Any] = [
    "2026-11-21T05:11:38.349Z", "2026-11-21T05:11:38Z", "2026-11-21 05:11:38.123456", "2026-11-21T05:11:38.349+02:00",
    "2026-11-21T05:11:38.123456789Z", "2026-11-21", "20261121T051138Z", "2026-11-21T05:11Z", " 2026-11-21T05:11:38Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-21T24:00:00Z", "2026-02-30T00:00:00Z", "1763701898",
    "soon", "\ud800", "", None, 0, False, 1763701898, 1763701898349, {}, [], datetime(2026, 11, 21, 5, tzinfo=UTC),
]  # fmt: skip


@given(st.lists(st.sampled_from(WRITTEN), max_size=3))
def test_times_that_are_read_at_once_are_those_of_each(values: list[Any]) -> None:
    assert times(values) == [nanoseconds(value) for value in values]


@given(st.lists(st.datetimes(timezones=st.sampled_from([UTC])) | st.none(), max_size=20))
def test_any_time_that_a_server_can_write_is_read_at_once(moments: list[datetime | None]) -> None:
    written = [None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for at in moments]
    assert times(written) == [nanoseconds(value) for value in written]


def test_a_time_of_a_page_is_nanoseconds_since_the_epoch() -> None:
    assert times(["1970-01-01T00:00:01.500Z", None]) == [1_500_000_000, None]
